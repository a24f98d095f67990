/**
 * A database as the server has it: in memory (database/), in its file (file/),
 * with transactions that wait for something to change, and with monitors.
 *
 * A transaction's way: it is carried out at once, or parked while a "wait"
 * waits; its changes go to the log; once the log has them it is acknowledged
 * (commit-line.ts): monitors learn of it, then its client.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { schemaToJson } from '../data/schema.ts';
import type { TransactionChanges } from '../database/changes.ts';
import type { Database, TransactReply } from '../database/database.ts';
import { recordOf, storedRow } from '../database/file-record.ts';
import type { Row } from '../database/row.ts';
import { CompactionPolicy } from '../file/compaction-policy.ts';
import type { LogFile } from '../file/log-file.ts';
import type { Snapshot } from '../file/replacement.ts';
import { noLog, type RpcLog } from '../rpc/log.ts';
import { CommitLine } from './commit-line.ts';
import { failureJson, failureText } from './failure.ts';
import { Monitors } from './monitors.ts';

export interface HostedOptions {
  readonly clock: Clock;
  /** Without it, the database is gone when the server ends. */
  readonly file?: LogFile;
  readonly log?: RpcLog;
}

export interface TransactionRequest {
  readonly operations: readonly Json[];
  readonly isReadOnly: boolean;
  ownsLock(lock: string): boolean;
  /** It is carried out, and the answer will follow: nothing cancels it any more. */
  executed(): void;
  answer(results: readonly Json[]): void;
}

interface Parked {
  readonly request: TransactionRequest;
  readonly created: number;
  /** Milliseconds after that. */
  readonly until: number;
  cancelTimer(): void;
}

export class HostedDatabase {
  readonly name: string;
  readonly database: Database;
  readonly file: LogFile | undefined;
  readonly monitors: Monitors;
  /** Called when monitors have something to tell. */
  onNews: () => void = () => {};
  /** Called when changes have been acknowledged. */
  onChange: (changes: TransactionChanges) => void = () => {};
  /** What went wrong with the file last, until something is written again. */
  failure: string | undefined;
  readonly #clock: Clock;
  readonly #log: RpcLog;
  readonly #line: CommitLine;
  readonly #policy: CompactionPolicy;
  readonly #parked = new Map<TransactionRequest, Parked>();
  #isRetrying = false;
  #mustRetry = false;
  #compaction: Promise<void> | undefined;

