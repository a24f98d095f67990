/**
 * A JSON-RPC peer over time: the connection in force, and reconnect.ts to say
 * when it is probed, dropped and made anew. For both ends and both directions:
 * a stream that a listener accepted is a session that is never made anew, a
 * remote to connect to is one that goes on until it is closed.
 *
 * All that the machine asks for happens in `#run`; whatever happens outside is
 * told to the machine, and `#run` follows.
 */
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { JsonLimits } from '../../lib/json-text.ts';
import { Connection } from './connection.ts';
import { errorText } from './error-text.ts';
import type { RpcLog } from './log.ts';
import type { Message } from './message.ts';
import { Reconnect, type ReconnectAction, type ReconnectStatus } from './reconnect.ts';

export interface SessionOptions extends JsonLimits {
  /** The remote or the peer, for log lines. */
  name: string;
  clock?: Clock;
  log?: RpcLog;
  /** Milliseconds; 0: no probes. The default is 5000. */
  probeInterval?: number;
  /** Milliseconds. The default is 8000. */
  maxBackoff?: number;
  /** Connections to try; the default is no limit. */
  maxTries?: number;
  maxBacklogBytes?: number;
  readsBehindBacklog?: boolean;
}

export interface SessionHandlers {
  /** A connection was made: nothing of what was said on an earlier one holds on it. */
  connected?(): void;
  /** As in connection.ts. */
  message(message: Message): void;
  /** As in connection.ts. */
  drain?(): void;
  /** The connection is lost, or an attempt failed; the reason is as in error-text.ts. */
  disconnected?(reason: string | undefined): void;
}

/** Opens a stream; gives up when the signal says so. */
export type StreamOpener = (signal: AbortSignal) => Promise<Duplex>;

export class Session {
  readonly name: string;
  readonly #options: SessionOptions;
  readonly #handlers: SessionHandlers;
  readonly #clock: Clock;
  readonly #reconnect: Reconnect;
  readonly #open: StreamOpener | undefined;
  #connection: Connection | undefined;
  /** The attempt that is going on. */
  #attempt: AbortController | undefined;
  #cancelTimer: () => void = () => {};

  /** @param source a stream that was accepted, or how to open one */
  constructor(source: Duplex | StreamOpener, options: SessionOptions, handlers: SessionHandlers) {
    const isAccepted = typeof source !== 'function';
    this.name = options.name;
    this.#options = options;
    this.#handlers = handlers;
    this.#clock = options.clock ?? systemClock;
    this.#open = isAccepted ? undefined : source;
    const once = { maxTries: 0, quiet: true };
    this.#reconnect = new Reconnect(isAccepted ? { ...options, ...once } : options);
    if (isAccepted) this.#adopt(source);
    else this.#reconnect.enable();
    this.#schedule();
  }

  /** To send on; undefined while there is none. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Whether it is over: closed, or lost and not to be made anew. */
  get isOver(): boolean {
    return this.#reconnect.state === 'VOID';
  }

  status(): ReconnectStatus {
    return this.#reconnect.status();
  }

  /** For a Manager's columns, which can change at any time. */
  configure(options: { maxBackoff?: number; probeInterval?: number }): void {
    this.#reconnect.configure(options);
    this.#schedule();
  }

  /** Drops the connection and makes a new one. */
  forceReconnect(): void {
    this.#reconnect.forceReconnect();
    this.#run();
  }

  close(): void {
    this.#reconnect.disable();
    this.#cancelTimer();
    this.#abandon();
  }

  #run(): void {
    for (let action = this.#reconnect.run(); action; action = this.#reconnect.run()) {
      this.#act(action);
    }
    this.#schedule();
  }

  #act(action: ReconnectAction): void {
    if (action === 'connect') this.#connect();
    else if (action === 'probe') this.#connection?.probe();
    else this.#drop();
  }

  /**
   * Looks again at the deadline. One turn later than the timer, as bytes may
   * have come while something else kept this thread busy past the deadline.
   */
  #schedule(): void {
    this.#cancelTimer();
    const deadline = this.#reconnect.deadline();
    if (deadline === undefined) return;
    const wait = Math.max(0, deadline - this.#clock.now());
    this.#cancelTimer = this.#clock.after(wait, () => setImmediate(() => this.#run()));
  }

  #connect(): void {
    const attempt = new AbortController();
    this.#reconnect.connecting();
    this.#attempt = attempt;
    this.#open?.(attempt.signal).then(
      (stream) => this.#opened(attempt, stream),
      (error) => {
        if (attempt === this.#attempt) this.#lost(errorText(error));
      },
    );
  }

  #opened(attempt: AbortController, stream: Duplex): void {
    if (attempt === this.#attempt) {
      this.#adopt(stream);
      this.#handlers.connected?.();
    } else {
      stream.on('error', () => {}).destroy();
    }
  }

  #adopt(stream: Duplex): void {
    this.#attempt = undefined;
    this.#reconnect.connected();
    const connection = new Connection(stream, this.#options, {
      message: (message) => this.#handlers.message(message),
      activity: () => this.#reconnect.activity(),
      drain: () => this.#handlers.drain?.(),
      closed: (reason) => {
        if (connection === this.#connection) this.#lost(reason);
      },
    });
    this.#connection = connection;
    this.#schedule();
  }

  /** At the machine's word: a peer that is silent, or an attempt that takes too long. */
  #drop(): void {
    this.#abandon();
    this.#lost(undefined);
  }

  /** Lets go of connection and attempt, without a word to anyone. */
  #abandon(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#attempt?.abort();
    this.#attempt = undefined;
    connection?.close();
  }

  #lost(reason: string | undefined): void {
    this.#connection = undefined;
    this.#attempt = undefined;
    this.#reconnect.disconnected(reason);
    this.#handlers.disconnected?.(reason);
    this.#schedule();
  }
}
