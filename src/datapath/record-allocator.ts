/**
 * Where flow records live: blocks of a few sizes, cut from the start of the
 * region and kept on a free list by size afterwards. A block never changes its
 * size, so a stale reference always points to the start of some record, whose
 * mask number and key tell whether it is the right one.
 */

/** Words; multiples of a cache line. */
const SIZES = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096, 8192, 16384] as const;

export class RecordAllocator {
  readonly #end: number;
  /** Word 0 is never a record: 0 means none. */
  #next = SIZES[0];
  readonly #free: number[][] = SIZES.map(() => []);
  readonly #classOf = new Map<number, number>();

  constructor(words: number) {
    this.#end = words;
  }

  /** @returns index of the first word, or 0 when there is no room */
  take(words: number): number {
    const size = SIZES.findIndex((candidate) => candidate >= words);
    if (size < 0) return 0;
    const free = this.#free[size].pop();
    if (free !== undefined) return free;
    if (this.#next + SIZES[size] > this.#end) return 0;
    const record = this.#next;
    this.#next += SIZES[size];
    // Nearly all records are of the smallest class; only the others are noted.
    if (size > 0) this.#classOf.set(record, size);
    return record;
  }

  free(record: number): void {
    this.#free[this.#classOf.get(record) ?? 0].push(record);
  }
}
