/**
 * One connection method in force: a listener and the clients that it let in,
 * or one client that we connect to.
 */
import type { Duplex } from 'node:stream';
import { connectStream } from '../rpc/connect.ts';
import { errorText } from '../rpc/error-text.ts';
import { type Listener, listen } from '../rpc/listen.ts';
import type { RpcLog } from '../rpc/log.ts';
import { isPassive, type PassiveRemote, parseRemote, type Remote } from '../rpc/remote.ts';
import { listenerStatus, sessionStatus } from '../rpc/remote-status.ts';
import type { StreamOpener } from '../rpc/session.ts';
import type { TlsFiles } from '../rpc/tls.ts';
import type { Client } from './client.ts';
import { socketErrorText } from './failure.ts';
import type { OvsdbServer } from './server.ts';

export interface RemoteContext {
  readonly server: OvsdbServer;
  readonly log: RpcLog;
  /** Where relative paths of sockets begin. */
  readonly runDir: string;
  tls(): TlsFiles;
}

export interface RemoteOptions {
  readonly maxBackoff?: number;
  readonly probeInterval?: number;
  readonly isReadOnly?: boolean;
}

export class OpenRemote {
  readonly name: string;
  readonly #context: RemoteContext;
  readonly #remote: Remote | undefined;
  readonly #clients = new Set<Client>();
  #options: RemoteOptions = {};
  #listener: Listener | undefined;
  #opening: Promise<void> | undefined;
  /** What was said last, so that it is not said at each attempt. */
  #complaint = '';
  #isClosed = false;

  constructor(name: string, context: RemoteContext) {
    this.name = name;
    this.#context = context;
    this.#remote = this.#parse();
  }

  /** Takes the options, and opens what is not open. */
  async configure(options: RemoteOptions): Promise<void> {
    this.#options = options;
    for (const client of this.#clients) client.configure(this.#clientOptions());
    if (this.#remote !== undefined && isPassive(this.#remote)) await this.#listen(this.#remote);
    else if (this.#clients.size === 0) this.#connect();
  }

  isConnected(): boolean {
    if (this.#isListening) return this.#clients.size > 0;
    return [...this.#clients].some((client) => client.status().isConnected);
  }

  /** The `status` column of its row. */
  status(): Map<string, string> {
    const [client] = this.#clients;
    if (this.#isListening) {
      const status = listenerStatus(this.#clients.size, this.#listener?.boundPort);
      // Of no meaning here, but stock has them.
      return status.set('sec_since_connect', '0').set('sec_since_disconnect', '0');
    }
    if (client === undefined) return new Map();
    const status = sessionStatus(client.status());
    for (const [key, names] of Object.entries(client.lockCounts())) {
      if (names.length > 0) status.set(`locks_${key}`, names.sort().join(' '));
    }
    return status;
  }

  /** For peers from now on. */
  replaceTls(): void {
    if (this.#remote?.kind !== 'pssl') return;
    try {
      this.#listener?.replaceTls(this.#context.tls());
    } catch (error) {
      this.#complain(`${this.name}: ${(error as Error).message}`);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#listener?.close();
    for (const client of [...this.#clients]) client.close();
  }

  get #isListening(): boolean {
    return this.#remote !== undefined && isPassive(this.#remote);
  }

  #parse(): Remote | undefined {
    try {
      return parseRemote(this.name, this.#context.runDir);
    } catch (error) {
      this.#context.log('err', (error as Error).message);
      return undefined;
    }
  }

  async #listen(remote: PassiveRemote): Promise<void> {
    if (this.#listener !== undefined) return;
    this.#opening ??= this.#openListener(remote).finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async #openListener(remote: PassiveRemote): Promise<void> {
    const { log, tls } = this.#context;
    const accept = (stream: Duplex, name: string) => this.#add(stream, name);
    try {
      const files = remote.kind === 'pssl' ? tls() : undefined;
      const listener = await listen(remote, { accept, log, tls: files });
      if (this.#isClosed) return listener.close();
      this.#listener = listener;
      this.#complaint = '';
      this.#tellPort(listener.boundPort);
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      const text = remote.kind === 'punix' ? socketErrorText(cause, remote.path) : errorText(cause);
      this.#complain(`${this.name}: listen failed: ${text}`);
    }
  }

  #tellPort(port: number | undefined): void {
    if (port === undefined) return;
    const rest = this.name.slice(this.name.indexOf(':') + 1);
    this.#context.log('info', `${rest}: listening on port ${port}`);
  }

  #complain(what: string): void {
    if (what !== this.#complaint) this.#context.log('err', what);
    this.#complaint = what;
  }

  #connect(): void {
    this.#add((signal) => this.#open(signal), this.name);
  }

  /** What is no remote at all is refused at each attempt, as stock does. */
  async #open(signal: AbortSignal): Promise<Duplex> {
    const remote = this.#remote;
    if (remote === undefined || isPassive(remote)) throw NO_SUCH_FAMILY;
    return connectStream(remote, { signal, tls: () => this.#context.tls() });
  }

  #add(source: Duplex | StreamOpener, name: string): void {
    const ended = () => this.#clients.delete(client);
    const options = { name, ...this.#clientOptions(), ended };
    const client: Client = this.#context.server.connect(source, options);
    this.#clients.add(client);
  }

  /** A local peer that is gone is seen without probes. */
  #clientOptions() {
    const isLocal = /^p?unix:/.test(this.name);
    const { maxBackoff, probeInterval = isLocal ? 0 : undefined, isReadOnly } = this.#options;
    return { maxBackoff, probeInterval, isReadOnly };
  }
}

const NO_SUCH_FAMILY = Object.assign(new Error('no such kind of remote'), { code: 'EAFNOSUPPORT' });
