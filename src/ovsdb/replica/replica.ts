/**
 * A copy of a database, or of some of its tables and columns, in this process:
 * what the server's clients read, and what edit.ts makes transactions from.
 *
 *   connection ----> get_schema, monitor ----> whole copy ----> updates, in order
 *       ^                                                            |
 *       +---------------- lost, or an update makes no sense ---------+
 *
 * What the server says is carried out in the order in which it came, and in
 * slices (copy.ts), so it goes through a queue: a new connection's copy stands
 * in it before the updates that follow it, and an answer to `transact` behind
 * the update that the server sent before it.
 */
import { type Clock, persistentClock } from '../../lib/clock.ts';
import { TapflowError } from '../../lib/error.ts';
import type { Json } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { Slices } from '../../lib/slices.ts';
import { ZERO_UUID } from '../data/atom.ts';
import { isArray } from '../data/json-kinds.ts';
import { OvsdbError } from '../data/ovsdb-error.ts';
import { type DatabaseSchema, parseSchema } from '../data/schema.ts';
import type { TransactionChanges } from '../database/changes.ts';
import type { Row } from '../database/row.ts';
import { RpcClient, RpcError } from '../rpc/client.ts';
import { noLog, type RpcLog } from '../rpc/log.ts';
import type { StreamOpener } from '../rpc/session.ts';
import { Copy } from './copy.ts';
import { ReplicaLock } from './lock.ts';
import {
  type MonitoredTables,
  monitorRequests,
  readNotification,
  startMonitor,
  type TableUpdates,
} from './monitor.ts';

export interface ReplicaOptions {
  /** Such as "Open_vSwitch". */
  database: string;
  /** What to copy, as far as the server has it; the default is everything. */
  tables?: MonitoredTables;
  /** The remote, for messages. */
  name: string;
  log?: RpcLog;
  /** The default's timers keep the process alive until `close`. */
  clock?: Clock;
  /** Milliseconds; 0: no probes. */
  probeInterval?: number;
  /** Connections to try; the default is no limit. */
  maxTries?: number;
  /** Milliseconds. */
  maxBackoff?: number;
  /**
   * Called after each update, whole, that changed something: the first copy
   * is one, and so is what a new connection brings.
   */
  changed?(changes: TransactionChanges): void;
  connected?(): void;
  /** The connection is lost, or an attempt failed: see `isAlive`. The reason is as in error-text.ts. */
  disconnected?(reason: string | undefined): void;
  /** The lock was got, or lost. */
  lockChanged?(hasLock: boolean): void;
}

export class Replica {
  readonly #options: ReplicaOptions;
  readonly #log: RpcLog;
  readonly #client: RpcClient;
  readonly #lock: ReplicaLock;
  readonly #first = deferred();
  #copy: Copy | undefined;
  #schemaText = '';
  #lastId = ZERO_UUID;
  #wasConnected = false;
  #connection: ConnectionState = { isSynced: false };
  /** Resolves when all that has come so far is carried out. */
  #idle: Promise<void> = Promise.resolve();
  #queued = 0;
  #slices = new Slices(SLICE_MS);

