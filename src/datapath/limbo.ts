/**
 * Where the flow table keeps what it has retired (records, mask numbers, a
 * table region) until every worker has passed the epoch it was retired in:
 * they may still be looking at it. Main thread only.
 *
 * Three numbers an entry in one array, oldest first, because a change of rules
 * can retire a hundred thousand flows at once: no object or closure for each.
 * Under steady change it is never empty, so what is done is cut off as well.
 */
import { isEarlier } from './shared-state.ts';

/** Epoch, kind and number. */
const ENTRY = 3;

export class Limbo {
  readonly #free: (kind: number, number: number) => void;
  #entries: number[] = [];
  #first = 0;

  /** @param free is told of each entry, in order; both numbers are the caller's */
  constructor(free: (kind: number, number: number) => void) {
    this.#free = free;
  }

  get isEmpty(): boolean {
    return this.#first === this.#entries.length;
  }

  /** @param epoch not earlier than that of any entry before */
  add(epoch: number, kind: number, number: number): void {
    this.#entries.push(epoch, kind, number);
  }

  /** Frees what was added in an epoch before `epoch`. */
  reclaim(epoch: number): void {
    while (!this.isEmpty && isEarlier(this.#entries[this.#first], epoch)) {
      const at = this.#first;
      this.#first += ENTRY;
      this.#free(this.#entries[at + 1], this.#entries[at + 2]);
    }
    if (this.#first * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
