/**
 * One client of the server: takes its requests, answers them, and tells it of
 * changes and locks. The connection may come from the client or be ours to a
 * manager, made anew when it is lost; then nothing of before holds.
 *
 * Answers go out in the order in which stock gives them: a transaction's when
 * it is acknowledged, any other at once. So while transactions are carried out
 * but not acknowledged, other requests wait, and with them the connection. The
 * updates that a client has coming go out before any answer.
 *
 * Everything that a client can make the server keep has a bound: what it sends
 * ahead, what it does not read (connection.ts, monitors.ts), and how many
 * monitors, waiting transactions and locks it has (requests.ts).
 */
import type { Duplex } from 'node:stream';
import type { Json, JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-format.ts';
import { OvsdbError, syntaxError } from '../data/ovsdb-error.ts';
import { schemaToJson } from '../data/schema.ts';
import type { Message, Notification, Request } from '../rpc/message.ts';
import type { ReconnectStatus } from '../rpc/reconnect.ts';
import { Session, type SessionOptions, type StreamOpener } from '../rpc/session.ts';
import type { Coverage } from './coverage.ts';
import type { HostedDatabase, TransactionRequest } from './hosted-database.ts';
import type { LockCounts, LockOwner, Locks } from './locks.ts';
import type { UpdateFormat } from './monitor-request.ts';
import { MonitorTable } from './monitor-table.ts';
import { awareness, checkLimit, findDatabase, lockName } from './requests.ts';

/** What clients share. */
export interface ServerState {
  readonly id: string;
  readonly databases: ReadonlyMap<string, HostedDatabase>;
  readonly locks: Locks;
  readonly coverage: Coverage;
}

export interface ClientOptions extends SessionOptions {
  isReadOnly?: boolean;
  /** It will not come back. */
  ended?(): void;
}

export class Client implements LockOwner {
  readonly name: string;
  readonly #server: ServerState;
  readonly #options: ClientOptions;
  readonly #session: Session;
  readonly #monitors = new MonitorTable((text) => this.#session.connection?.sendText(text));
  /** Transactions that may be canceled, by their requests' id. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #locks = new Set<string>();
  /** Transactions carried out and not answered. */
  #unanswered = 0;
  /** The request that waits for those. */
  #held: Request | undefined;
  /** Counts connections: an answer is for the one that the request came on. */
  #epoch = 0;
  #isDbChangeAware = false;

  constructor(source: Duplex | StreamOpener, server: ServerState, options: ClientOptions) {
    this.name = options.name;
    this.#server = server;
    this.#options = options;
    this.#session = new Session(source, options, {
      message: (message) => this.#receive(message),
      drain: () => this.#monitors.flush(),
      disconnected: () => this.#disconnected(),
    });
  }

  get isDbChangeAware(): boolean {
    return this.#isDbChangeAware;
  }

  get monitorCount(): number {
    return this.#monitors.count;
  }

  /** Bytes that wait to be sent. */
  get backlogBytes(): number {
    return this.#session.connection?.backlogBytes ?? 0;
  }

  status(): ReconnectStatus {
    return this.#session.status();
  }

  lockCounts(): LockCounts {
    return this.#server.locks.countsOf(this);
  }

  configure(options: { maxBackoff?: number; probeInterval?: number; isReadOnly?: boolean }): void {
    this.#options.isReadOnly = options.isReadOnly;
    this.#session.configure(options);
  }

  /**
   * Sends the updates it has coming, unless it is behind in reading: then they wait and merge.
   * @returns whether there were any
   */
  flush(): boolean {
    return this.#session.connection?.needsDrain === false && this.#monitors.flush();
  }

  /** @param reason for the log */
  reconnect(reason: string): void {
    if (this.#session.connection === undefined) return;
    this.#options.log?.('info', `${this.name}: disconnecting (${reason})`);
    this.#session.forceReconnect();
  }

  close(): void {
    this.#session.close();
    this.#disconnected();
  }

  /** Ends what it has to do with a database that is taken away. */
  forget(database: HostedDatabase): void {
    for (const id of this.#monitors.forget(database)) this.#notify('monitor_canceled', [id]);
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.database === database) this.#cancel(waiting);
    }
  }

  locked(name: string): void {
    this.#notify('locked', [name]);
  }

  stolen(name: string): void {
    this.#notify('stolen', [name]);
  }

  #receive(message: Message): void {
    if (message.type === 'request') this.#take(message);
    else if (message.type === 'notification') this.#noted(message);
    else {
      this.#options.log?.('warn', `${this.name}: received unexpected ${message.type} message`);
      this.#session.forceReconnect();
    }
  }

  #take(request: Request): void {
    const isTransaction = request.method === 'transact' && this.#unanswered < MAX_UNANSWERED;
    if (this.#unanswered === 0 || isTransaction) {
      this.#handle(request);
    } else {
      this.#held = request;
      this.#session.connection?.hold();
    }
  }

  #handle(request: Request): void {
    this.#server.coverage.count(request.method === 'transact' ? 'ovsdb_transact' : 'ovsdb_request');
    try {
      if (request.method === 'transact') this.#transact(request);
      else this.#reply(request, this.#resultOf(request));
    } catch (error) {
      if (!(error instanceof OvsdbError || error instanceof Refusal)) throw error;
      this.#refuse(request, error instanceof Refusal ? error.text : error.toJson());
    }
  }

  #resultOf(request: Request): Json {
    const { method, params } = request;
    const { databases, id } = this.#server;
    switch (method) {
      case 'list_dbs':
        return [...databases.keys()].sort();
      case 'get_schema':
        return schemaToJson(findDatabase(request, databases).database.schema);
      case 'get_server_id':
        return id;
      case 'monitor':
      case 'monitor_cond':
      case 'monitor_cond_since':
        return this.#monitors.add(request, findDatabase(request, databases), FORMATS[method]);
      case 'monitor_cond_change':
        return this.#monitors.change(request);
      case 'monitor_cancel':
        return this.#cancelMonitor(params);
      case 'lock':
      case 'steal':
        return this.#lock(request, method);
      case 'unlock':
        return this.#unlock(request);
      case 'set_db_change_aware':
        this.#isDbChangeAware = awareness(request);
        return {};
      default:
        throw new Refusal('unknown method');
    }
  }

  #transact(request: Request): void {
    const database = findDatabase(request, this.#server.databases);
    const key = keyOf(request.id);
    if (this.#waiting.has(key)) {
      throw syntaxError(request.params, 'transact: duplicate request ID');
    }
    checkLimit(this.#waiting.size, 'transactions that wait');
    const epoch = this.#epoch;
    const transaction: TransactionRequest = {
      operations: request.params.slice(1),
      isReadOnly: this.#options.isReadOnly === true,
      ownsLock: (name) => this.#server.locks.owns(name, this),
      executed: () => {
        this.#waiting.delete(key);
        this.#unanswered++;
      },
      answer: (results) => {
        if (epoch === this.#epoch) this.#answered(request, results);
      },
    };
    this.#waiting.set(key, { request, database, transaction });
    database.transact(transaction);
  }

  #answered(request: Request, results: readonly Json[]): void {
    this.#unanswered--;
    this.#reply(request, results);
    const held = this.#held;
    if (held === undefined || this.#unanswered > 0) return;
    this.#held = undefined;
    this.#handle(held);
    this.#session.connection?.release();
  }

  #noted({ method, params }: Notification): void {
    if (method !== 'cancel' || params.length !== 1) return;
    const waiting = this.#waiting.get(keyOf(params[0]));
    if (waiting !== undefined) this.#cancel(waiting);
  }

  #cancel({ request, database, transaction }: Waiting): void {
    this.#waiting.delete(keyOf(request.id));
    if (database.cancel(transaction)) this.#refuse(request, 'canceled');
  }

  #cancelMonitor(params: readonly Json[]): Json {
    if (params.length !== 1) throw new Refusal('invalid parameters');
    if (!this.#monitors.cancel(params[0])) throw new Refusal('unknown monitor');
    return {};
  }

  #lock(request: Request, mode: 'lock' | 'steal'): JsonObject {
    const name = lockName(request);
    checkLimit(this.#locks.size, 'locks');
    const locked = this.#server.locks.lock(name, this, mode);
    if (locked === undefined) {
      throw syntaxError(request.params, `must issue "unlock" before new "${mode}"`);
    }
    this.#locks.add(name);
    return { locked };
  }

  #unlock(request: Request): JsonObject {
    const name = lockName(request);
    if (!this.#server.locks.unlock(name, this)) {
      throw syntaxError(request.params, 'unlock: "unlock" without "lock" or "steal"');
    }
    this.#locks.delete(name);
    return {};
  }

  #reply({ id }: Request, result: Json): void {
    this.#monitors.flush();
    this.#session.connection?.send({ type: 'reply', result, id });
  }

  #refuse({ id }: Request, error: Json): void {
    this.#monitors.flush();
    this.#session.connection?.send({ type: 'error', error, id });
  }

  #notify(method: string, params: readonly Json[]): void {
    this.#monitors.flush();
    this.#session.connection?.send({ type: 'notification', method, params });
  }

  #disconnected(): void {
    this.#epoch++;
    this.#unanswered = 0;
    this.#held = undefined;
    this.#isDbChangeAware = false;
    for (const { database, transaction } of this.#waiting.values()) database.cancel(transaction);
    this.#waiting.clear();
    this.#monitors.clear();
    for (const name of this.#locks) this.#server.locks.unlock(name, this);
    this.#locks.clear();
    if (this.#session.isOver) this.#options.ended?.();
  }
}

interface Waiting {
  readonly request: Request;
  readonly database: HostedDatabase;
  readonly transaction: TransactionRequest;
}

/** An error that stock puts as a string. */
class Refusal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const FORMATS: Record<'monitor' | 'monitor_cond' | 'monitor_cond_since', UpdateFormat> = {
  monitor: 'update',
  monitor_cond: 'update2',
  monitor_cond_since: 'update3',
};

/** Transactions that one client may have on their way to the disk. */
const MAX_UNANSWERED = 100;

const keyOf = (id: Json): string => formatJson(id, { sorted: true });
