/**
 * JSON text that comes from outside, and goes there: values out of a stream of
 * bytes in which they follow each other without a delimiter (JSON-RPC on a
 * socket), values out of one text (a file's record, a command's argument), and
 * values to text.
 *
 * Reading has two ways. A message that is complete in the piece that brings it
 * is found by json-scanner.ts and read by JSON.parse. One that goes on beyond
 * its piece is given to json-parser.ts at once, so nothing is held, a fault is
 * seen as soon as it is there, and no call to `feed` works on more than the
 * piece it got: feed in pieces, and nothing blocks. The parser also reads what
 * JSON.parse would misread and words all errors, so the two ways never differ.
 *
 * Bytes are hostile: depth, size and number of containers are bounded, time is
 * linear in the bytes wherever they are cut, and BAD_JSON is the only error.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { TapflowError } from './error.ts';
import type { Json } from './json.ts';
import { JsonParser } from './json-parser.ts';
import { JsonScanner } from './json-scanner.ts';

export { formatJson } from './json-format.ts';

export interface JsonLimits {
  /**
   * Bytes of one value. The default, 64 MiB, takes a whole database of 100,000
   * rows in one transaction (`ovsdb-client restore`), and the values made of
   * it stay below half a gigabyte whatever they are.
   */
  maxBytes?: number;
  /** Objects and arrays inside each other; the default is Open vSwitch's 1000. */
  maxDepth?: number;
  /** Members of one object, behind which it goes on in another: see json-members.ts. The default is no limit. */
  maxMembers?: number;
}

export const DEFAULT_MAX_BYTES = 64 << 20;
const DEFAULT_MAX_DEPTH = 1000;
/** Objects and arrays that any message may have. */
const FEW_CONTAINERS = 65536;

/** Objects and arrays, one after the other, out of a stream of bytes. */
export class JsonStream {
  readonly #maxBytes: number;
  readonly #maxDepth: number;
  readonly #maxMembers: number | undefined;
  readonly #scanner: JsonScanner;
  /** Reads the message that goes on beyond the piece it began in. */
  #parser: JsonParser | undefined;
  /** Bytes of that message, up to here. */
  #size = 0;

  constructor(limits: JsonLimits = {}) {
    this.#maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#maxDepth = limits.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.#maxMembers = limits.maxMembers;
    this.#scanner = new JsonScanner(this.#maxDepth);
  }

  /** How much of a value that is not complete has arrived. */
  get pendingBytes(): number {
    return this.#size;
  }

  /**
   * Yields the values that these bytes complete, each when it is asked for:
   * take them all before feeding on. `bytes` may be reused after that.
   *
   * @throws TapflowError BAD_JSON after the values before the fault; the
   *   stream cannot be used any further then
   */
  *feed(bytes: Uint8Array): Generator<Json, void, undefined> {
    const piece = asBuffer(bytes);
    for (let at = 0; at < piece.length; ) {
      if (this.#parser === undefined) at = skipSpace(piece, at);
      if (at === piece.length) return;
      const next = this.#parser === undefined ? this.#begin(piece, at) : this.#goOn(piece, at);
      if (next === undefined) return;
      at = next.end;
      yield next.value;
    }
  }

  #begin(piece: Buffer, start: number): Found | undefined {
    this.#scanner.reset();
    const end = this.#scanner.scan(piece, start);
    if (end < 0) {
      this.#parser = newParser(this.#maxBytes, this.#maxDepth, this.#maxMembers);
      return this.#goOn(piece, start);
    }
    if (end - start > this.#maxBytes) throw tooLong(this.#maxBytes);
    const text = piece.subarray(start, end);
    return { value: readValue(text, this.#scanner.plain, this.#maxBytes, this.#maxDepth), end };
  }

  #goOn(piece: Buffer, start: number): Found | undefined {
    const next = this.#parser?.parse(piece, start);
    this.#size += (next?.end ?? piece.length) - start;
    if (this.#size > this.#maxBytes) throw tooLong(this.#maxBytes);
    if (next !== undefined) {
      this.#parser = undefined;
      this.#size = 0;
    }
    return next;
  }
}

interface Found {
  value: Json;
  /** The offset after its last byte. */
  end: number;
}

/**
 * Reads a text that is one object or array.
 *
 * @throws TapflowError BAD_JSON: "line 0, column 4, byte 4: " and what is wrong
 */
export function parseJson(text: string | Uint8Array, limits: JsonLimits = {}): Json {
  const { maxBytes = DEFAULT_MAX_BYTES, maxDepth = DEFAULT_MAX_DEPTH } = limits;
  const bytes = typeof text === 'string' ? Buffer.from(text) : asBuffer(text);
  if (bytes.length > maxBytes) throw tooLong(maxBytes);
  const scanner = new JsonScanner(maxDepth);
  const end = scanner.scan(bytes, skipSpace(bytes, 0));
  const isPlain = scanner.plain && end >= 0 && skipSpace(bytes, end) === bytes.length;
  return readValue(bytes, isPlain, maxBytes, maxDepth);
}

function readValue(text: Buffer, isPlain: boolean, maxBytes: number, maxDepth: number): Json {
  return (isPlain ? readPlain(text) : undefined) ?? readExactly(text, maxBytes, maxDepth);
}

/** @returns undefined when something is wrong with it */
function readPlain(text: Buffer): Json | undefined {
  try {
    if (isAscii(text)) return JSON.parse(text.toString('latin1')) as Json;
    return isUtf8(text) ? (JSON.parse(text.toString('utf8')) as Json) : undefined;
  } catch {
    return undefined;
  }
}

function readExactly(text: Buffer, maxBytes: number, maxDepth: number): Json {
  const parser = newParser(maxBytes, maxDepth);
  const found = parser.parse(text, 0);
  if (found === undefined) throw parser.unexpectedEnd();
  parser.checkRest(text, found.end);
  return found.value;
}

/** The smallest containers that OVSDB uses have eight bytes: "a":["set",[]], is two. */
function newParser(maxBytes: number, maxDepth: number, maxMembers = Infinity): JsonParser {
  const maxContainers = Math.max(maxBytes / 8, FEW_CONTAINERS);
  return new JsonParser({ maxDepth, maxContainers, maxMembers });
}

function tooLong(maxBytes: number): TapflowError {
  return new TapflowError('BAD_JSON', `the message is longer than ${maxBytes} bytes`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isSpace(bytes[at])) at++;
  return at;
}

const isSpace = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
