/**
 * A file that takes another's place, whole or not at all: written beside it as
 * NAME.tmp, synced, then renamed over it. Whoever is killed on the way leaves
 * the old file as it was, and NAME.tmp for the next one to throw away.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import type { Json, JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { Slices } from '../../lib/slices.ts';
import { encodeHeader, encodeRecord } from './record-format.ts';
import { writeFully } from './write.ts';

/** All that a database holds at one moment. It must not change while it is written. */
export interface Snapshot {
  readonly schema: JsonObject;
  /** First members of the record with the data, such as `_date` and `_comment`; none of a table's name. */
  readonly heading: JsonObject;
  /** The rows of each table by uuid, as a record has new rows. */
  readonly tables: Iterable<readonly [table: string, rows: Rows]>;
}

type Rows = Iterable<readonly [uuid: string, row: JsonObject]>;

export class Replacement {
  readonly file: FileHandle;
  readonly #path: string;
  #size = 0;

  /** @param path of the file whose place is taken, if there is one yet */
  static async open(path: string): Promise<Replacement> {
    await removeIfThere(temporary(path));
    const replacement = new Replacement(await open(temporary(path), 'wx+', MODE), path);
    try {
      await replacement.#takeAttributes();
      return replacement;
    } catch (error) {
      await replacement.discard();
      throw error;
    }
  }

  private constructor(file: FileHandle, path: string) {
    this.file = file;
    this.#path = path;
  }

  /** Bytes written. */
  get size(): number {
    return this.#size;
  }

  async write(bytes: readonly Buffer[]): Promise<void> {
    this.#size += await writeFully(this.file, bytes, this.#size);
  }

  async writeSchema(schema: JsonObject): Promise<void> {
    await this.write(encodeRecord(formatJson(schema)));
  }

  /** Writes what a compacted database has: the schema, and one record with all rows. */
  async writeSnapshot({ schema, heading, tables }: Snapshot): Promise<void> {
    await this.writeSchema(schema);
    const body = new LargeBody();
    for (const text of recordText(heading, tables)) await body.add(text);
    await this.write(body.end());
  }

  /** Appends what another file has between two offsets. */
  async copy(from: FileHandle, start: number, end: number): Promise<void> {
    for (let at = start; at < end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(end - at, COPY_SIZE));
      const { bytesRead } = await from.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error(`the file ends at ${at}, before ${end}`);
      await this.write([buffer.subarray(0, bytesRead)]);
      at += bytesRead;
    }
  }

  /** Takes the place. It is safe from a power failure when the directory is synced as well. */
  async commit(): Promise<void> {
    await this.file.sync();
    await rename(temporary(this.#path), this.#path);
  }

  /** Throws away what has not been committed. */
  async discard(): Promise<void> {
    await this.file.close();
    await removeIfThere(temporary(this.#path));
  }

  /** Whoever could read the old file can read the new one. */
  async #takeAttributes(): Promise<void> {
    const old = await stat(this.#path).catch(() => undefined);
    if (old === undefined) return;
    // Only root may give files away.
    await this.file.chown(old.uid, old.gid).catch(() => {});
    await this.file.chmod(old.mode & 0o7777);
  }
}

/** The body of a record, of which the header must know length and hash: in memory until its end. */
class LargeBody {
  readonly #slices = new Slices();
  readonly #hash = createHash('sha1');
  readonly #buffers: Buffer[] = [];
  #size = 0;
  #text = '';

  async add(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length < BODY_PIECE) return;
    this.#flush();
    await this.#slices.breathe();
  }

  /** @returns the record */
  end(): Buffer[] {
    this.#text += '\n';
    this.#flush();
    return [encodeHeader(this.#size, this.#hash.digest('hex')), ...this.#buffers];
  }

  #flush(): void {
    const buffer = Buffer.from(this.#text);
    this.#hash.update(buffer);
    this.#buffers.push(buffer);
    this.#size += buffer.length;
    this.#text = '';
  }
}

function* recordText(heading: JsonObject, tables: Snapshot['tables']): Generator<string> {
  let separator = '{';
  for (const [name, value] of Object.entries(heading)) {
    yield separator + member(name, value);
    separator = ',';
  }
  for (const [table, rows] of tables) {
    const hasRows = yield* tableText(`${separator}${JSON.stringify(table)}:{`, rows);
    if (hasRows) separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}

/** @returns whether there are rows: a table without them is left out */
function* tableText(opening: string, rows: Rows): Generator<string, boolean> {
  let separator = opening;
  for (const [uuid, row] of rows) {
    yield separator + member(uuid, row);
    separator = ',';
  }
  if (separator === opening) return false;
  yield '}';
  return true;
}

const member = (name: string, value: Json): string =>
  `${JSON.stringify(name)}:${formatJson(value)}`;

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

const temporary = (path: string): string => `${path}.tmp`;

/** Before umask; that of stock servers. */
const MODE = 0o660;

/** Characters of a body that are encoded, and hashed, at once. */
const BODY_PIECE = 64 * 1024;
const COPY_SIZE = 1024 * 1024;
