/**
 * A worker's end of the slow path: frames go up, answers come down, both
 * through rings in shared memory with one writer and one reader each.
 *
 *   worker --[at, size, port, reason, cookie, full size, key]--> main
 *   worker <--[size, at, frame size, port, action words ...]---- main
 *
 * A frame that goes up is parked: it stays in its slot, where the main thread
 * reads it, until the answer gives the slot back and says what to do with it.
 * The worker never waits.
 *
 * Fairness: a port may have as many frames parked as there is room left, so a
 * port that floods gets half of it at most, and there is always room for
 * another port's first packets; and a connection may have BEHIND_MAX, so that
 * one that starts at full speed leaves room for others of its port.
 *
 * Order: while packets of a connection are parked, later ones are parked
 * behind them even if a megaflow has appeared meanwhile (`isBehind`), so an
 * answered frame is never overtaken; but for a connection that is faster than
 * the slow path, of which BEHIND_MAX are parked: it would stay there for ever,
 * so its later packets take the megaflow. Connections are told apart by some
 * bits of their signature; a collision parks a packet needlessly and harms nothing.
 */

import { UPCALL_MISS } from '../dpif/dpif.ts';
import { DROP_NO_BUFFER, DROP_UPCALL_FULL, DROP_UPCALL_QUOTA } from '../dpif/drops.ts';
import { KEY_WORDS } from '../flow/key.ts';
import type { UpcallSink } from './actions/executor.ts';
import { type Arena, type Burst, VNET_SIZE } from './burst.ts';
import type { PortRows } from './port-rows.ts';
import {
  ANSWER_INJECT,
  ANSWER_WORDS,
  MAIN_SLOTS,
  MAX_PORTS,
  RING_DATA,
  RING_HEAD,
  RING_TAIL,
  slotOf,
  UPCALL_AT,
  UPCALL_COOKIE,
  UPCALL_FULL_SIZE,
  UPCALL_KEY,
  UPCALL_MAX,
  UPCALL_PORT,
  UPCALL_REASON,
  UPCALL_ROW,
  UPCALL_SIZE,
  type WorkerState,
} from './shared-state.ts';
import type { SlotPool } from './slot-pool.ts';
import type { DummyTransmit } from './tx-queue.ts';

/** A frame that leaves through a dummy port; never seen above dpif/. */
export const UPCALL_TRANSMIT = 100;

/** A device cannot be read any more; the cookie is errno. No frame comes with it, and no answer is due. */
export const UPCALL_PORT_FAILED = 101;

/** Parked frames at most: the ring has room beside them for failures. */
const PARKED_MAX = UPCALL_MAX - 32;
const SIGNATURE_BITS = 0xffff;
/** Parked packets of a connection from which on its others no longer wait behind them. */
const BEHIND_MAX = 64;
/** Parked, but nothing waits behind it. */
const NO_SIGNATURE = -1;

export class UpcallRing implements UpcallSink, DummyTransmit {
  readonly #upcalls: Int32Array;
  readonly #answers: Int32Array;
  readonly #arena: Arena;
  readonly #slots: SlotPool;
  readonly #ports: PortRows;
  readonly #parkedOf: Int32Array = new Int32Array(MAX_PORTS);
  #parked = 0;
  /** Parked packets by signature bits; and what each parked slot is counted under. */
  readonly #behind: Uint16Array = new Uint16Array(SIGNATURE_BITS + 1);
  /** 1 from when a connection had BEHIND_MAX packets parked until none are left. */
  readonly #overrun: Uint8Array = new Uint8Array(SIGNATURE_BITS + 1);
  readonly #slotPort: Int32Array;
  readonly #slotSignature: Int32Array;
  #head: number;
  #tail: number;
  /** The tail that the main thread knows. */
  #published: number;
  #raised = false;
  lost = 0;

  // The answer that `next` found.
  at = 0;
  size = 0;
  port = 0;
  /** Its action words are answers[from .. end). */
  from = 0;
  end = 0;

  constructor(state: WorkerState, arena: Arena, slots: SlotPool, ports: PortRows) {
    this.#upcalls = state.upcalls;
    this.#answers = state.answers;
    this.#arena = arena;
    this.#slots = slots;
    this.#ports = ports;
    const slotCount = slotOf(state.arena.byteLength) - MAIN_SLOTS;
    this.#slotPort = new Int32Array(slotCount);
    this.#slotSignature = new Int32Array(slotCount);
    this.#head = Atomics.load(this.#upcalls, RING_HEAD);
    this.#tail = Atomics.load(this.#answers, RING_TAIL);
    this.#published = this.#tail;
  }

  /** The ring that answers' action words stand in. */
  get words(): Int32Array {
    return this.#answers;
  }

  get pending(): boolean {
    return this.#parked > 0;
  }

  /** Whether anything was raised since the last call. */
  takeRaised(): boolean {
    const raised = this.#raised;
    this.#raised = false;
    return raised;
  }

  /** Whether a packet that has found its megaflow must still wait for parked ones before it. */
  isBehind(signature: number): boolean {
    const bits = signature & SIGNATURE_BITS;
    return this.#behind[bits] > 0 && this.#overrun[bits] === 0;
  }

