/**
 * The OVSDB server without its process: databases by name, clients on streams,
 * locks, and the _Server database (ovsdb-server(5)) that tells of the others.
 * It listens nowhere and opens no file: program.ts and its neighbours do.
 */
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { TapflowError } from '../../lib/error.ts';
import { formatJson } from '../../lib/json-format.ts';
import { schemaToJson } from '../data/schema.ts';
import { Database } from '../database/database.ts';
import { noLog, type RpcLog } from '../rpc/log.ts';
import type { StreamOpener } from '../rpc/session.ts';
import { Client, type ClientOptions } from './client.ts';
import { Coverage } from './coverage.ts';
import { HostedDatabase } from './hosted-database.ts';
import { Locks } from './locks.ts';
import { deleteDatabase, insertDatabase, serverSchema } from './server-schema.ts';

export interface ServerOptions {
  readonly clock?: Clock;
  readonly log?: RpcLog;
}

export class OvsdbServer {
  /** What get_server_id answers: another for each run. */
  readonly id: string = randomUUID();
  readonly databases = new Map<string, HostedDatabase>();
  readonly locks = new Locks();
  readonly clients = new Set<Client>();
  readonly coverage: Coverage;
  readonly clock: Clock;
  readonly log: RpcLog;
  readonly #own: HostedDatabase;
  #isFlushPlanned = false;
  /** How many clients there was something to tell. */
  #toldLast = 0;

  constructor({ clock = systemClock, log = noLog }: ServerOptions = {}) {
    this.clock = clock;
    this.log = log;
    this.coverage = new Coverage(clock);
    this.#own = new HostedDatabase(new Database(serverSchema), { clock });
    this.#host(this.#own);
  }

  /**
   * Clients that do not know of it are disconnected, so that they look again.
   * @throws TapflowError DUPLICATE_DATABASE
   */
  addDatabase(database: HostedDatabase): void {
    const { name } = database;
    if (this.databases.has(name)) {
      throw new TapflowError('DUPLICATE_DATABASE', `${name}: duplicate database name`);
    }
    this.reconnect(`adding ${name} database`, 'unaware');
    this.#host(database);
  }

  /** Its file stays open, for who took it away to close. @returns undefined if there is none */
  removeDatabase(name: string, reason: string): HostedDatabase | undefined {
    const database = this.databases.get(name);
    if (database === undefined || database === this.#own) return undefined;
    this.reconnect(`removing ${name} database${reason}`, 'unaware');
    this.databases.delete(name);
    for (const client of this.clients) client.forget(database);
    this.#own.write([deleteDatabase(name)]);
    return database;
  }

  /** @param source a stream that a client opened, or how to open one to it */
  connect(source: Duplex | StreamOpener, options: ClientOptions): Client {
    const client = new Client(source, this, {
      clock: this.clock,
      log: this.log,
      ...options,
      ended: () => {
        this.clients.delete(client);
        options.ended?.();
      },
    });
    this.clients.add(client);
    return client;
  }

  /** Has clients connect anew. @param which unaware: those that have not said that they know of changes */
  reconnect(reason: string, which: 'all' | 'unaware'): void {
    for (const client of [...this.clients]) {
      if (which === 'all' || !client.isDbChangeAware) client.reconnect(reason);
    }
  }

  /** Ends all connections. */
  close(): void {
    for (const client of [...this.clients]) client.close();
    this.clients.clear();
  }

  #host(database: HostedDatabase): void {
    database.onNews = () => this.#planFlush();
    this.databases.set(database.name, database);
    const schema = formatJson(schemaToJson(database.database.schema), { sorted: true });
    this.#own.write([insertDatabase(database.name, schema)]);
  }

  /**
   * Once a turn, so that what happens in one turn is told in one update. To tell
   * many clients is most of the work, and theirs: then changes gather for a
   * moment, and each update tells of several.
   */
  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    if (this.#toldLast > MANY) setTimeout(() => this.#flush(), GATHER);
    else setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushPlanned = false;
    this.#toldLast = 0;
    for (const client of this.clients) if (client.flush()) this.#toldLast++;
  }
}

/** Clients. bench/ovsdb has 50. */
const MANY = 8;
/** Milliseconds. */
const GATHER = 1;
