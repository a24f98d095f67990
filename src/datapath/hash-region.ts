/**
 * One of the megaflow hash table's two regions: an open-addressed table of
 * [hash, record] pairs, probed linearly, in shared memory. Written by the main
 * thread alone; workers read it (subtable.ts) while it changes, so an entry's
 * hash is stored before the record that makes it count.
 */
import { REMOVED } from './subtable.ts';

export class HashRegion {
  readonly region: number;
  readonly log2: number;
  /** Index of the first word, and entries less one. */
  readonly base: number;
  readonly limit: number;
  readonly #table: Int32Array;
  /** Entries that are not 0, removed ones included. */
  #used = 0;

  /** Clears the entries it will use. */
  constructor(table: Int32Array, region: number, log2: number) {
    this.#table = table;
    this.region = region;
    this.log2 = log2;
    this.base = regionBase(table, region);
    this.limit = 2 ** log2 - 1;
    table.fill(0, this.base, this.base + 2 * (this.limit + 1));
  }

  /** Half full: time to move into a larger region. */
  get crowded(): boolean {
    return this.#used * 2 > this.limit;
  }

  /** So full that probes would become long. */
  get full(): boolean {
    return this.#used * 8 > this.limit * 7;
  }

  insert(hash: number, record: number): void {
    let i = hash & this.limit;
    while (this.#table[this.base + 2 * i + 1] > 0) i = (i + 1) & this.limit;
    if (this.#table[this.base + 2 * i + 1] === 0) this.#used++;
    this.#table[this.base + 2 * i] = hash;
    Atomics.store(this.#table, this.base + 2 * i + 1, record);
  }

  insertOnce(hash: number, record: number): void {
    if (this.#find(hash, record) < 0) this.insert(hash, record);
  }

  remove(hash: number, record: number): void {
    this.replace(hash, record, REMOVED);
  }

  /** Does nothing if `old` is not there. */
  replace(hash: number, old: number, record: number): void {
    const at = this.#find(hash, old);
    if (at >= 0) Atomics.store(this.#table, at, record);
  }

  /** Index of the record's word, or -1. */
  #find(hash: number, record: number): number {
    for (let i = hash & this.limit; ; i = (i + 1) & this.limit) {
      const found = this.#table[this.base + 2 * i + 1];
      if (found === record) return this.base + 2 * i + 1;
      if (found === 0) return -1;
    }
  }
}

/** Index of a region's first word: each has half of the memory. */
export const regionBase = (table: Int32Array, region: number): number =>
  region * (table.length / 2);
