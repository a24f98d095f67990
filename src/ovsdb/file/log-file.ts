/**
 * A database's file, in the standalone format of ovsdb(5): the schema, then a
 * record for each transaction, only ever appended to. This is the door to the
 * folder:
 *
 *     openLog, createLog   take the lock (lock.ts)
 *     read                 all records once, first thing (read-records.ts)
 *     append               the next transaction (append-queue.ts)
 *     compact              the same data in fewer bytes (replacement.ts)
 *
 * It knows records as JSON only. What the rows in them mean, and when it is
 * time to compact (compaction-policy.ts), is for the server.
 *
 * Killed at any moment, the file has every record that was acknowledged. What
 * a killed server left behind the last whole record is cut off by the next
 * append, so that a file opened by mistake is not changed.
 */
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import type { LockFile } from '../../daemon/pidfile.ts';
import { TapflowError } from '../../lib/error.ts';
import type { JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { OvsdbError } from '../data/ovsdb-error.ts';
import { AppendQueue } from './append-queue.ts';
import { ioError } from './io-error.ts';
import { type Lock, lockDatabase } from './lock.ts';
import { readRecords } from './read-records.ts';
import { encodeRecord } from './record-format.ts';
import { Replacement, type Snapshot } from './replacement.ts';

export interface LogOptions {
  /** Native's; without it the file is opened for reading, whoever has the lock. */
  lockFile?: LockFile;
  /** Takes a line about what is wrong with the file, and what becomes of it. */
  warn: (line: string) => void;
}

/**
 * Opens a database file; `read` comes next.
 *
 * @throws TapflowError LOCKED when a server has it, BAD_RECORD when it is no
 *   plain file, else with errno's name for a code
 */
export async function openLog(name: string, { lockFile, warn }: LogOptions): Promise<LogFile> {
  const file = await inWords(`${name}: open failed`, () => realpath(name));
  const lock = lockFile && lockDatabase(file, lockFile);
  try {
    const { handle, size } = await inWords(`${name}: open failed`, () => openFile(file, lock));
    return new LogFile(file, { handle, size, lock, warn });
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/**
 * Makes a database file with a schema and no rows. When this resolves it is on
 * the disk; until then there is no file of that name.
 *
 * @throws TapflowError EEXIST when there is one, LOCKED, or errno's name
 */
export async function createLog(
  name: string,
  schema: JsonObject,
  { lockFile, warn }: Required<LogOptions>,
): Promise<LogFile> {
  const directory = await inWords(`${name}: create failed`, () => realpath(path.dirname(name)));
  const file = path.join(directory, path.basename(name));
  const lock = lockDatabase(file, lockFile);
  try {
    const { handle, size } = await inWords(`${name}: create failed`, () => writeNew(file, schema));
    const log = new LogFile(file, { handle, size, lock, warn });
    await log.begin();
    return log;
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
}

export class LogFile {
  /** Absolute, without links. */
  readonly path: string;
  readonly #lock: Lock | undefined;
  readonly #warn: (line: string) => void;
  readonly #file: OpenFile;
  #queue: AppendQueue | undefined;
  #compaction: Promise<void> | undefined;
  #baseSize = 0;
  #recordsSinceBase = 0;

  constructor(
    filePath: string,
    {
      handle,
      size,
      lock,
      warn,
    }: OpenFile & { lock: Lock | undefined; warn: (line: string) => void },
  ) {
    this.path = filePath;
    this.#file = { handle, size };
    this.#lock = lock;
    this.#warn = warn;
  }

  /** Bytes that count. */
  get size(): number {
    return this.#queue?.end ?? this.#file.size;
  }

  /** Bytes that its first data took: what it was compacted to last, as far as one can tell. */
  get baseSize(): number {
    return this.#baseSize;
  }

  /** Transactions after those. */
  get recordsSinceBase(): number {
    return this.#recordsSinceBase;
  }

  /**
   * Hands over all records in order, the schema first.
   *
   * A record that is damaged, or that `apply` refuses with an OvsdbError, ends
   * the database there, with a warning; the first append cuts it off, with
   * whatever follows.
   *
   * @param apply takes a record, and its number from 0 on
   * @throws TapflowError BAD_RECORD when the schema is damaged; what `apply` throws about it
   */
  async read(apply: (record: JsonObject, index: number) => void): Promise<void> {
    const { handle, size } = this.#file;
    let end = 0;
    let count = 0;
    try {
      for await (const record of readRecords(handle, this.path, size)) {
        apply(record.json, count);
        end = record.end;
        this.#countRead(count++, end);
      }
      if (count === 0) throw badFile(`${this.path}: cannot identify file type`);
    } catch (error) {
      if (count === 0 || !isRefusal(error)) throw ioError(`${this.path}: read failed`, error);
      this.#warn(error.message);
      this.#warn(`${this.path}: ${size - end} bytes after offset ${end} are not used`);
    }
    this.#beginAt(end);
  }

  /** For a file just made: what `read` does for others. */
  async begin(): Promise<void> {
    this.#countRead(0, this.#file.size);
    await this.#beginAt(this.#file.size, true).append([], true);
  }

  /**
   * Appends a transaction. Records are written in the order of the calls.
   *
   * When it fails, so do all that were called for and are not yet written, and
   * the file is as if none had been. Later ones may succeed again.
   *
   * @param isDurable resolves only when the record outlives a power failure
   * @throws TapflowError READ_ONLY, or errno's name, such as ENOSPC
   */
  async append(record: JsonObject, isDurable: boolean): Promise<void> {
    await this.#writable().append(encodeRecord(formatJson(record)), isDurable);
    this.#recordsSinceBase++;
  }

  /**
   * Puts in the file's place one with the same data in one record, and what
   * was appended meanwhile: appending goes on, but for the last moment.
   *
   * @param snapshot the database after all that has been appended, failed appends undone
   * @throws TapflowError COMPACTING, READ_ONLY, or errno's name; the file is as
   *   before then, unless it was the directory that could not be synced
   */
  async compact(snapshot: Snapshot): Promise<void> {
    const queue = this.#writable();
    if (this.#compaction !== undefined) {
      throw new TapflowError('COMPACTING', `${this.path} is being compacted already`);
    }
    this.#compaction = this.#compact(queue, snapshot);
    try {
      await this.#compaction;
    } finally {
      this.#compaction = undefined;
    }
  }

  /** Waits for what is being appended, gives up compacting, and gives the lock back. */
  async close(): Promise<void> {
    await (this.#queue ?? this.#file.handle).close();
    await this.#compaction?.catch(() => {});
    this.#lock?.release();
  }

  async #compact(queue: AppendQueue, snapshot: Snapshot): Promise<void> {
    const start = await queue.settle();
    const before = this.#recordsSinceBase;
    const base = await inWords(`${this.path}: compaction failed`, () =>
      this.#replace(queue, snapshot, start),
    );
    this.#baseSize = base;
    this.#recordsSinceBase -= before;
    await queue.append([], true);
  }

  /** @returns the size of the snapshot */
  async #replace(queue: AppendQueue, snapshot: Snapshot, start: number): Promise<number> {
    const next = await Replacement.open(this.path);
    try {
      await next.writeSnapshot(snapshot);
      await next.file.sync();
      const base = next.size;
      const copied = await catchUp(queue, next, start);
      await queue.replace(async () => {
        await next.copy(queue.file, copied, queue.end);
        await next.commit();
        return { file: next.file, end: next.size };
      });
      return base;
    } catch (error) {
      await next.discard();
      throw error;
    }
  }

  /** The first transaction, too, belongs to the base: in a compacted file it is all the data. */
  #countRead(index: number, end: number): void {
    if (index <= 1) this.#baseSize = end;
    else this.#recordsSinceBase++;
  }

  #beginAt(end: number, isNew = false): AppendQueue {
    const { handle, size } = this.#file;
    this.#queue = new AppendQueue(
      this.path,
      { file: handle, end },
      { hasTail: end !== size, isNew },
    );
    return this.#queue;
  }

  #writable(): AppendQueue {
    if (this.#lock === undefined) {
      throw new TapflowError('READ_ONLY', `${this.path} is open for reading only`);
    }
    if (this.#queue === undefined) throw new TypeError('read the log before appending to it');
    return this.#queue;
  }
}

