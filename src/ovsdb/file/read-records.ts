/**
 * Reads a database file's records in order, in slices: a file may be large, a
 * compacted one has all its data in one record.
 *
 * Nothing in the file is trusted. The first thing that is wrong ends the
 * reading: what follows cannot be told apart from rubbish. The complaints are
 * worded as stock servers word them.
 */
import { createHash } from 'node:crypto';
import { TapflowError } from '../../lib/error.ts';
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { JsonStream, parseJson } from '../../lib/json-text.ts';
import { Slices } from '../../lib/slices.ts';
import { MAGIC, MAX_HEADER_SIZE, parseHeader, type RecordHeader } from './record-format.ts';

export interface ReadRecord {
  readonly json: JsonObject;
  /** Offset of the byte after it. */
  readonly end: number;
}

/** An open file, or what reads like one. */
export interface RecordSource {
  read(
    buffer: Buffer,
    offset: number,
    length: undefined,
    position: number,
  ): Promise<{ bytesRead: number }>;
}

/**
 * @param name of the file, for messages
 * @param size bytes to read; what is appended meanwhile is not looked at
 * @throws TapflowError BAD_RECORD at the first record that is not whole and sound
 */
export async function* readRecords(
  file: RecordSource,
  name: string,
  size: number,
): AsyncGenerator<ReadRecord, void, void> {
  const slices = new Slices();
  const window = new FileWindow(file, size);
  let offset = 0;
  while (offset < size) {
    const record = await readRecord(window, name, offset, slices);
    yield record;
    offset = record.end;
    await slices.breathe();
  }
}

async function readRecord(
  window: FileWindow,
  name: string,
  offset: number,
  slices: Slices,
): Promise<ReadRecord> {
  const line = firstLine(await window.read(offset, MAX_HEADER_SIZE));
  const header = parseHeader(line);
  if (header === undefined || header.magic !== MAGIC) {
    throw badHeader(name, offset, line, header);
  }
  const start = offset + line.length + 1;
  const body = await window.read(start, header.length);
  if (body.length < header.length) {
    const what = `${name}: error reading ${header.length} bytes starting at offset ${start}`;
    throw badRecord(`I/O error: ${what} (End of file)`);
  }
  const place = `${name}: ${header.length} bytes starting at offset ${start}`;
  await checkSum(body, header.sha1, place, slices);
  return { json: await parseBody(body, place, slices), end: start + header.length };
}

/** Without its line end, one byte a character. */
function firstLine(bytes: Buffer): string {
  const end = bytes.indexOf(LINE_FEED);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}

async function checkSum(body: Buffer, expected: string, place: string, slices: Slices) {
  const hash = createHash('sha1');
  for (const piece of pieces(body)) {
    hash.update(piece);
    await slices.breathe();
  }
  const found = hash.digest('hex');
  if (found === expected) return;
  throw badSyntax(`${place} have SHA-1 hash ${found} but should have hash ${expected}`);
}

async function parseBody(body: Buffer, place: string, slices: Slices): Promise<JsonObject> {
  let json: Json;
  try {
    json = (await parseLarge(body, slices)) ?? parseJson(body, { maxBytes: body.length });
  } catch (error) {
    throw badSyntax(`${place} are not valid JSON (${(error as Error).message})`);
  }
  if (isObject(json)) return json;
  throw badSyntax(`${place} are not a JSON object`);
}

/** @returns undefined for what is parsed better in one go: a small text, or one with a fault to tell */
async function parseLarge(body: Buffer, slices: Slices): Promise<Json | undefined> {
  if (body.length <= PIECE) return undefined;
  const stream = new JsonStream({ maxBytes: body.length });
  const found: Json[] = [];
  for (const piece of pieces(body)) {
    found.push(...stream.feed(piece));
    await slices.breathe();
  }
  return found.length === 1 && stream.pendingBytes === 0 ? found[0] : undefined;
}

/** Part of a file, read ahead, so that small records take one read for many. */
class FileWindow {
  readonly #file: RecordSource;
  readonly #size: number;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: RecordSource, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** @returns that many bytes, or those up to the file's end; valid until the next call */
  async read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + length, this.#size);
    if (end > this.#start + this.#bytes.length) await this.#fill(offset, end);
    return this.#bytes.subarray(offset - this.#start, end - this.#start);
  }

  async #fill(offset: number, end: number): Promise<void> {
    const size = Math.min(Math.max(end - offset, READ_AHEAD), this.#size - offset);
    const buffer = Buffer.allocUnsafeSlow(size);
    const filled = await readFully(this.#file, buffer, offset);
    this.#start = offset;
    this.#bytes = buffer.subarray(0, filled);
  }
}

async function readFully(file: RecordSource, buffer: Buffer, offset: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, undefined, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

function badHeader(
  name: string,
  offset: number,
  line: string,
  header: RecordHeader | undefined,
): TapflowError {
  if (offset > 0)
    return badSyntax(`${name}: parse error at offset ${offset} in header line "${line}"`);
  if (header?.magic === 'CLUSTER') {
    return badRecord(
      `ovsdb error: ${name}: a clustered database, of which there is no support: convert it with ovsdb-tool cluster-to-standalone`,
    );
  }
  return badRecord(`ovsdb error: ${name}: unexpected file format`);
}

const badSyntax = (what: string): TapflowError => badRecord(`syntax error: ${what}`);

const badRecord = (message: string): TapflowError => new TapflowError('BAD_RECORD', message);

const LINE_FEED = 0x0a;

/** Bytes that are hashed or parsed in a millisecond or less. */
const PIECE = 64 * 1024;

const READ_AHEAD = 1024 * 1024;
