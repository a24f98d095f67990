/**
 * Keeps a message that can repeat at will (a peer's bad requests, say) from
 * filling the log: a token bucket per kind of message, in stock's measure of
 * messages a minute and a burst. What was dropped is told, in stock's words,
 * before the next message of its kind that passes.
 */

/** Tokens that a message costs: the rate, per minute, is added each millisecond. */
const MESSAGE_TOKENS = 60_000;

export class RateLimit {
  readonly #rate: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAt: number | undefined;
  #dropped: { count: number; first: number; last: number } | undefined;

  /** @param burst messages that pass at once after a quiet time */
  constructor(perMinute: number, burst: number) {
    this.#rate = perMinute;
    this.#capacity = burst * MESSAGE_TOKENS;
    this.#tokens = this.#capacity;
  }

  /** @param now milliseconds, monotonic. @returns whether the message may be logged; if not, it is counted */
  admit(now: number): boolean {
    this.#fill(now);
    if (this.#tokens >= MESSAGE_TOKENS) {
      this.#tokens -= MESSAGE_TOKENS;
      return true;
    }
    this.#dropped ??= { count: 0, first: now, last: now };
    this.#dropped.count++;
    this.#dropped.last = now;
    return false;
  }

  /** After `admit`: the message about those dropped since the last one, once. */
  takeReport(now: number): string | undefined {
    const dropped = this.#dropped;
    this.#dropped = undefined;
    if (dropped === undefined) return undefined;
    const ago = (then: number) => Math.floor(now / 1000) - Math.floor(then / 1000);
    return `Dropped ${dropped.count} log messages in last ${ago(dropped.first)} seconds (most recently, ${ago(dropped.last)} seconds ago) due to excessive rate`;
  }

  #fill(now: number): void {
    const elapsed = Math.max(0, Math.floor(now) - (this.#filledAt ?? Math.floor(now)));
    this.#filledAt = Math.floor(now);
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsed * this.#rate);
  }
}
