/**
 * A JSON parser that can stop after any byte: the exact and slower half of
 * json-text.ts. It takes a message in pieces, so a large one is read as it
 * arrives, each piece at its own cost, and it is the judge of what JSON.parse
 * refuses or would read otherwise.
 *
 * RFC 8259 with Open vSwitch's choices: the text is an object or an array, of
 * duplicate names the last wins, numbers are as in json-number.ts, NUL
 * characters and lone surrogates are refused. Bytes that are not UTF-8 are
 * refused as well, since a string could not give them back.
 *
 * A value is put in its place when it begins. So there is one stack, of the
 * containers that are open, and no recursion. The token that a piece's end cuts
 * through is held, strings without their escapes, until the rest is here.
 *
 * The file is longer than others: it is one state machine.
 */
import { isUtf8 } from 'node:buffer';
import { TapflowError } from './error.ts';
import type { Json } from './json.ts';
import { continuation } from './json-members.ts';
import { parseNumber } from './json-number.ts';

export interface JsonParserLimits {
  /** Objects and arrays inside each other. */
  maxDepth: number;
  /** Objects and arrays in all: they take up to twenty times their text's memory. */
  maxContainers: number;
  /** Members of an object, but the outermost: for more see json-members.ts. */
  maxMembers: number;
}

export class JsonParser {
  readonly #limits: JsonParserLimits;
  /** The containers around the next value, the innermost last. */
  #open: Container[] = [];
  #containers = 0;
  /** For each of them, how many members or elements it has. */
  #sizes: number[] = [];
  #expected = START;
  /** Of the member whose value comes next. */
  #name = '';

  /** What the next byte belongs to. */
  #token = NONE;
  /** The begun token: its first `#heldSize` bytes. Grows by doubling. */
  #held: Buffer = NOTHING;
  #heldSize = 0;
  /** All bytes of a string, or-ed: below 0x80 it is ASCII. */
  #bits = 0;
  #hexDigits = 0;
  #codeUnit = 0;
  /** A leading surrogate that waits for the trailing one, or 0. */
  #leading = 0;

  /** What to add to an offset in the piece for one in the message. */
  #shift = 0;
  #line = 0;
  #lineStart = 0;

  constructor(limits: JsonParserLimits) {
    this.#limits = limits;
  }

  /**
   * Goes on at `bytes[start]`.
   *
   * @returns the value and the offset after its last byte, or undefined when
   *   it goes on beyond `bytes`; the parser is spent after a value
   * @throws TapflowError BAD_JSON; the parser is spent then, too
   */
  parse(bytes: Buffer, start: number): { value: Json; end: number } | undefined {
    this.#shift -= start;
    for (let at = start; at < bytes.length; ) {
      at = this.#token === NONE ? this.#begin(bytes[at], at) : this.#goOn(bytes, at);
      if (this.#expected === END) return { value: this.#open[0], end: at };
    }
    this.#shift += bytes.length;
    return undefined;
  }

  /** For a text that ends here. */
  unexpectedEnd(): TapflowError {
    if (this.#expected === START) return this.#error('empty input stream', 0);
    const inString = this.#token !== NONE && this.#token < NUMBER;
    return this.#error(`unexpected end of input${inString ? ' in quoted string' : ''}`, 0);
  }

  /** Checks that nothing but blanks follows the value that ended before `bytes[end]`. */
  checkRest(bytes: Buffer, end: number): void {
    for (let at = end; at < bytes.length; at++) {
      if (bytes[at] === LINE_FEED) this.#countLine(at);
      if (!isSpace(bytes[at])) throw this.#error('trailing garbage at end of input', at);
    }
  }

  /** Takes the byte between two tokens, or the first of one. */
  #begin(byte: number, at: number): number {
    if (byte === LINE_FEED) this.#countLine(at);
    if (byte <= SPACE && isSpace(byte)) return at + 1;
    if (this.#expected === START && byte !== OPEN_BRACE && byte !== OPEN_BRACKET) this.#refuse(at);
    switch (byte) {
      case QUOTE:
        this.#token = STRING;
        return at + 1;
      case COMMA:
        return this.#comma(at);
      case COLON:
        return this.#colon(at);
      case OPEN_BRACE:
        return this.#enter({}, FIRST_NAME, at);
      case OPEN_BRACKET:
        return this.#enter([], FIRST_ELEMENT, at);
      case CLOSE_BRACE:
        return this.#leave(FIRST_NAME, at);
      case CLOSE_BRACKET:
        return this.#leave(FIRST_ELEMENT, at);
      default:
        return this.#beginWord(byte, at);
    }
  }

  #beginWord(byte: number, at: number): number {
    if ((BYTES[byte] & BEGINS_NUMBER) !== 0) this.#token = NUMBER;
    else if ((BYTES[byte] & BEGINS_KEYWORD) !== 0) this.#token = KEYWORD;
    else throw this.#error(`invalid character ${describeByte(byte)}`, at);
    return at;
  }

  #countLine(at: number): void {
    this.#line++;
    this.#lineStart = this.#shift + at + 1;
  }

