/**
 * The database that a run works on: the replica, and how the connection to the
 * server is made. Without --retry the first failure is the end, as nobody
 * answers where no server runs.
 */
import type { Duplex } from 'node:stream';
import { directories } from '../../daemon/directories.ts';
import { TapflowError } from '../../lib/error.ts';
import { Replica } from '../../ovsdb/replica/replica.ts';
import { connectStream } from '../../ovsdb/rpc/connect.ts';
import { isPassive, type PassiveRemote, parseRemote, type Remote } from '../../ovsdb/rpc/remote.ts';
import type { StreamOpener } from '../../ovsdb/rpc/session.ts';
import { VsctlError } from './failure.ts';
import type { Logs } from './logs.ts';
import type { Options } from './options.ts';
import { readTls } from './tls.ts';

export class DatabaseConnection {
  readonly replica: Replica;
  readonly #name: string;
  readonly #remotes: readonly Remote[];
  #isPersistent: boolean;
  #failure: VsctlError | undefined;
  #version = 0;
  #wake: () => void = () => {};

  /** @throws VsctlError */
  constructor(options: Options, tables: ReadonlyMap<string, readonly string[]>, logs: Logs) {
    const { database } = options;
    this.#name = database;
    this.#remotes = parseRemotes(database);
    this.#isPersistent = options.retries || this.#remotes.some(isPassive);
    const log = logs.vlog.module('reconnect');
    this.replica = new Replica(this.#opener(options, logs), {
      database: 'Open_vSwitch',
      tables,
      name: database,
      log: (level, line) => log.log(level, line),
      changed: () => this.#notify(),
      connected: () => this.#connected(),
      disconnected: (reason) => this.#disconnected(reason),
    });
  }

  /** Changes when the database does. */
  get version(): number {
    return this.#version;
  }

  /** @throws VsctlError when there is no copy of the database to come */
  async synced(): Promise<void> {
    try {
      await this.replica.synced();
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  /** Resolves when the database has changed since that version. @throws VsctlError */
  async changedSince(version: number): Promise<void> {
    while (this.#version === version) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** From now on a connection that is lost is made anew. */
  persist(): void {
    this.#isPersistent = true;
  }

  close(): void {
    this.replica.close();
  }

  /** One remote after the other: the first that answers is it. */
  #opener(options: Options, logs: Logs): StreamOpener {
    const open = (remote: Remote, signal: AbortSignal): Promise<Duplex> =>
      isPassive(remote)
        ? acceptStream(remote, signal, options, logs)
        : connectStream(remote, { signal, tls: () => readTls(options.tls, logs) });
    const [first, ...others] = this.#remotes;
    return (signal) =>
      others.reduce(
        (tried, remote) => tried.catch(() => open(remote, signal)),
        open(first, signal),
      );
  }

  /** What could not be sent, or was not answered, is tried again then. */
  #connected(): void {
    this.#notify();
  }

  #disconnected(reason: string | undefined): void {
    if (this.#isPersistent) return;
    const why = reason ?? 'Connection timed out';
    this.#failure ??= new VsctlError(`${this.#name}: database connection failed (${why})`);
    this.replica.close();
    this.#notify();
  }

  #notify(): void {
    this.#version++;
    const wake = this.#wake;
    wake();
  }
}

function parseRemotes(text: string): Remote[] {
  try {
    return text.split(',').map((each) => parseRemote(each, directories().run));
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    const reason = 'Address family not supported by protocol';
    throw new VsctlError(`${text}: database connection failed (${reason})`);
  }
}

/** The server connects to us: the first that does. */
async function acceptStream(
  remote: PassiveRemote,
  signal: AbortSignal,
  { tls }: Options,
  logs: Logs,
): Promise<Duplex> {
  const { listen } = await import('../../ovsdb/rpc/listen.ts');
  const files = remote.kind === 'pssl' ? readTls(tls, logs) : undefined;
  return new Promise((resolve, reject) => {
    const accept = (stream: Duplex): void => {
      resolve(stream);
      stop();
    };
    const listening = listen(remote, { accept, tls: files });
    const stop = (): void => void listening.then((listener) => listener.close(), reject);
    listening.catch(reject);
    signal.addEventListener('abort', stop);
  });
}