  /** Packet i has no megaflow: parks it. */
  miss(burst: Burst, i: number, signature: number): void {
    const port = burst.inPort[i];
    const bits = signature & SIGNATURE_BITS;
    if (this.#behind[bits] >= BEHIND_MAX) {
      this.#lose(port, DROP_UPCALL_QUOTA);
      return;
    }
    if (!this.#admit(port)) return;
    this.#park(burst.at[i], port, bits);
    if (++this.#behind[bits] === BEHIND_MAX) this.#overrun[bits] = 1;
    const size = burst.size[i];
    this.#raise(burst.at[i], size, port, UPCALL_MISS, 0, size, burst.keys, i * KEY_WORDS);
  }

  userspace(burst: Burst, i: number, reason: number, cookie: number, maxSize: number): void {
    const port = burst.inPort[i];
    if (!this.#admit(port)) return;
    const full = burst.size[i] + burst.bodySize[i];
    const size = Math.min(full, maxSize + VNET_SIZE);
    const at = this.#copy(burst.at[i], burst.size[i], burst.bodyAt[i], size);
    if (at < 0) {
      this.#ports.drop(port, DROP_NO_BUFFER);
      return;
    }
    this.#park(at, port, NO_SIGNATURE);
    this.#raise(at, size, port, reason, cookie, full, burst.keys, i * KEY_WORDS);
  }

  transmit(port: number, at: number, size: number, at2: number, size2: number): void {
    if (!this.#admit(port)) return;
    const copy = this.#copy(at, size, at2, size + size2);
    if (copy < 0) {
      this.#ports.drop(port, DROP_NO_BUFFER);
      return;
    }
    this.#park(copy, port, NO_SIGNATURE);
    this.#raise(copy, size + size2, port, UPCALL_TRANSMIT, 0, size + size2, undefined, 0);
  }

  portFailed(port: number, errno: number): void {
    if (((this.#head - Atomics.load(this.#upcalls, RING_TAIL)) | 0) >= UPCALL_MAX) return;
    this.#raise(0, 0, port, UPCALL_PORT_FAILED, errno, 0, undefined, 0);
  }

  get hasAnswer(): boolean {
    return Atomics.load(this.#answers, RING_HEAD) !== this.#tail;
  }

  /** The next answer, into `at`, `size`, `port`, `from`, `end`; its slot is in hand again. */
  next(): boolean {
    while (this.hasAnswer) {
      let record = RING_DATA + (this.#tail & (ANSWER_WORDS - 1));
      if (this.#answers[record] === 0) {
        this.#tail = (this.#tail + ANSWER_WORDS - (this.#tail & (ANSWER_WORDS - 1))) | 0;
        record = RING_DATA;
      }
      this.at = this.#answers[record + 1];
      this.size = this.#answers[record + 2];
      this.port = this.#answers[record + 3];
      this.from = record + 4;
      this.end = record + this.#answers[record];
      this.#tail = (this.#tail + this.#answers[record]) | 0;
      if (this.#take()) return true;
    }
    return false;
  }

  /** Gets hold of the answer's frame. */
  #take(): boolean {
    if (slotOf(this.at) >= this.#slotPort.length) {
      this.at = this.#copy(this.at, this.size, 0, this.size);
      if (this.at < 0) this.#ports.drop(this.port & (ANSWER_INJECT - 1), DROP_NO_BUFFER);
      return this.at >= 0;
    }
    // The successor of a worker that died has not parked what the answer is about.
    if (!this.#slots.adopt(this.at)) return false;
    this.#unpark(this.at);
    return true;
  }

  /** The answers seen so far have been executed: their words may be written again. */
  answered(): void {
    if (this.#tail === this.#published) return;
    this.#published = this.#tail;
    Atomics.store(this.#answers, RING_TAIL, this.#tail);
  }

  #admit(port: number): boolean {
    const room = Math.min(PARKED_MAX - this.#parked, this.#slots.freeCount >> 1);
    if (room <= 0) {
      this.#lose(port, DROP_UPCALL_FULL);
      return false;
    }
    if (this.#parkedOf[port] >= room) {
      this.#lose(port, DROP_UPCALL_QUOTA);
      return false;
    }
    return true;
  }

  #lose(port: number, reason: number): void {
    this.lost++;
    this.#ports.drop(port, reason);
  }

  #park(at: number, port: number, signature: number): void {
    const slot = slotOf(at);
    this.#slots.park(at);
    this.#slotPort[slot] = port;
    this.#slotSignature[slot] = signature;
    this.#parkedOf[port]++;
    this.#parked++;
  }

  #unpark(at: number): void {
    const slot = slotOf(at);
    const signature = this.#slotSignature[slot];
    this.#parkedOf[this.#slotPort[slot]]--;
    this.#parked--;
    if (signature !== NO_SIGNATURE && --this.#behind[signature] === 0) this.#overrun[signature] = 0;
  }

  /** The first `size` bytes of a one- or two-segment frame in a fresh slot. @returns its place or -1 */
  #copy(at: number, size1: number, at2: number, size: number): number {
    const copy = this.#slots.take();
    if (copy < 0) return -1;
    const { bytes } = this.#arena;
    const first = Math.min(size1, size);
    bytes.copyWithin(copy, at, at + first);
    if (size > first) bytes.copyWithin(copy + first, at2, at2 + size - first);
    return copy;
  }

  #raise(
    at: number,
    size: number,
    port: number,
    reason: number,
    cookie: number,
    fullSize: number,
    keys: Int32Array | undefined,
    k: number,
  ): void {
    const row = RING_DATA + (this.#head & (UPCALL_MAX - 1)) * UPCALL_ROW;
    const ring = this.#upcalls;
    ring[row + UPCALL_AT] = at;
    ring[row + UPCALL_SIZE] = size;
    ring[row + UPCALL_PORT] = port;
    ring[row + UPCALL_REASON] = reason;
    ring[row + UPCALL_COOKIE] = cookie;
    ring[row + UPCALL_FULL_SIZE] = fullSize;
    if (keys !== undefined) {
      for (let w = 0; w < KEY_WORDS; w++) ring[row + UPCALL_KEY + w] = keys[k + w];
    }
    this.#head = (this.#head + 1) | 0;
    Atomics.store(ring, RING_HEAD, this.#head);
    this.#raised = true;
  }
}