  #comma(at: number): number {
    if (this.#expected !== NEXT) this.#refuse(at);
    this.#expected = Array.isArray(this.#innermost()) ? ELEMENT : NAME;
    return at + 1;
  }

  #colon(at: number): number {
    if (this.#expected !== AFTER_NAME) this.#refuse(at);
    this.#expected = VALUE;
    return at + 1;
  }

  #enter(container: Container, expected: number, at: number): number {
    if (this.#expected !== START) this.#place(container, at);
    if (this.#open.length >= this.#limits.maxDepth) {
      throw this.#error(`input exceeds maximum nesting depth ${this.#limits.maxDepth}`, at);
    }
    if (++this.#containers > this.#limits.maxContainers) {
      throw this.#error(`more than ${this.#limits.maxContainers} objects and arrays`, at);
    }
    this.#open.push(container);
    this.#sizes.push(0);
    this.#expected = expected;
    return at + 1;
  }

  /** @param whenEmpty what is expected in a container of this kind that has nothing yet */
  #leave(whenEmpty: number, at: number): number {
    const isKind = Array.isArray(this.#innermost()) === (whenEmpty === FIRST_ELEMENT);
    if (this.#expected !== whenEmpty && !(this.#expected === NEXT && isKind)) this.#refuse(at);
    this.#expected = this.#open.length === 1 ? END : NEXT;
    if (this.#expected === NEXT) this.#close();
    return at + 1;
  }

  #close(): void {
    this.#open.pop();
    this.#sizes.pop();
  }

  #innermost(): Container {
    return this.#open[this.#open.length - 1];
  }

