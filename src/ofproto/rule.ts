/**
 * A rule: one flow of a flow table, with its counters.
 */
import { type ClassifierRule, NEVER } from '../classifier/classifier.ts';
import type { Match } from '../flow/match.ts';
import type { Action } from '../openflow/action.ts';
import type { FlowSpec } from '../openflow/parse-flow.ts';

export class Rule implements ClassifierRule {
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  readonly value: Int32Array;
  readonly mask: Int32Array;
  addedIn = 0;
  /** Grows with each rule that its tables are given. */
  sequence = 0;
  removedIn: number = NEVER;

  actions: readonly Action[];
  cookie: bigint;
  /** Seconds; 0: none. */
  idleTimeout: number;
  hardTimeout: number;
  readonly importance: number;
  readonly flags: readonly string[];

  /** Milliseconds of the clock. */
  readonly added: number;
  modified: number;
  used: number;
  packets = 0;
  bytes = 0;

  constructor(spec: FlowSpec, now: number) {
    this.table = spec.table ?? 0;
    this.priority = spec.priority;
    this.match = spec.match;
    this.value = spec.match.value;
    this.mask = spec.match.mask;
    this.actions = spec.actions;
    this.cookie = spec.cookie ?? 0n;
    this.idleTimeout = spec.idleTimeout;
    this.hardTimeout = spec.hardTimeout;
    this.importance = spec.importance;
    this.flags = spec.flags;
    this.added = now;
    this.modified = now;
    this.used = now;
  }

  /** OpenFlow 1.3's table-miss entry: lowest priority, matches everything. */
  get isTableMiss(): boolean {
    return this.priority === 0 && this.mask.every((word) => word === 0);
  }

  /** Counts packets that matched, the last of them at `used`. */
  credit(packets: number, bytes: number, used: number): void {
    this.packets += packets;
    this.bytes += bytes;
    if (used > this.used) this.used = used;
  }
}
