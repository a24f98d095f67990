/**
 * Cuts a byte stream into JSON objects that follow each other without a
 * delimiter, as unixctl and OVSDB send them.
 *
 * It tracks only strings, escapes and nesting; what it hands out is the text of
 * one object, which JSON.parse then judges. The stream is hostile until then:
 * size and depth are bounded, so neither memory nor JSON.parse's stack can be
 * made to grow.
 */
import { TapflowError } from '../lib/error.ts';

export interface SplitterLimits {
  /** Bytes of one object. */
  maxSize: number;
  /** Objects and arrays inside each other. */
  maxDepth: number;
}

export class JsonSplitter {
  readonly #limits: SplitterLimits;
  /** The object begun: its first `#heldSize` bytes. Grows by doubling, so bytes that trickle in stay cheap. */
  #held: Buffer = Buffer.alloc(0);
  #heldSize = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(limits: SplitterLimits) {
    this.#limits = limits;
  }

  /**
   * @returns the texts of the objects that this chunk completes, in order
   * @throws TapflowError BAD_JSON when the stream is not a row of objects
   *   within the limits; it cannot be used any further then
   */
  push(chunk: Buffer): string[] {
    const complete: string[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (this.#depth === 0 && isSpace(chunk[at])) {
        start = at + 1;
      } else if (this.#ends(chunk[at])) {
        complete.push(this.#take(chunk.subarray(start, at + 1)));
        start = at + 1;
      }
    }
    this.#hold(chunk.subarray(start));
    return complete;
  }

  /** Advances by one byte. @returns whether it ends an object */
  #ends(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return false;
    }
    if (this.#depth === 0 && byte !== OPEN_BRACE) {
      throw badJson(`an object was expected, not "${String.fromCharCode(byte)}"`);
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#deepen();
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return --this.#depth === 0;
    return false;
  }

  #deepen(): void {
    if (++this.#depth > this.#limits.maxDepth) {
      throw badJson(`nested deeper than ${this.#limits.maxDepth}`);
    }
  }

  #hold(rest: Buffer): void {
    const size = this.#heldSize + rest.length;
    if (size > this.#limits.maxSize) throw badJson(`longer than ${this.#limits.maxSize} bytes`);
    if (size > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(size * 2);
      this.#held.copy(grown, 0, 0, this.#heldSize);
      this.#held = grown;
    }
    rest.copy(this.#held, this.#heldSize);
    this.#heldSize = size;
  }

  #take(last: Buffer): string {
    this.#hold(last);
    const text = this.#held.toString('utf8', 0, this.#heldSize);
    this.#held = Buffer.alloc(0);
    this.#heldSize = 0;
    return text;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const isSpace = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function badJson(what: string): TapflowError {
  return new TapflowError('BAD_JSON', `the message cannot be read as JSON: ${what}`);
}