  #placeString(text: string, at: number): void {
    if (this.#expected === FIRST_NAME || this.#expected === NAME) {
      this.#name = text;
      this.#expected = AFTER_NAME;
    } else {
      this.#place(text, at);
    }
  }

  #place(value: Json, at: number): void {
    if (this.#expected > LAST_VALUE) this.#refuse(at);
    const container = this.#innermost();
    if (Array.isArray(container)) container.push(value);
    else this.#placeMember(container, value);
    this.#expected = NEXT;
  }

  #placeMember(container: Members, value: Json): void {
    const top = this.#open.length - 1;
    if (++this.#sizes[top] > this.#limits.maxMembers && top > 0) {
      this.#sizes[top] = 0;
      const next = continuation(container);
      this.#open[top] = next;
      this.#placeMember(next, value);
    } else if (this.#name !== '__proto__') {
      container[this.#name] = value;
    } else {
      Object.defineProperty(container, '__proto__', { value, ...PLAIN_MEMBER });
    }
  }

  #goOn(bytes: Buffer, at: number): number {
    if (this.#token === STRING) return this.#goOnString(bytes, at);
    if (this.#token === ESCAPE) return this.#escape(bytes[at], at);
    if (this.#token === HEX) return this.#hex(bytes[at], at);
    return this.#goOnWord(bytes, at);
  }

  #goOnString(bytes: Buffer, start: number): number {
    let at = start;
    let bits = this.#bits;
    let byte = bytes[at];
    while (at < bytes.length && byte !== QUOTE && byte !== BACKSLASH && byte >= SPACE) {
      bits |= byte;
      byte = bytes[++at];
    }
    this.#bits = bits;
    if (this.#leading !== 0 && (at > start || byte !== BACKSLASH)) throw this.#loneSurrogate(at);
    if (at === bytes.length) return this.#hold(bytes, start, at);
    if (byte === QUOTE) {
      this.#placeString(this.#takeToken(bytes, start, at), at);
    } else if (byte === BACKSLASH) {
      this.#hold(bytes, start, at);
      this.#token = ESCAPE;
    } else {
      throw this.#error(`${describeUnit(byte)} must be escaped in quoted string`, at);
    }
    return at + 1;
  }

  #escape(byte: number, at: number): number {
    const letter = String.fromCharCode(byte);
    if (this.#leading !== 0 && letter !== 'u') throw this.#loneSurrogate(at);
    this.#token = letter === 'u' ? HEX : STRING;
    if (letter === 'u') return at + 1;
    const meaning = ESCAPES.get(letter);
    if (meaning === undefined) throw this.#error(`bad escape \\${letter}`, at);
    this.#holdText(meaning);
    return at + 1;
  }

  #hex(byte: number, at: number): number {
    const digit = HEX_DIGITS.indexOf(String.fromCharCode(byte).toLowerCase());
    if (digit < 0) throw this.#error('malformed \\u escape', at);
    this.#codeUnit = (this.#codeUnit << 4) | digit;
    if (++this.#hexDigits === 4) this.#endHex(at);
    return at + 1;
  }

  #endHex(at: number): void {
    const unit = this.#codeUnit;
    const leading = this.#leading;
    this.#codeUnit = 0;
    this.#hexDigits = 0;
    this.#token = STRING;
    this.#leading = 0;
    if (unit === 0) throw this.#error('null bytes not supported in quoted strings', at);
    if ((leading !== 0) !== isTrailing(unit)) throw this.#loneSurrogate(at);
    if (isLeading(unit)) this.#leading = unit;
    else if (leading === 0) this.#holdText(String.fromCharCode(unit));
    else this.#holdText(String.fromCharCode(leading, unit));
  }

  #loneSurrogate(at: number): TapflowError {
    return this.#error('malformed escaped surrogate pair', at);
  }

  /** A number or a keyword. */
  #goOnWord(bytes: Buffer, start: number): number {
    const isNumber = this.#token === NUMBER;
    const mask = isNumber ? IN_NUMBER : IN_KEYWORD;
    let at = start;
    while (at < bytes.length && (BYTES[bytes[at]] & mask) !== 0) at++;
    if (at === bytes.length) return this.#hold(bytes, start, at);
    const small = isNumber && this.#heldSize === 0 ? smallInteger(bytes, start, at) : -1;
    if (small >= 0) {
      this.#token = NONE;
      this.#place(small, at);
    } else {
      const text = this.#takeToken(bytes, start, at);
      this.#place(isNumber ? this.#number(text, at) : this.#keyword(text, at), at);
    }
    return at;
  }

  #number(text: string, at: number): number | bigint {
    const value = parseNumber(text);
    if (typeof value === 'string') throw this.#error(value, at);
    return value;
  }

  #keyword(text: string, at: number): null | boolean {
    const value = KEYWORDS.get(text);
    if (value === undefined) throw this.#error(`invalid keyword '${text.slice(0, 20)}'`, at);
    return value;
  }

  /** @returns the text of the token that ends before `bytes[end]` */
  #takeToken(bytes: Buffer, start: number, end: number): string {
    if (this.#heldSize > 0) this.#hold(bytes, start, end);
    const text =
      this.#heldSize > 0
        ? this.#decode(this.#held, 0, this.#heldSize, end)
        : this.#decode(bytes, start, end, end);
    this.#token = NONE;
    this.#bits = 0;
    this.#heldSize = 0;
    if (this.#held.length > LARGE_TOKEN) this.#held = NOTHING;
    return text;
  }

  #decode(bytes: Buffer, start: number, end: number, at: number): string {
    if (this.#bits < 0x80) return bytes.toString('latin1', start, end);
    if (!isUtf8(bytes.subarray(start, end))) {
      throw this.#error('quoted string is not valid UTF-8', at);
    }
    return bytes.toString('utf8', start, end);
  }

  /** @returns `end` */
  #hold(bytes: Buffer, start: number, end: number): number {
    const size = this.#heldSize + end - start;
    if (size > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(size * 2, SMALL_TOKEN));
      this.#held.copy(grown, 0, 0, this.#heldSize);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#heldSize, start, end);
    this.#heldSize = size;
    return end;
  }

  #holdText(text: string): void {
    const bytes = Buffer.from(text);
    this.#bits |= bytes[0];
    this.#hold(bytes, 0, bytes.length);
  }

  #refuse(at: number): never {
    const isArray = this.#expected === NEXT && Array.isArray(this.#innermost());
    throw this.#error(isArray ? "syntax error expecting ']' or ','" : FAULTS[this.#expected], at);
  }

  #error(what: string, at: number): TapflowError {
    const byte = this.#shift + at;
    const place = `line ${this.#line}, column ${byte - this.#lineStart}, byte ${byte}`;
    return new TapflowError('BAD_JSON', `${place}: ${what}`);
  }
}

