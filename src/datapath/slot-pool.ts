/**
 * The free slots of a worker's arena. Worker-local.
 *
 *   free  --offer, accept / take-->  in hand  --offer-->  free
 *                             |  keep
 *                             v
 *                          parked  --adopt-->  in hand
 *
 * A slot in hand is given back by the next `offer`, just before the native
 * call that sends whatever was queued from it; a parked slot belongs to the slow path
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

  /**
   * Before the native call: gives all slots in hand back, unless parked, and
   * writes up to `most` free slots' places into list[from ..].
   *
   * The call sends before it receives, so a slot whose frame it sends can be
   * offered for the next: the same few slots, in the nearest caches, do all the
   * work. (TCP super-frames: 1.3 times the CPU time per gigabyte without.)
   *
   * @returns how many
   */
  offer(list: Int32Array, from: number, most: number): number {
    this.#release();
    const count = Math.min(most, this.#freeCount);
    for (let i = 0; i < count; i++) list[from + i] = slotAt(this.#free[this.#freeCount - 1 - i]);
    return count;
  }

  /** After the native call: of the `offered` slots in list[from ..], the first `used` are in hand. */
  accept(list: Int32Array, from: number, offered: number, used: number): void {
    this.#freeCount -= offered;
    for (let i = offered - 1; i >= used; i--)
      this.#free[this.#freeCount++] = slotOf(list[from + i]);
    for (let i = 0; i < used; i++) this.#inHand[this.#inHandCount++] = slotOf(list[from + i]);
  }

  /** The slot that holds byte `at` stays with the slow path. */
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