  constructor(database: Database, { clock, file, log = noLog }: HostedOptions) {
    this.name = database.schema.name;
    this.database = database;
    this.file = file;
    this.#clock = clock;
    this.#log = log;
    this.#line = new CommitLine(database, (failure) => this.#undone(failure));
    this.monitors = new Monitors((table) => this.#line.acknowledgedRows(table));
    this.#policy = new CompactionPolicy(clock);
  }

  /** Whether it is the server's own, which clients only read. */
  get isReserved(): boolean {
    return this.name.startsWith('_');
  }

  /** Transactions that wait. */
  get waiting(): number {
    return this.#parked.size;
  }

  transact(request: TransactionRequest): void {
    this.#try(request, this.#clock.now(), 0);
  }

  /** The server's own changes: of its own database, of its remotes' status. */
  write(operations: readonly Json[]): void {
    const reply = this.database.transact(operations);
    if (reply.blockedUntil === undefined) this.#commit(reply, () => {});
  }

  /** @returns whether it waited, and does no more */
  cancel(request: TransactionRequest): boolean {
    this.#parked.get(request)?.cancelTimer();
    return this.#parked.delete(request);
  }

  acknowledgedRows(table: string): Iterable<Row> {
    return this.#line.acknowledgedRows(table);
  }

  /** Makes the file as small as its data. @throws TapflowError */
  async compact(): Promise<void> {
    await this.#compaction?.catch(() => {});
    if (this.file === undefined) return;
    this.#compaction = this.file.compact(this.#snapshot()).finally(() => {
      this.#compaction = undefined;
    });
    let isDone = false;
    try {
      await this.#compaction;
      isDone = true;
    } finally {
      this.#policy.restart(isDone);
    }
  }

  /** Waits until the file has what it is to have, and lets it go. */
  async close(): Promise<void> {
    for (const request of [...this.#parked.keys()]) this.cancel(request);
    await this.file?.close();
  }

  #try(request: TransactionRequest, created: number, elapsed: number): void {
    const { operations, isReadOnly, ownsLock } = request;
    const access = isReadOnly ? 'reads' : this.isReserved ? 'reserved' : 'all';
    const reply = this.database.transact(operations, { access, ownsLock, elapsed });
    if (reply.blockedUntil === undefined) {
      request.executed();
      this.#commit(reply, (results) => request.answer(results));
    } else {
      this.#park(request, created, reply.blockedUntil);
    }
  }

  #park(request: TransactionRequest, created: number, until: number): void {
    const left = created + until - this.#clock.now();
    const cancelTimer = Number.isFinite(left) ? this.#wakeAfter(left, request) : () => {};
    this.#parked.set(request, { request, created, until, cancelTimer });
  }

  #wakeAfter(ms: number, request: TransactionRequest): () => void {
    const wait = Math.min(Math.max(Math.ceil(ms), 0), LONGEST_TIMER);
    return this.#clock.after(wait, () => this.#retry(request));
  }

  #retry(request: TransactionRequest): void {
    const parked = this.#parked.get(request);
    if (parked === undefined) return;
    this.cancel(request);
    // At least 1: a first try is told by 0.
    const elapsed = Math.max(1, Math.floor(this.#clock.now() - parked.created));
    this.#try(request, parked.created, elapsed);
  }

  /** Those that are carried out make others try again. */
  #retryAll(): void {
    this.#mustRetry = true;
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    while (this.#mustRetry && this.#parked.size > 0) {
      this.#mustRetry = false;
      for (const request of [...this.#parked.keys()]) this.#retry(request);
    }
    this.#mustRetry = false;
    this.#isRetrying = false;
  }

  #commit(reply: TransactReply, answer: (results: readonly Json[]) => void): void {
    const { changes, comment, durable, results } = reply;
    const record = changes && this.file && recordOf(changes, Date.now(), comment);
    this.#line.add({
      changes,
      written: record && this.file?.append(record, durable),
      done: (failure) => {
        if (failure !== undefined) answer([...results, failureJson(failure)]);
        else {
          if (changes !== undefined) this.#acknowledged(changes);
          answer(results);
        }
      },
    });
    if (changes !== undefined) this.#retryAll();
  }

  #acknowledged(changes: TransactionChanges): void {
    this.failure = undefined;
    if (this.monitors.publish(changes)) this.onNews();
    this.onChange(changes);
    if (this.file !== undefined && this.#policy.isDue(this.file)) void this.#compactInBackground();
  }

  #undone(failure: unknown): void {
    this.failure = failureText(failure);
    this.#log('err', `${this.name}: transactions are undone: ${failureText(failure)}`);
    this.#retryAll();
  }

  async #compactInBackground(): Promise<void> {
    if (this.#compaction !== undefined) return;
    try {
      await this.compact();
    } catch (error) {
      this.#log('warn', `${this.name}: compaction failed: ${failureText(error)}`);
    }
  }

  /** Rows are immutable: a list of them stays what it is. */
  #snapshot(): Snapshot {
    const { schema } = this.database;
    const tables = [...schema.tables.keys()].map((name) => {
      const rows = [...this.database.rows(name).values()];
      return [name, storedRows(rows)] as const;
    });
    const heading = { _date: Date.now(), _comment: 'compacting database online' };
    return { schema: schemaToJson(schema), heading, tables };
  }
}

function* storedRows(rows: readonly Row[]) {
  for (const row of rows) yield [row.uuid, storedRow(row)] as const;
}

/** What setTimeout takes; a wait that is longer is looked at again then. */
const LONGEST_TIMER = 2 ** 31 - 1;
