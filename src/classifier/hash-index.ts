/**
 * A hash table from 32-bit hashes to items, several items per hash allowed: the
 * caller hashes, and the caller compares.
 *
 * Open addressing with linear probing, deletion by shifting back, so a probe
 * ends at the first empty slot and an index that shrank leaves no tombstones.
 * Slots are numbers and a probe allocates nothing:
 *
 *   for (let slot = index.find(hash); slot >= 0; slot = index.next(slot)) ... index.items[slot]
 *
 * A probe takes as long as a Map's does (10 ns among 10,000); what a Map lacks
 * is several items for one key without a list object for each.
 */

/** What stands in a slot without an item; `usableHash` keeps hashes off it. */
const EMPTY = 0;
const SMALLEST = 4;

/** A hash as the index takes it: any number but 0. */
export function usableHash(hash: number): number {
  return hash === EMPTY ? 1 : hash | 0;
}

export class HashIndex<Item> {
  size = 0;
  /** The item of a slot that `find` or `next` returned; any other entry is stale or absent. */
  items: (Item | undefined)[] = new Array(SMALLEST);
  #hashes = new Int32Array(SMALLEST);
  #slotMask = SMALLEST - 1;

  /** @returns the first slot that holds this hash, or -1 */
  find(hash: number): number {
    return this.#probe(hash & this.#slotMask, hash);
  }

  /** @returns the next slot with the same hash, or -1 */
  next(slot: number): number {
    return this.#probe((slot + 1) & this.#slotMask, this.#hashes[slot]);
  }

  add(hash: number, item: Item): void {
    if (this.size * 4 >= this.#hashes.length * 3) this.#resize(this.#hashes.length * 2);
    this.#place(hash, item);
    this.size++;
  }

  /** Empties a slot; other items may move, so slots found before are no longer good. */
  removeAt(slot: number): void {
    const hashes = this.#hashes;
    let hole = slot;
    for (let at = this.#after(hole); hashes[at] !== EMPTY; at = this.#after(at)) {
      if (!this.#mayFill(hole, at)) continue;
      hashes[hole] = hashes[at];
      this.items[hole] = this.items[at];
      hole = at;
    }
    hashes[hole] = EMPTY;
    this.items[hole] = undefined;
    this.size--;
    if (this.size * 8 < hashes.length && hashes.length > SMALLEST) this.#resize(hashes.length / 2);
  }

  #probe(start: number, hash: number): number {
    const hashes = this.#hashes;
    for (let slot = start; ; slot = (slot + 1) & this.#slotMask) {
      const here = hashes[slot];
      if (here === hash) return slot;
      if (here === EMPTY) return -1;
    }
  }

  #after(slot: number): number {
    return (slot + 1) & this.#slotMask;
  }

  /** Whether the item at `at` would still be found if it stood in the hole before it. */
  #mayFill(hole: number, at: number): boolean {
    const home = this.#hashes[at] & this.#slotMask;
    return ((at - home) & this.#slotMask) >= ((at - hole) & this.#slotMask);
  }

  #place(hash: number, item: Item | undefined): void {
    let slot = hash & this.#slotMask;
    while (this.#hashes[slot] !== EMPTY) slot = this.#after(slot);
    this.#hashes[slot] = hash;
    this.items[slot] = item;
  }

  #resize(capacity: number): void {
    const hashes = this.#hashes;
    const items = this.items;
    this.#hashes = new Int32Array(capacity);
    this.items = new Array(capacity);
    this.#slotMask = capacity - 1;
    for (let slot = 0; slot < hashes.length; slot++) {
      if (hashes[slot] !== EMPTY) this.#place(hashes[slot], items[slot]);
    }
  }
}
