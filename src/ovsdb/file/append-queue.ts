/**
 * The end of a database file that is appended to: records in the order they
 * come, each acknowledged when it is written or, if it has to be durable, when
 * the disk has it.
 *
 *     queue   [ r7 ][ r6 ][ r5 D ][ r4 ]     D: durable
 *                                 |  all that waits goes in one write,
 *                                 v  and one fdatasync if any is durable
 *     file    ...[ r1 ][ r2 ][ r3 ]|
 *                                  `#end: whatever is before is acknowledged
 *
 * While a batch is on its way others queue up for the next, so the slower the
 * disk, the more share a sync.
 *
 * A batch that fails is cut off the file again, at once or, if that fails as
 * well, before the next write: the file never keeps what was not acknowledged.
 * Records are changes of changes, so those queued behind fail with it.
 */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { TapflowError } from '../../lib/error.ts';
import { ioError } from './io-error.ts';
import { sizeOf, writeFully } from './write.ts';

/** What gives the queue another file to go on with. */
export interface Successor {
  readonly file: FileHandle;
  readonly end: number;
}

interface Entry {
  readonly bytes: readonly Buffer[];
  readonly isDurable: boolean;
  /** Takes its turn alone. */
  readonly task?: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class AppendQueue {
  readonly #path: string;
  #file: FileHandle;
  #end: number;
  /** Whether the file may have bytes after `#end`. */
  #hasTail: boolean;
  /** Whether the directory may not yet know, after a crash, which file has the name. */
  #isNew: boolean;
  #queue: Entry[] = [];
  #isBusy = false;
  #isTurnUsed = false;
  #isClosed = false;

  /**
   * @param file which the queue owns from now on
   * @param end where the next record goes
   * @param state hasTail: something follows that is to be cut off; isNew: the
   *   directory has not been synced since the file got its name
   */
  constructor(
    filePath: string,
    { file, end }: Successor,
    state: { hasTail: boolean; isNew: boolean },
  ) {
    this.#path = filePath;
    this.#file = file;
    this.#end = end;
    this.#hasTail = state.hasTail;
    this.#isNew = state.isNew;
  }

  /** Bytes of the file that are acknowledged. */
  get end(): number {
    return this.#end;
  }

  get file(): FileHandle {
    return this.#file;
  }

  /** @throws TapflowError with errno's name for a code, when it, or one before it, cannot be written */
  append(bytes: readonly Buffer[], isDurable: boolean): Promise<void> {
    return this.#enqueue({ bytes, isDurable });
  }

  /** Resolves, with the file's end then, when all that is queued now is acknowledged. */
  async settle(): Promise<number> {
    let end = 0;
    await this.#enqueue({
      bytes: [],
      isDurable: false,
      task: async () => {
        end = this.#end;
      },
    });
    return end;
  }

  /**
   * Goes on with another file, which `prepare` completes while nothing is appended. The first
   * durable record after that sees to it that the directory outlives a power failure with it.
   *
   * @throws what `prepare` throws; then it goes on as before
   */
  async replace(prepare: () => Promise<Successor>): Promise<void> {
    await this.#enqueue({
      bytes: [],
      isDurable: false,
      task: async () => {
        const old = this.#file;
        const { file, end } = await prepare();
        this.#file = file;
        this.#end = end;
        this.#hasTail = false;
        this.#isNew = true;
        await old.close().catch(() => {});
      },
    });
  }

  /** Waits for what is queued, then closes the file. Nothing is taken any more from the call on. */
  async close(): Promise<void> {
    const settled = this.settle().catch(() => {});
    this.#isClosed = true;
    await settled;
    await this.#file.close();
  }

  #enqueue(entry: Omit<Entry, 'resolve' | 'reject'>): Promise<void> {
    if (this.#isClosed) {
      return Promise.reject(new TapflowError('CLOSED', `${this.#path} has been closed`));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...entry, resolve, reject });
      if (!this.#isBusy) this.#begin();
    });
  }

  /**
   * The first record of a turn of the event loop is written at once; those that
   * follow in the same turn, from other clients, go in one write at its end.
   */
  #begin(): void {
    if (this.#isTurnUsed) return;
    this.#isTurnUsed = true;
    setImmediate(() => {
      this.#isTurnUsed = false;
      if (!this.#isBusy && this.#queue.length > 0) void this.#work();
    });
    void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      const [{ task }] = batch;
      try {
        await (task === undefined ? this.#write(batch) : task());
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failed = task === undefined ? [...batch, ...this.#queue.splice(0)] : batch;
        for (const { reject } of failed) reject(error);
      }
    }
    this.#isBusy = false;
  }

  /** A task, or what is queued up to the next one, as far as a write should be large. */
  #takeBatch(): Entry[] {
    let size = 0;
    const end = this.#queue.findIndex(({ bytes, task }, at) => {
      const isFull =
        at > 0 && (task !== undefined || this.#queue[0].task !== undefined || size > MAX_BATCH);
      size += sizeOf(bytes);
      return isFull;
    });
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end);
  }

  async #write(batch: readonly Entry[]): Promise<void> {
    try {
      if (this.#hasTail) await this.#cutTail();
      this.#hasTail = true;
      const size = await this.#writeBytes(batch.flatMap(({ bytes }) => bytes));
      if (batch.some(({ isDurable }) => isDurable)) await this.#sync();
      this.#end += size;
      this.#hasTail = false;
    } catch (error) {
      // What fails here is tried again before the next write.
      await this.#cutTail().catch(() => {});
      throw error;
    }
  }

  async #writeBytes(bytes: readonly Buffer[]): Promise<number> {
    try {
      return await writeFully(this.#file, bytes, this.#end);
    } catch (error) {
      throw ioError(`${this.#path}: write failed`, error);
    }
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.datasync();
      if (this.#isNew) await syncDirectory(path.dirname(this.#path));
      this.#isNew = false;
    } catch (error) {
      throw ioError(`${this.#path}: fsync failed`, error);
    }
  }

  async #cutTail(): Promise<void> {
    try {
      await this.#file.truncate(this.#end);
      this.#hasTail = false;
    } catch (error) {
      throw ioError(`${this.#path}: cannot truncate to length ${this.#end}`, error);
    }
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Bytes after which a batch takes no more records. */
const MAX_BATCH = 1024 * 1024;
