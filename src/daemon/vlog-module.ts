/** What code logs through: a module of the log, with its levels. vlog.ts makes them. */
import type { Clock } from '../lib/clock.ts';
import type { Destination, Level, MessageLevel } from './levels.ts';
import type { RateLimit } from './rate-limit.ts';

/** Where messages go on to. */
export interface VlogSink {
  /** Whether a message would go anywhere. */
  isEnabled(module: VlogModule, level: MessageLevel): boolean;
  write(module: VlogModule, level: MessageLevel, message: string): void;
}

export class VlogModule {
  readonly name: string;
  readonly levels: Record<Destination, Level> = { syslog: 'info', console: 'info', file: 'info' };
  /** Set by vlog/disable-rate-limit to false. */
  honoursRateLimits = true;
  readonly #sink: VlogSink;
  readonly #clock: Clock;

  constructor(name: string, sink: VlogSink, clock: Clock) {
    this.name = name;
    this.#sink = sink;
    this.#clock = clock;
  }

  /** For who must work to make the message. */
  isEnabled(level: MessageLevel): boolean {
    return this.#sink.isEnabled(this, level);
  }

  /** @param limit one per kind of message, for those that can repeat at will */
  log(level: MessageLevel, message: string, limit?: RateLimit): void {
    if (limit !== undefined && this.#isDropped(level, limit)) return;
    this.#sink.write(this, level, message);
  }

  emer(message: string, limit?: RateLimit): void {
    this.log('emer', message, limit);
  }

  err(message: string, limit?: RateLimit): void {
    this.log('err', message, limit);
  }

  warn(message: string, limit?: RateLimit): void {
    this.log('warn', message, limit);
  }

  info(message: string, limit?: RateLimit): void {
    this.log('info', message, limit);
  }

  dbg(message: string, limit?: RateLimit): void {
    this.log('dbg', message, limit);
  }

  /** What would go nowhere is dropped uncounted: it uses up nothing of the limit. */
  #isDropped(level: MessageLevel, limit: RateLimit): boolean {
    if (!this.honoursRateLimits) return false;
    if (!this.isEnabled(level)) return true;
    const now = this.#clock.now();
    if (!limit.admit(now)) return true;
    const report = limit.takeReport(now);
    if (report !== undefined) this.log(level, report);
    return false;
  }
}