type Members = { [name: string]: Json };
type Container = Json[] | Members;

// What may come next. Up to LAST_VALUE: a value.
const VALUE = 0;
const ELEMENT = 1;
const FIRST_ELEMENT = 2;
const LAST_VALUE = FIRST_ELEMENT;
const FIRST_NAME = 3;
const NAME = 4;
const AFTER_NAME = 5;
const NEXT = 6;
const START = 7;
const END = 8;

/** What to say when something else came, by what was expected. */
const FAULTS = [
  'syntax error expecting value',
  'syntax error expecting value',
  'syntax error expecting value',
  'syntax error parsing object expecting string',
  'syntax error parsing object expecting string',
  "syntax error parsing object expecting ':'",
  "syntax error expecting '}' or ','",
  'syntax error at beginning of input',
];

// What a byte belongs to: the tokens that a piece's end may cut through.
const NONE = 0;
const STRING = 1;
const ESCAPE = 2;
const HEX = 3;
const NUMBER = 4;
const KEYWORD = 5;

const PLAIN_MEMBER = { writable: true, enumerable: true, configurable: true };
const KEYWORDS = new Map<string, null | boolean>([
  ['null', null],
  ['true', true],
  ['false', false],
]);
const ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const HEX_DIGITS = '0123456789abcdef';

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const DIGIT_0 = 0x30;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

// What bytes are in the tokens that no quotes enclose.
const IN_NUMBER = 1;
const IN_KEYWORD = 2;
const BEGINS_NUMBER = 4;
const BEGINS_KEYWORD = 8;
const BYTES = new Uint8Array(256);
for (const [characters, bits] of [
  ['0123456789-', IN_NUMBER | BEGINS_NUMBER],
  ['.+', IN_NUMBER],
  ['abcdfghijklmnopqrstuvwxyz', IN_KEYWORD | BEGINS_KEYWORD],
  ['ABCDFGHIJKLMNOPQRSTUVWXYZ', IN_KEYWORD],
  ['e', IN_NUMBER | IN_KEYWORD | BEGINS_KEYWORD],
  ['E', IN_NUMBER | IN_KEYWORD],
] as const) {
  for (const character of characters) BYTES[character.charCodeAt(0)] = bits;
}

const NOTHING: Buffer = Buffer.alloc(0);
const SMALL_TOKEN = 64;
/** A buffer larger than this is not kept for the next token. */
const LARGE_TOKEN = 65536;

const isSpace = (byte: number): boolean =>
  byte === SPACE || byte === LINE_FEED || byte === 0x0d || byte === 0x09;
const isLeading = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isTrailing = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
const describeUnit = (byte: number): string =>
  `U+${byte.toString(16).toUpperCase().padStart(4, '0')}`;

function describeByte(byte: number): string {
  return byte > SPACE && byte < 0x7f
    ? `'${String.fromCharCode(byte)}'`
    : describeUnit(byte).toLowerCase().replace('u', 'U');
}

/** @returns -1 when it is not just a few digits */
function smallInteger(bytes: Buffer, start: number, end: number): number {
  if (end - start > SAFE_DIGITS || (bytes[start] === DIGIT_0 && end - start > 1)) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at] - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Any integer of so many digits is exact in a double. */
const SAFE_DIGITS = 15;
