/**
 * Finds where a JSON object or array ends in a stream of bytes, in one pass
 * and without making anything: it follows strings, escapes and nesting only.
 * What it finds is not yet known to be JSON.
 *
 * On the way it notes whether the text is `plain`: JSON.parse then reads it
 * just as json-parser.ts would, and faster. Not plain are \u escapes (NUL and
 * lone surrogates must be refused), numbers that may leave the safe integers
 * (16 digits or an exponent) and signs (a JSON.parse keeps minus zero).
 */
export class JsonScanner {
  plain = true;
  readonly #maxDepth: number;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Digits in a row, up to here. */
  #digits = 0;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /** For the next message. */
  reset(): void {
    this.plain = true;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#digits = 0;
  }

  /**
   * Goes on at `bytes[start]`, the message's first byte or where the last call stopped.
   *
   * @returns the offset after the byte that ends the message, or that makes it
   *   hopeless (then it is not plain); -1 when more is needed
   */
  scan(bytes: Uint8Array, start: number): number {
    let at = start;
    while (at < bytes.length) {
      if (this.#inString) at = this.#scanString(bytes, at);
      else if (this.#ends(bytes[at++])) return at;
    }
    return -1;
  }

  #scanString(bytes: Uint8Array, start: number): number {
    let at = start;
    if (this.#escaped) {
      if (bytes[at++] === LETTER_U) this.plain = false;
      this.#escaped = false;
    }
    while (at < bytes.length && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++;
    if (at === bytes.length) return at;
    if (bytes[at] === QUOTE) this.#inString = false;
    else this.#escaped = true;
    return at + 1;
  }

  /** Takes a byte outside of strings. */
  #ends(byte: number): boolean {
    const kind = KINDS[byte];
    if (kind === DIGIT) {
      if (++this.#digits > SAFE_DIGITS) this.plain = false;
      return this.#depth === 0 && this.#giveUp();
    }
    if (kind === SIGN || (kind === EXPONENT && this.#digits > 0)) this.plain = false;
    this.#digits = 0;
    if (kind === OPEN) return ++this.#depth > this.#maxDepth && this.#giveUp();
    if (kind === CLOSE) return --this.#depth <= 0;
    if (kind === STRING) this.#inString = true;
    return this.#depth === 0 && this.#giveUp();
  }

  #giveUp(): boolean {
    this.plain = false;
    return true;
  }
}

/** Any integer of so many digits is exact in a double. */
const SAFE_DIGITS = 15;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

const DIGIT = 1;
const SIGN = 2;
const EXPONENT = 3;
const OPEN = 4;
const CLOSE = 5;
const STRING = 6;

/** What a byte outside of strings means here, by its value; 0: nothing. */
const KINDS = new Uint8Array(256);
for (const [characters, kind] of [
  ['0123456789', DIGIT],
  ['-', SIGN],
  ['eE', EXPONENT],
  ['{[', OPEN],
  ['}]', CLOSE],
  ['"', STRING],
] as const) {
  for (const character of characters) KINDS[character.charCodeAt(0)] = kind;
}
