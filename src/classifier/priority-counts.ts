/**
 * The priorities in use in a subtable, each with the number of its rules, so
 * that the highest is known after every change.
 *
 * A sorted array: rule sets have few priorities or are written top to bottom,
 * so most changes are at an end, and the rest move a block of memory.
 */

/** `highest` of an empty subtable: below any priority, and a small integer like them. */
export const NO_PRIORITY = -0x40000000;

export class PriorityCounts {
  highest = NO_PRIORITY;
  /** Ascending. */
  readonly #priorities: number[] = [];
  readonly #counts: number[] = [];

  get isEmpty(): boolean {
    return this.#priorities.length === 0;
  }

  /** @returns whether the highest priority changed */
  add(priority: number): boolean {
    const at = this.#find(priority);
    if (this.#priorities[at] === priority) {
      this.#counts[at]++;
      return false;
    }
    this.#priorities.splice(at, 0, priority);
    this.#counts.splice(at, 0, 1);
    return this.#noteHighest();
  }

  /** The priority must be in use. @returns whether the highest changed */
  remove(priority: number): boolean {
    const at = this.#find(priority);
    if (--this.#counts[at] > 0) return false;
    this.#priorities.splice(at, 1);
    this.#counts.splice(at, 1);
    return this.#noteHighest();
  }

  #noteHighest(): boolean {
    const before = this.highest;
    this.highest = this.#priorities.at(-1) ?? NO_PRIORITY;
    return this.highest !== before;
  }

  /** Where the priority stands, or would have to be put. */
  #find(priority: number): number {
    let low = 0;
    let high = this.#priorities.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#priorities[middle] < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
