/**
 * When to connect, to probe and to give up a connection: the state machine
 * that Open vSwitch's daemons share, with its states, times and log lines. It
 * does nothing itself: the owner asks `run` what to do whenever `deadline` has
 * come, and tells what happened.
 *
 *            enable            connecting               connected
 *     VOID ---------> BACKOFF -----------> CONNECTING -----------> ACTIVE
 *       ^              ^  ^    (passive: LISTENING)       |       ^   |
 *       |              |  +--------- disconnected --------+  activity | quiet: probe
 *    disable,          |                                          |   v
 *    tries used up     +---------------- disconnected ----------- IDLE
 *
 * The time in BACKOFF is 1 s and doubles up to 8 s; it starts anew once a
 * connection has lasted. A connection without traffic for `probeInterval`
 * gets a probe, and is dropped when the same time passes again.
 */
import { type Clock, systemClock } from '../../lib/clock.ts';
import { END_OF_FILE } from './error-text.ts';
import { noLog, type RpcLog } from './log.ts';

export type ReconnectState =
  | 'VOID'
  | 'BACKOFF'
  | 'CONNECTING'
  | 'LISTENING'
  | 'ACTIVE'
  | 'IDLE'
  | 'RECONNECT';

/** What the owner has to do: open a stream, close it, send an echo request. */
export type ReconnectAction = 'connect' | 'disconnect' | 'probe';

export interface ReconnectOptions {
  /** The remote, for log lines. */
  name: string;
  clock?: Clock;
  log?: RpcLog;
  /** Milliseconds. */
  minBackoff?: number;
  /** Milliseconds. */
  maxBackoff?: number;
  /** Milliseconds; 0: no probes. */
  probeInterval?: number;
  /** Connections to try; 0: the one that exists is the last. */
  maxTries?: number;
  /** Waits for a peer to connect: no backoff after a connection. */
  passive?: boolean;
  /** For a connection that was accepted: its coming and going is logged at level dbg. */
  quiet?: boolean;
}

export interface ReconnectStatus {
  state: ReconnectState;
  isConnected: boolean;
  /** Of the last connection that ended, or the last attempt. */
  lastError?: string;
  /** Milliseconds, when there ever was a connection. */
  sinceConnect?: number;
  /** Milliseconds, when one ever ended. */
  sinceDisconnect?: number;
}

export class Reconnect {
  readonly #clock: Clock;
  readonly #log: RpcLog;
  readonly #name: string;
  readonly #isPassive: boolean;
  readonly #infoLevel: 'info' | 'dbg';
  readonly #minBackoff: number;
  #maxBackoff: number;
  #probeInterval: number;
  #triesLeft: number;
  #state: ReconnectState = 'VOID';
  #stateEntered: number;
  #backoff = 0;
  #lastActivity: number;
  #lastConnected: number | undefined;
  #lastDisconnected: number | undefined;
  #lastError: string | undefined;

  constructor(options: ReconnectOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? noLog;
    this.#name = options.name;
    this.#isPassive = options.passive ?? false;
    this.#infoLevel = options.quiet ? 'dbg' : 'info';
    this.#minBackoff = options.minBackoff ?? DEFAULT_MIN_BACKOFF;
    this.#maxBackoff = Math.max(options.maxBackoff ?? DEFAULT_MAX_BACKOFF, this.#minBackoff);
    this.#probeInterval = probeOf(options.probeInterval);
    this.#triesLeft = options.maxTries ?? Number.POSITIVE_INFINITY;
    this.#stateEntered = this.#clock.now();
    this.#lastActivity = this.#stateEntered;
  }

  get state(): ReconnectState {
    return this.#state;
  }

  get isConnected(): boolean {
    return this.#state === 'ACTIVE' || this.#state === 'IDLE';
  }

