/**
 * The free slots of a worker's arena. Worker-local.
 *
 *   free  --offer/take-->  in hand  --turnOver-->  free
 *                             |  keep
 *                             v
 *                          parked  --adopt-->  in hand
 *
 * A slot in hand is given back by `turnOver`, after the native call that
 * flushed whatever was queued from it; a parked slot belongs to the slow path
 * until its answer comes. The free list is a stack: the slots used last are
 * the ones still in the CPU's cache, and the only ones that cost memory.
 */
import type { Slots } from './burst.ts';
import { slotAt, slotOf } from './shared-state.ts';

export class SlotPool implements Slots {
  readonly #free: Int32Array;
  #freeCount: number;
  readonly #inHand: Int32Array;
  #inHandCount = 0;
  /** 1 for each slot that is parked. */
  readonly #parked: Uint8Array;

  constructor(slots: number) {
    this.#free = new Int32Array(slots);
    for (let s = 0; s < slots; s++) this.#free[s] = slots - 1 - s;
    this.#freeCount = slots;
    this.#inHand = new Int32Array(slots);
    this.#parked = new Uint8Array(slots);
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  take(): number {
    if (this.#freeCount === 0) return -1;
    const slot = this.#free[--this.#freeCount];
    this.#inHand[this.#inHandCount++] = slot;
    return slotAt(slot);
  }

  /** Writes up to `most` free slots' places into list[from ..]. @returns how many */
  offer(list: Int32Array, from: number, most: number): number {
    const count = Math.min(most, this.#freeCount);
    for (let i = 0; i < count; i++) {
      list[from + i] = slotAt(this.#free[this.#freeCount - 1 - i]);
    }
    return count;
  }

  /**
   * After the native call: what was in hand has been sent and is free, unless
   * parked; of the `offered` slots in list[from ..], the first `used` are in
   * hand now.
   */
  turnOver(list: Int32Array, from: number, offered: number, used: number): void {
    // The offered ones are still on top of the stack: off with them first.
    this.#freeCount -= offered;
    this.#release();
    for (let i = offered - 1; i >= used; i--)
      this.#free[this.#freeCount++] = slotOf(list[from + i]);
    for (let i = 0; i < used; i++) this.#inHand[this.#inHandCount++] = slotOf(list[from + i]);
  }

  /** The slot that holds byte `at` stays out of `turnOver`. */
  park(at: number): void {
    this.#parked[slotOf(at)] = 1;
  }

  /** A parked slot is in hand again. @returns false if it was not parked */
  adopt(at: number): boolean {
    const slot = slotOf(at);
    if (this.#parked[slot] === 0) return false;
    this.#parked[slot] = 0;
    this.#inHand[this.#inHandCount++] = slot;
    return true;
  }

  #release(): void {
    for (let i = 0; i < this.#inHandCount; i++) {
      const slot = this.#inHand[i];
      if (this.#parked[slot] === 0) this.#free[this.#freeCount++] = slot;
    }
    this.#inHandCount = 0;
  }
}
