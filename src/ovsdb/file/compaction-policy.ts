/**
 * When a database file is compacted of itself, by the rules of
 * ovsdb-server(1): once it has more than doubled and is over 10 MB, but not
 * before 100 transactions and 10 to 20 minutes since the last time; after a
 * day with 100 transactions, whatever its size.
 */
import type { Clock } from '../../lib/clock.ts';

/** What of a LogFile matters here. */
export interface LogGrowth {
  readonly size: number;
  readonly baseSize: number;
  readonly recordsSinceBase: number;
}

export class CompactionPolicy {
  readonly #clock: Clock;
  readonly #random: () => number;
  #begun = 0;
  #notBefore = 0;

  /** @param random from 0 to 1: keeps several databases from being compacted all at once */
  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
    this.restart(true);
  }

  /** To be asked after each transaction. */
  isDue({ size, baseSize, recordsSinceBase }: LogGrowth): boolean {
    const now = this.#clock.now();
    if (now < this.#notBefore || recordsSinceBase < MIN_RECORDS) return false;
    const hasGrown = size > MIN_SIZE && size > 2 * baseSize;
    return hasGrown || now >= this.#begun + DAY;
  }

  /** Counts anew from here on. @param isDone false, when it failed: the next attempt comes sooner */
  restart(isDone: boolean): void {
    const pause = isDone ? PAUSE : PAUSE / 10;
    this.#begun = this.#clock.now();
    this.#notBefore = this.#begun + pause * (1 + this.#random());
  }
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const PAUSE = 10 * MINUTE;
const MIN_RECORDS = 100;
const MIN_SIZE = 10 * 1024 * 1024;
