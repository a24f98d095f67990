/**
 * The server that ovsdb-client talks to, over one connection: when that is
 * lost, the program ends. A passive remote waits for a server to connect.
 */
import type { Duplex } from 'node:stream';
import { persistentClock } from '../../lib/clock.ts';
import { TapflowError } from '../../lib/error.ts';
import type { Json } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { isArray, isString } from '../../ovsdb/data/json-kinds.ts';
import { type DatabaseSchema, parseSchema } from '../../ovsdb/data/schema.ts';
import { RpcClient, RpcError } from '../../ovsdb/rpc/client.ts';
import { connectStream } from '../../ovsdb/rpc/connect.ts';
import { errorText } from '../../ovsdb/rpc/error-text.ts';
import { isPassive, type PassiveRemote, parseRemote, type Remote } from '../../ovsdb/rpc/remote.ts';
import type { TlsFiles } from '../../ovsdb/rpc/tls.ts';

export interface ServerOptions {
  /** Where a relative path of a unix socket begins. */
  runDir: string;
  tls(): TlsFiles;
  /** Writes a line to the log. */
  inform(text: string): void;
  /** Whether JSON in messages is spread over lines. */
  pretty: boolean;
}

export type NotificationHandler = (method: string, params: readonly Json[]) => void;

export class Server {
  readonly remote: string;
  /** Rejects when the connection is lost. */
  readonly lost: Promise<never>;
  onNotification: NotificationHandler = () => {};
  readonly #client: RpcClient;
  readonly #connected: Promise<void>;
  readonly #pretty: boolean;
  #reason = 'Connection timed out';

  constructor(remote: string, stream: Duplex, pretty: boolean) {
    this.remote = remote;
    this.#pretty = pretty;
    let connected = () => {};
    let lose: (error: Error) => void = () => {};
    this.#connected = new Promise((resolve) => {
      connected = resolve;
    });
    this.lost = new Promise((_, reject) => {
      lose = reject;
    });
    this.lost.catch(() => {});
    this.#client = new RpcClient(
      () => Promise.resolve(stream),
      { name: remote, maxTries: 1, probeInterval: 0, clock: persistentClock },
      {
        connected,
        disconnected: (reason) => {
          this.#reason = reason ?? this.#reason;
          lose(new TapflowError('LOST', `${remote}: disconnected (${this.#reason})`));
        },
        notification: (method, params) => this.onNotification(method, params),
      },
    );
  }

  /** Why the connection was lost. */
  get reason(): string {
    return this.#reason;
  }

  /** @throws TapflowError REFUSED when the answer is an error, LOST */
  async request(method: string, params: readonly Json[]): Promise<Json> {
    await this.#connected;
    try {
      return await this.#client.request(method, params);
    } catch (error) {
      throw error instanceof RpcError
        ? new TapflowError('REFUSED', `transaction returned error: ${this.#text(error.error)}`)
        : new TapflowError('LOST', `transaction failed (${this.#reason})`);
    }
  }

  async databases(): Promise<string[]> {
    const names = await this.request('list_dbs', []);
    if (isArray(names) && names.every(isString)) return [...names].sort();
    throw new TapflowError('BAD_REPLY', 'list_dbs response is not array of strings');
  }

  async schema(database: string): Promise<DatabaseSchema> {
    return parseSchema(await this.request('get_schema', [database]));
  }

  close(): void {
    this.#client.close();
  }

  #text(json: Json): string {
    return formatJson(json, { sorted: true, pretty: this.#pretty });
  }
}

/** @throws TapflowError NO_SERVER */
export async function connectServer(text: string, options: ServerOptions): Promise<Server> {
  const remote = remoteOf(text, options.runDir);
  try {
    if (isPassive(remote)) options.inform(`${text}: waiting for connection...`);
    const stream = isPassive(remote)
      ? await acceptOne(remote, options.tls)
      : await connectStream(remote, { tls: options.tls });
    return new Server(text, stream, options.pretty);
  } catch (error) {
    const isBadTls = error instanceof TapflowError && error.code === 'BAD_TLS';
    const reason = isBadTls ? 'Protocol not available' : errorText(error);
    throw noServer(`connect to "${text}"`, reason, error);
  }
}

function remoteOf(text: string, runDir: string): Remote {
  try {
    return parseRemote(text, runDir);
  } catch (error) {
    const isKnown = /^p?(tcp|ssl|unix):/.test(text);
    const reason = isKnown ? 'Invalid argument' : 'Address family not supported by protocol';
    throw noServer(`connect or listen to "${text}"`, reason, error);
  }
}

async function acceptOne(remote: PassiveRemote, tls: () => TlsFiles): Promise<Duplex> {
  const { listen } = await import('../../ovsdb/rpc/listen.ts');
  const files = remote.kind === 'pssl' ? tls() : undefined;
  let accept: (stream: Duplex) => void = () => {};
  const accepted = new Promise<Duplex>((resolve) => {
    accept = resolve;
  });
  const listener = await listen(remote, { accept: (stream) => accept(stream), tls: files });
  const stream = await accepted;
  listener.close();
  return stream;
}

function noServer(what: string, reason: string, cause: unknown): TapflowError {
  return new TapflowError('NO_SERVER', `failed to ${what} (${reason})`, { cause });
}
