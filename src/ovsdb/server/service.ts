/**
 * The server with its files and connection methods, kept in step: what
 * databases say of remotes and certificates is followed, what remotes do is
 * written back (manager-status.ts).
 */
import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { TapflowError } from '../../lib/error.ts';
import type { TransactionChanges } from '../database/changes.ts';
import type { RpcLog } from '../rpc/log.ts';
import { openDatabase } from './database-file.ts';
import { failureText } from './failure.ts';
import type { HostedDatabase } from './hosted-database.ts';
import { writeRemoteStatus } from './manager-status.ts';
import { Remotes } from './remotes.ts';
import { OvsdbServer } from './server.ts';
import { TlsConfig, type TlsOptions } from './tls-config.ts';

export interface ServiceOptions {
  readonly clock: Clock;
  /** Where relative paths of sockets begin. */
  readonly runDir: string;
  /** Gives the log of a module. */
  log(module: string): RpcLog;
}

export class Service {
  readonly server: OvsdbServer;
  readonly remotes: Remotes;
  readonly #clock: Clock;
  readonly #log: RpcLog;
  readonly #fileLog: RpcLog;
  #tls: TlsConfig;
  #isUpdatePlanned = false;
  #cancelTimer: () => void = () => {};

  constructor({ clock, runDir, log }: ServiceOptions) {
    this.#clock = clock;
    this.#log = log('ovsdb_server');
    this.#fileLog = log('ovsdb');
    this.server = new OvsdbServer({ clock, log: splitLog(log) });
    this.#tls = new TlsConfig({}, this.server.databases, this.#log);
    this.remotes = new Remotes({
      server: this.server,
      log: splitLog(log),
      runDir,
      tls: () => this.#tls.files(),
    });
  }

  /** @throws TapflowError when the file cannot be served */
  async addDatabase(file: string): Promise<void> {
    const full = path.resolve(file);
    const isOpen = [...this.server.databases.values()].some((each) => each.file?.path === full);
    if (isOpen) throw new TapflowError('OPEN', `ovsdb error: ${file}: already open`);
    const database = await openDatabase(file, { clock: this.#clock, log: this.#fileLog });
    database.onChange = (changes) => this.#changed(database, changes);
    try {
      this.server.addDatabase(database);
    } catch (error) {
      await database.close();
      throw new TapflowError('OPEN', `ovsdb error: ${file}: ${(error as Error).message}`);
    }
    this.#planUpdate();
  }

  /** @throws TapflowError */
  async removeDatabase(name: string): Promise<void> {
    if (name.startsWith('_'))
      throw new TapflowError('RESERVED', 'Cannot remove reserved database.');
    const database = this.server.removeDatabase(name, ' by user request');
    if (database === undefined) {
      throw new TapflowError('NO_DATABASE', 'Failed to find the database.');
    }
    this.#planUpdate();
    await database.close();
  }

  /** @param name undefined: all databases. @throws TapflowError */
  async compact(name: string | undefined): Promise<void> {
    if (name?.startsWith('_'))
      throw new TapflowError('RESERVED', 'cannot compact built-in databases');
    const all = [...this.server.databases.values()].filter(({ isReserved }) => !isReserved);
    const chosen = all.filter((database) => name === undefined || database.name === name);
    if (name !== undefined && chosen.length === 0) {
      throw new TapflowError('NO_DATABASE', 'no database by that name');
    }
    for (const database of chosen) {
      this.#log('info', `compacting ${database.name} database by user request`);
      await database.compact();
    }
  }

  /** Opens the remotes. @throws TapflowError BAD_DB_COLUMN */
  async start(remotes: readonly string[], tls: TlsOptions): Promise<void> {
    this.#tls = new TlsConfig(tls, this.server.databases, this.#log);
    for (const remote of remotes) await this.remotes.add(remote);
    this.#tick();
  }

  /** Resolves when all that was acknowledged, or is on its way to the disk, is there. */
  async close(): Promise<void> {
    this.#cancelTimer();
    this.remotes.close();
    this.server.close();
    await Promise.all([...this.server.databases.values()].map((database) => database.close()));
  }

  #changed(database: HostedDatabase, changes: TransactionChanges): void {
    if (this.remotes.concerns(database, changes) || this.#tls.concerns(database, changes)) {
      this.#planUpdate();
    }
  }

  /** After this turn, as several changes may come together. */
  #planUpdate(): void {
    if (this.#isUpdatePlanned) return;
    this.#isUpdatePlanned = true;
    setImmediate(() => {
      this.#isUpdatePlanned = false;
      this.#update().catch((error) => this.#log('err', failureText(error)));
    });
  }

  async #update(): Promise<void> {
    if (this.#tls.refresh()) this.remotes.replaceTls();
    await this.remotes.update();
  }

  /** As often as stock writes the status; what could not be opened is tried again. */
  #tick(): void {
    writeRemoteStatus(this.remotes);
    this.#planUpdate();
    this.#cancelTimer = this.#clock.after(TICK, () => this.#tick());
  }
}

const TICK = 5000;

/** Connections are logged as stock does: their coming and going under another name. */
function splitLog(log: ServiceOptions['log']): RpcLog {
  const [reconnect, jsonrpc] = [log('reconnect'), log('ovsdb_jsonrpc_server')];
  return (level, line) => (RECONNECT.test(line) ? reconnect : jsonrpc)(level, line);
}

const RECONNECT =
  /: (entering |connect|waiting |continuing |listening\.\.\.|no response|idle |error |received bad)/;
