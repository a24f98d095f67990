/**
 * A JSON-RPC client: requests and their replies, over a session that
 * reconnects by itself. Requests belong to one connection: when it is lost,
 * they are rejected, as nobody knows whether they were carried out, and the
 * owner begins anew at `connected`.
 *
 * The session's timers do not keep the process alive while there is no connection.
 */
import { TapflowError } from '../../lib/error.ts';
import type { Json } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import type { ErrorReply, Message, Reply } from './message.ts';
import type { ReconnectStatus } from './reconnect.ts';
import { Session, type SessionOptions, type StreamOpener } from './session.ts';

export interface ClientHandlers {
  connected?(): void;
  /** The connection is lost, or an attempt failed; the reason is as in error-text.ts. */
  disconnected?(reason: string | undefined): void;
  notification?(method: string, params: readonly Json[]): void;
}

/** The server's answer to a request is an error. */
export class RpcError extends TapflowError {
  readonly error: Json;

  constructor(method: string, error: Json) {
    super('RPC_ERROR', `the server refuses "${method}": ${errorName(error)}`);
    this.error = error;
  }

  get isUnknownMethod(): boolean {
    return errorName(this.error).startsWith(UNKNOWN_METHOD);
  }
}

export class RpcClient {
  readonly #session: Session;
  readonly #handlers: ClientHandlers;
  readonly #waiting = new Map<Json, Waiting>();
  #lastId = 0;

  /** @param open usually connectStream of a remote */
  constructor(open: StreamOpener, options: SessionOptions, handlers: ClientHandlers = {}) {
    this.#handlers = handlers;
    this.#session = new Session(
      open,
      { maxBytes: DEFAULT_MAX_BYTES, readsBehindBacklog: true, ...options },
      {
        connected: () => handlers.connected?.(),
        disconnected: (reason) => this.#disconnected(reason),
        message: (message) => this.#receive(message),
      },
    );
  }

  status(): ReconnectStatus {
    return this.#session.status();
  }

  /**
   * @returns the reply's result
   * @throws RpcError when the reply is an error; TapflowError DISCONNECTED when
   *   there is no connection, or it is lost before the reply comes
   */
  request(method: string, params: readonly Json[]): Promise<Json> {
    const { connection, name } = this.#session;
    if (connection === undefined) return Promise.reject(disconnected(name, method));
    return new Promise((resolve, reject) => {
      const id = this.#lastId++;
      this.#waiting.set(id, { method, resolve, reject });
      connection.send({ type: 'request', method, params, id });
    });
  }

  /** Nothing happens when there is no connection. */
  notify(method: string, params: readonly Json[]): void {
    this.#session.connection?.send({ type: 'notification', method, params });
  }

  forceReconnect(): void {
    this.#session.forceReconnect();
  }

  close(): void {
    this.#session.close();
    this.#rejectAll();
  }

  #receive(message: Message): void {
    if (message.type === 'notification') {
      this.#handlers.notification?.(message.method, message.params);
    } else if (message.type === 'request') {
      this.#refuse(message.id);
    } else {
      this.#answer(message);
    }
  }

  #answer(message: Reply | ErrorReply): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'reply') waiting?.resolve(message.result);
    else waiting?.reject(new RpcError(waiting.method, message.error));
  }

  /** A server has nothing to ask but echo. */
  #refuse(id: Json): void {
    this.#session.connection?.send({ type: 'error', error: { error: UNKNOWN_METHOD }, id });
  }

  #disconnected(reason: string | undefined): void {
    this.#rejectAll();
    this.#handlers.disconnected?.(reason);
  }

  #rejectAll(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { method, reject } of waiting) reject(disconnected(this.#session.name, method));
  }
}

interface Waiting {
  method: string;
  resolve(result: Json): void;
  reject(error: TapflowError): void;
}

/** A server is trusted with more than its clients are: a large database is one reply. */
const DEFAULT_MAX_BYTES = 1 << 30;

function disconnected(name: string, method: string): TapflowError {
  return new TapflowError(
    'DISCONNECTED',
    `${name}: not connected, or no longer: no answer to "${method}"`,
  );
}

const UNKNOWN_METHOD = 'unknown method';

/** OVSDB's errors are objects with a member of this name, JSON-RPC's are anything. */
function errorName(error: Json): string {
  if (typeof error === 'string') return error;
  const { error: name, details } = error as { error?: Json; details?: Json };
  if (typeof name !== 'string') return formatJson(error);
  return typeof details === 'string' ? `${name} (${details})` : name;
}