  /** For a Manager's columns, which can change at any time. */
  configure(options: { maxBackoff?: number; probeInterval?: number }): void {
    this.#maxBackoff = Math.max(options.maxBackoff ?? DEFAULT_MAX_BACKOFF, this.#minBackoff);
    this.#probeInterval = probeOf(options.probeInterval);
    if (this.#backoff > this.#maxBackoff) this.#backoff = this.#maxBackoff;
  }

  enable(): void {
    if (this.#state !== 'VOID' || !this.#mayTry()) return;
    this.#backoff = 0;
    this.#enter('BACKOFF');
  }

  disable(): void {
    if (this.#state !== 'VOID') this.#enter('VOID');
  }

  /** Drops the connection and makes a new one. */
  forceReconnect(): void {
    if (this.#state === 'CONNECTING' || this.isConnected) this.#enter('RECONNECT');
  }

  connecting(): void {
    if (this.#state === 'CONNECTING') return;
    const what = this.#isPassive ? 'listening...' : 'connecting...';
    if (this.#backoff < this.#maxBackoff) this.#info(what);
    this.#triesLeft--;
    this.#enter('CONNECTING');
  }

  /** A passive one waits for its peer from now on. */
  listening(): void {
    if (this.#state === 'LISTENING') return;
    this.#info('listening...');
    this.#enter('LISTENING');
  }

  connected(): void {
    if (this.isConnected) return;
    this.#info('connected');
    this.#lastConnected = this.#clock.now();
    this.#enter('ACTIVE');
  }

  /** Something came from the peer. */
  activity(): void {
    if (this.#state !== 'ACTIVE' && this.isConnected) this.#enter('ACTIVE');
    this.#lastActivity = this.#clock.now();
  }

  /** The connection has ended, or the attempt has failed. @param reason as in error-text.ts */
  disconnected(reason: string | undefined): void {
    if (this.#state === 'BACKOFF' || this.#state === 'VOID') return;
    this.#logEnd(reason);
    if (reason !== undefined) this.#lastError = reason;
    if (this.isConnected || this.#state === 'RECONNECT') {
      this.#lastDisconnected = this.#clock.now();
    }
    this.#backoff = this.#nextBackoff();
    if (this.#mayTry()) this.#enter('BACKOFF');
    else this.#enter('VOID');
  }

  /** When `run` will have something to do, by the clock; undefined: when something happens. */
  deadline(): number | undefined {
    switch (this.#state) {
      case 'BACKOFF':
        return this.#stateEntered + this.#backoff;
      case 'CONNECTING':
        return this.#stateEntered + Math.max(SHORTEST_ATTEMPT, this.#backoff);
      case 'ACTIVE':
        return this.#probeAfter(Math.max(this.#lastActivity, this.#stateEntered));
      case 'IDLE':
        return this.#probeAfter(this.#stateEntered);
      case 'RECONNECT':
        return this.#stateEntered;
      default:
        return undefined;
    }
  }

  /** @returns what has to be done now */
  run(): ReconnectAction | undefined {
    const deadline = this.deadline();
    if (deadline === undefined || this.#clock.now() < deadline) return undefined;
    if (this.#state === 'BACKOFF') return 'connect';
    if (this.#state === 'ACTIVE') {
      const idle = Math.round(this.#clock.now() - this.#lastActivity);
      this.#log('dbg', `${this.#name}: idle ${idle} ms, sending inactivity probe`);
      this.#enter('IDLE');
      return 'probe';
    }
    if (this.#state === 'IDLE') {
      const waited = seconds(this.#clock.now() - this.#stateEntered);
      this.#log(
        'err',
        `${this.#name}: no response to inactivity probe after ${waited} seconds, disconnecting`,
      );
    }
    return 'disconnect';
  }

  status(): ReconnectStatus {
    const now = this.#clock.now();
    const since = (time: number | undefined) => (time === undefined ? undefined : now - time);
    return {
      state: this.#state,
      isConnected: this.isConnected,
      lastError: this.#lastError,
      sinceConnect: since(this.#lastConnected),
      sinceDisconnect: since(this.#lastDisconnected),
    };
  }

  #mayTry(): boolean {
    return this.#triesLeft > 0;
  }

  #probeAfter(time: number): number | undefined {
    return this.#probeInterval > 0 ? time + this.#probeInterval : undefined;
  }

  #logEnd(reason: string | undefined): void {
    const why = reason === undefined ? '' : ` (${reason})`;
    if (this.isConnected) {
      if (reason === END_OF_FILE) this.#info('connection closed by peer');
      else this.#log(why ? 'warn' : this.#infoLevel, `${this.#name}: connection dropped${why}`);
    } else if (this.#state === 'LISTENING') {
      this.#log('warn', `${this.#name}: error listening for connections${why}`);
    } else if (this.#state === 'CONNECTING' && this.#backoff < this.#maxBackoff) {
      const what = this.#isPassive ? 'listen' : 'connection';
      this.#info(`${what} attempt ${why ? `failed${why}` : 'timed out'}`);
    }
  }

  #nextBackoff(): number {
    if (this.#hasLasted()) return this.#isPassive ? 0 : this.#minBackoff;
    if (this.#backoff < this.#minBackoff) return this.#logWait(this.#minBackoff);
    if (this.#backoff < this.#maxBackoff / 2) return this.#logWait(this.#backoff * 2);
    if (this.#backoff < this.#maxBackoff) {
      this.#info('continuing to reconnect in the background but suppressing further logging');
    }
    return this.#maxBackoff;
  }

  /** Whether there was a connection that was good for longer than the wait for it. */
  #hasLasted(): boolean {
    if (!this.isConnected) return false;
    const connected = this.#lastConnected ?? this.#stateEntered;
    return this.#isPassive || this.#lastActivity - connected >= this.#backoff;
  }

  #logWait(backoff: number): number {
    const before = this.#isPassive ? 'trying to listen again' : 'reconnect';
    this.#info(`waiting ${seconds(backoff)} seconds before ${before}`);
    return backoff;
  }

  #info(what: string): void {
    this.#log(this.#infoLevel, `${this.#name}: ${what}`);
  }

  #enter(state: ReconnectState): void {
    this.#log('dbg', `${this.#name}: entering ${state}`);
    this.#state = state;
    this.#stateEntered = this.#clock.now();
  }
}

const DEFAULT_MIN_BACKOFF = 1000;
const DEFAULT_MAX_BACKOFF = 8000;
const DEFAULT_PROBE_INTERVAL = 5000;
/** An attempt gets at least this long, however short the backoff. */
const SHORTEST_ATTEMPT = 1000;

/** Probes more often than once a second are not allowed, 0 turns them off. */
function probeOf(interval: number = DEFAULT_PROBE_INTERVAL): number {
  return interval > 0 ? Math.max(1000, interval) : 0;
}

/** As C's "%.3g" of seconds. */
const seconds = (ms: number): string => String(Number((ms / 1000).toPrecision(3)));
