/**
 * The microflow cache: from a signature, a hash of the words that tell one
 * connection from another, to the flow record that the last such packet used.
 * Two-way set-associative, 8 bytes an entry, worker-local.
 *
 * An entry is a hint: the caller verifies the record against the key with the
 * megaflow's own compare, so stale entries and colliding signatures cost a
 * miss and nothing else. A new entry takes the first way and pushes that one
 * to the second. When hits are rare (more connections than entries, or a
 * scan), only one miss in RARE_INSERT is inserted, so that the entries there
 * are live long enough to be used.
 */
export const MICROFLOW_LOG2 = 16;
const WINDOW = 4096;
const RARE_HITS = WINDOW / 8;
const RARE_INSERT = 8;

export class MicroflowCache {
  /** [signature, record] pairs; a set is two pairs. */
  readonly #entries: Int32Array;
  readonly #sets: number;
  #lookups = 0;
  #hits = 0;
  #rare = false;
  #skipped = 0;

  /** @param log2 entries, as a power of two */
  constructor(log2: number = MICROFLOW_LOG2) {
    this.#entries = new Int32Array(2 << log2);
    this.#sets = (1 << (log2 - 1)) - 1;
  }

  /** @returns a record that may be the right one, or 0 */
  lookup(signature: number): number {
    const at = (signature & this.#sets) << 2;
    if (this.#entries[at] === signature) return this.#entries[at + 1];
    if (this.#entries[at + 2] === signature) return this.#entries[at + 3];
    return 0;
  }

  /** After a miss that a megaflow answered. */
  insert(signature: number, record: number): void {
    if (this.#rare && ++this.#skipped % RARE_INSERT !== 0) return;
    const at = (signature & this.#sets) << 2;
    if (this.#entries[at] !== signature) {
      this.#entries[at + 2] = this.#entries[at];
      this.#entries[at + 3] = this.#entries[at + 1];
    }
    this.#entries[at] = signature;
    this.#entries[at + 1] = record;
  }

  /** Once a burst: how many packets looked, how many hit. */
  note(lookups: number, hits: number): void {
    this.#lookups += lookups;
    this.#hits += hits;
    if (this.#lookups < WINDOW) return;
    this.#rare = this.#hits < RARE_HITS;
    this.#lookups = 0;
    this.#hits = 0;
  }
}