async function openFile(file: string, lock: Lock | undefined): Promise<OpenFile> {
  // Asked before opening: to open a named pipe is to wait for its other end.
  if (!(await stat(file)).isFile()) throw badFile(`${file}: unexpected file format`);
  const handle = await open(file, lock ? 'r+' : 'r');
  return { handle, size: (await handle.stat()).size };
}

async function writeNew(file: string, schema: JsonObject): Promise<OpenFile> {
  if (await exists(file)) throw EXISTS;
  const replacement = await Replacement.open(file);
  try {
    await replacement.writeSchema(schema);
    await replacement.commit();
  } catch (error) {
    await replacement.discard();
    throw error;
  }
  return { handle: replacement.file, size: replacement.size };
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** Copies what is appended while copying, until little is left. @returns where it stopped */
async function catchUp(queue: AppendQueue, next: Replacement, start: number): Promise<number> {
  let copied = start;
  while (queue.end - copied > LITTLE) {
    const { end } = queue;
    await next.copy(queue.file, copied, end);
    copied = end;
  }
  return copied;
}

async function inWords<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw ioError(what, error);
  }
}

/** As against a disk that cannot be read, or a mistake of ours. */
function isRefusal(error: unknown): error is Error {
  return (
    error instanceof OvsdbError || (error instanceof TapflowError && error.code === 'BAD_RECORD')
  );
}

/** As node:fs would have it; renaming, unlike creating, does not find out. */
const EXISTS = { code: 'EEXIST', errno: -constants.errno.EEXIST };

const badFile = (message: string): TapflowError =>
  new TapflowError('BAD_RECORD', `ovsdb error: ${message}`);

/** Bytes that take no time to copy. */
const LITTLE = 64 * 1024;
