/**
 * The main thread's end of a worker's answer ring (upcall-ring.ts has the
 * other): answers to upcalls, and frames of the main thread's own.
 *
 * There is always room to give a parked slot back: action lists and the main
 * thread's frames leave RESERVE words free. Frames of the main thread's own
 * go through MAIN_SLOTS slots at the arena's end, which are free again when
 * the worker has passed the record. What finds none waits in a bounded list,
 * until the owner calls `sendWaiting`: it must, soon, while `isWaiting`.
 */
import { TapflowError } from '../lib/error.ts';
import { SLOT_CAPACITY, VNET_SIZE } from './burst.ts';
import {
  ANSWER_HEAD_WORDS,
  ANSWER_INJECT,
  ANSWER_WORDS,
  MAIN_SLOTS,
  RING_DATA,
  RING_HEAD,
  RING_TAIL,
  slotAt,
  slotOf,
  UPCALL_MAX,
  type WorkerState,
} from './shared-state.ts';

const RESERVE = 2 * UPCALL_MAX * ANSWER_HEAD_WORDS;
const WAITING_MAX = 1024;
/** Action words of a frame of the main thread's at most: they must fit an empty ring. */
const LONGEST_SENT = (ANSWER_WORDS - RESERVE) / 2 - ANSWER_HEAD_WORDS;
const NO_ACTIONS = new Int32Array(0);

interface Sending {
  frame: Uint8Array;
  port: number;
  actions: Int32Array;
}

export class AnswerRing {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #firstSlot: number;
  readonly #freeSlots: number[] = Array.from({ length: MAIN_SLOTS }, (_, slot) => slot);
  /** In the ring's order, each with the head after its record: free once the tail is there. */
  readonly #busySlots: { slot: number; until: number }[] = [];
  #waiting: Sending[] = [];

  constructor(worker: WorkerState) {
    this.#words = worker.answers;
    this.#bytes = new Uint8Array(worker.arena);
    this.#firstSlot = slotOf(worker.arena.byteLength) - MAIN_SLOTS;
  }

  /** @returns false when there is no room for the actions; without any there always is */
  push(at: number, size: number, port: number, actions: Int32Array, length: number): boolean {
    let head = Atomics.load(this.#words, RING_HEAD);
    if (
      length > 0 &&
      this.#used(head) + 2 * (ANSWER_HEAD_WORDS + length) > ANSWER_WORDS - RESERVE
    ) {
      return false;
    }
    const record = ANSWER_HEAD_WORDS + length;
    const toEnd = ANSWER_WORDS - (head & (ANSWER_WORDS - 1));
    if (toEnd < record) {
      this.#words[RING_DATA + (head & (ANSWER_WORDS - 1))] = 0;
      head = (head + toEnd) | 0;
    }
    const start = RING_DATA + (head & (ANSWER_WORDS - 1));
    this.#words[start] = record;
    this.#words[start + 1] = at;
    this.#words[start + 2] = size;
    this.#words[start + 3] = port;
    for (let i = 0; i < length; i++) this.#words[start + ANSWER_HEAD_WORDS + i] = actions[i];
    Atomics.store(this.#words, RING_HEAD, (head + record) | 0);
    return true;
  }

  /** Whether frames wait for the worker to give main slots or ring words back. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * A frame (from its Ethernet header on) for the worker: to execute actions
   * on, or, without actions, to receive.
   * @throws RangeError, TapflowError EAGAIN when too many are waiting
   */
  send(frame: Uint8Array, port: number, actions: Int32Array | undefined): void {
    if (frame.length + VNET_SIZE > SLOT_CAPACITY) {
      throw new RangeError(
        `a frame has at most ${SLOT_CAPACITY - VNET_SIZE} bytes, not ${frame.length}`,
      );
    }
    if (actions !== undefined && actions.length > LONGEST_SENT) {
      throw new RangeError(
        `an action list has at most ${LONGEST_SENT} words, not ${actions.length}`,
      );
    }
    if (this.#waiting.length >= WAITING_MAX) {
      throw new TapflowError('EAGAIN', `${WAITING_MAX} frames are waiting to be sent already`);
    }
    const portWord = actions === undefined ? port | ANSWER_INJECT : port;
    this.#waiting.push({
      frame: frame.slice(),
      port: portWord,
      actions: actions?.slice() ?? NO_ACTIONS,
    });
    this.sendWaiting();
  }

  /** Sends as much as there are free slots for. */
  sendWaiting(): void {
    this.#reclaimSlots();
    let sent = 0;
    while (sent < this.#waiting.length && this.#sendOne(this.#waiting[sent])) sent++;
    if (sent > 0) this.#waiting = this.#waiting.slice(sent);
  }

  #sendOne({ frame, port, actions }: Sending): boolean {
    const slot = this.#freeSlots.at(-1);
    if (slot === undefined) return false;
    const at = slotAt(this.#firstSlot + slot);
    this.#bytes.fill(0, at, at + VNET_SIZE);
    this.#bytes.set(frame, at + VNET_SIZE);
    if (!this.push(at, frame.length + VNET_SIZE, port, actions, actions.length)) return false;
    this.#freeSlots.pop();
    this.#busySlots.push({ slot, until: Atomics.load(this.#words, RING_HEAD) });
    return true;
  }

  /** Often enough that no slot is busy until a word that the ring has passed twice: 2^31 words. */
  #reclaimSlots(): void {
    const tail = Atomics.load(this.#words, RING_TAIL);
    while (this.#busySlots.length > 0 && ((tail - this.#busySlots[0].until) | 0) >= 0) {
      const passed = this.#busySlots.shift();
      if (passed !== undefined) this.#freeSlots.push(passed.slot);
    }
  }

  #used(head: number): number {
    return (head - Atomics.load(this.#words, RING_TAIL)) | 0;
  }
}