  /** @param open usually connectStream of a remote */
  constructor(open: StreamOpener, options: ReplicaOptions) {
    this.#options = options;
    this.#log = options.log ?? noLog;
    this.#first.promise.catch(() => {});
    const { database, tables, ...session } = options;
    this.#client = new RpcClient(
      open,
      { clock: persistentClock, maxMembers: MAX_MEMBERS, ...session },
      {
        connected: () => this.#connected(),
        disconnected: (reason) => this.#disconnected(reason),
        notification: (method, params) => this.#notified(method, params),
      },
    );
    this.#lock = new ReplicaLock(this.#client, (hasLock) => options.lockChanged?.(hasLock));
  }

  /** The server's, of the copy in force; undefined until there is one. */
  get schema(): DatabaseSchema | undefined {
    return this.#copy?.schema;
  }

  /** By UUID; columns that are not copied have their defaults. A later copy may be another map: ask anew. */
  rows(table: string): ReadonlyMap<string, Row> {
    return this.#copy?.rows(table) ?? NO_ROWS;
  }

  /** False once the tries are used up, or after `close`: it will not connect any more. */
  get isAlive(): boolean {
    return this.#client.status().state !== 'VOID';
  }

  get isConnected(): boolean {
    return this.#client.status().isConnected;
  }

  /**
   * Resolves when there is a whole copy for the first time.
   * @throws TapflowError NO_DATABASE when it is not to come; CLOSED
   */
  synced(): Promise<void> {
    return this.#first.promise;
  }

  /**
   * @param operations RFC 7047 5.2
   * @returns their results, when what they changed is in `rows`
   * @throws TapflowError DISCONNECTED: whether it was carried out is unknown; RpcError
   */
  async transact(operations: readonly Json[]): Promise<readonly Json[]> {
    if (!this.#connection.isSynced) await this.#idle;
    const results = await this.#client.request('transact', [this.#options.database, ...operations]);
    await this.#idle;
    if (isArray(results)) return results;
    throw new TapflowError('BAD_REPLY', `${this.#options.name}: the answer to transact is no list`);
  }

  /** Asks for a lock, on this connection and each later one. RFC 7047 4.1.8. */
  lock(name: string): void {
    this.#lock.want(name);
    if (this.isConnected) this.#lock.request();
  }

  get hasLock(): boolean {
    return this.#lock.state === 'held';
  }

  /** Whether another client has the lock. */
  get isLockContended(): boolean {
    return this.#lock.state === 'contended';
  }

  forceReconnect(): void {
    this.#client.forceReconnect();
  }

  close(): void {
    this.#client.close();
    this.#first.reject(new TapflowError('CLOSED', `${this.#options.name}: the replica is closed`));
  }

  #connected(): void {
    this.#wasConnected = true;
    const connection = { isSynced: false };
    this.#connection = connection;
    this.#options.connected?.();
    this.#lock.request();
    this.#enqueue(connection, () => this.#synchronise(connection));
  }

  #disconnected(reason: string | undefined): void {
    this.#lock.lost();
    if (!this.isAlive) this.#fail(reason ?? this.#client.status().lastError);
    this.#wasConnected = false;
    this.#options.disconnected?.(reason);
  }

  /** For a server that was there and is of no use, stock gives no reason; the log has it. */
  #fail(reason: string = this.#wasConnected ? '' : TIMED_OUT): void {
    const message = `${this.#options.name}: database connection failed (${reason})`;
    this.#first.reject(new TapflowError('NO_DATABASE', message));
  }

  #notified(method: string, params: readonly Json[]): void {
    if (this.#lock.notified(method, params)) return;
    const connection = this.#connection;
    this.#enqueue(connection, async () => {
      const updates = connection.isSynced ? readNotification(method, params) : undefined;
      if (updates !== undefined && this.#copy) await this.#apply(this.#copy, updates);
    });
  }

  /** Carries out what the server said when all before it is done; a fault in it costs the connection. */
  #enqueue(connection: ConnectionState, act: () => Promise<void>): void {
    if (this.#queued++ === 0) this.#slices = new Slices(SLICE_MS);
    const done = this.#idle.then(act).catch((error) => this.#distrust(connection, error));
    this.#idle = done.finally(() => this.#queued--);
  }

  async #synchronise(connection: ConnectionState): Promise<void> {
    const { database, tables } = this.#options;
    const copy = this.#copyFor(await this.#client.request('get_schema', [database]));
    const requests = monitorRequests(copy.schema, tables);
    const updates = await startMonitor(this.#client, database, requests, this.#lastId);
    connection.isSynced = true;
    this.#slices = new Slices(SLICE_MS);
    await this.#apply(copy, updates);
    this.#first.resolve();
  }

  /** The copy there is, unless the schema is another. */
  #copyFor(schema: Json): Copy {
    const text = formatJson(schema);
    if (this.#copy !== undefined && text === this.#schemaText) return this.#copy;
    this.#schemaText = text;
    this.#lastId = ZERO_UUID;
    return new Copy(parseSchema(schema), this.#copy);
  }

  async #apply(copy: Copy, { json, update, isWhole, lastId }: TableUpdates): Promise<void> {
    const changes = isWhole
      ? await copy.replace(json, update, this.#slices)
      : await copy.apply(json, update, this.#slices);
    this.#copy = copy;
    this.#lastId = lastId ?? ZERO_UUID;
    if (changes.size > 0) this.#options.changed?.(changes);
  }

  #distrust(connection: ConnectionState, error: unknown): void {
    connection.isSynced = false;
    if (error instanceof RpcError || error instanceof OvsdbError) {
      this.#log('warn', `${this.#options.name}: ${error.message}`);
      this.#lastId = ZERO_UUID;
      if (connection === this.#connection) this.#client.forceReconnect();
    } else if (!(error instanceof TapflowError && error.code === 'DISCONNECTED')) {
      crash(error);
    }
  }
}

/** A bug, here or in who was told of changes: not for the queue, which goes on, to hide. */
function crash(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

interface ConnectionState {
  /** Whether `rows` is what the server said on it up to here. */
  isSynced: boolean;
}

const NO_ROWS: ReadonlyMap<string, Row> = new Map();
/** Of an object: V8 walks as many in a millisecond. No schema has as many tables or columns. */
const MAX_MEMBERS = 4096;
/** A scavenge while rows are made takes one or two more. */
const SLICE_MS = 2;
const TIMED_OUT = 'Connection timed out';

function deferred(): { promise: Promise<void>; resolve(): void; reject(error: Error): void } {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
