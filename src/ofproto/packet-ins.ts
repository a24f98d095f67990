/**
 * What the cookies in datapath USERSPACE actions stand for: which bridge, rule
 * and table sent a packet to the controller, why, and how much of it.
 *
 * Equal ones share a cookie. Megaflows hold theirs (`hold`, `release`); what
 * none holds is forgotten some time later, because a packet that was executed
 * without a megaflow may still be on its way up. Cookies are never used again.
 */
import type { PacketInReason } from '../openflow/action.ts';
import type { Pipeline } from './pipeline.ts';
import type { Rule } from './rule.ts';

/** An `action` of a table-miss rule is an explicit miss: controllers are told `no_match`. */
export type ContextReason = PacketInReason | 'explicit_miss';

export interface PacketInContext {
  pipeline: Pipeline;
  rule: Rule | undefined;
  table: number;
  reason: ContextReason;
  maxLen: number;
}

export class PacketIns {
  readonly #entries = new Map<number, Entry>();
  readonly #byPipeline = new Map<Pipeline, Map<Rule | undefined, Entry[]>>();
  readonly #unheld: () => void;
  #nextCookie = 1;

  /** @param unheld called when `collect` has got something to forget */
  constructor(unheld: () => void) {
    this.#unheld = unheld;
  }

  cookieFor(
    pipeline: Pipeline,
    rule: Rule | undefined,
    table: number,
    reason: ContextReason,
    maxLen: number,
  ): number {
    const entries = this.#entriesOf(pipeline, rule);
    const known = entries.find(
      (entry) => entry.table === table && entry.reason === reason && entry.maxLen === maxLen,
    );
    const entry = known ?? this.#add(entries, { pipeline, rule, table, reason, maxLen });
    entry.isRecent = true;
    return entry.cookie;
  }

  get(cookie: number): PacketInContext | undefined {
    return this.#entries.get(cookie);
  }

  /** As ofproto/trace prints what goes to the slow path. */
  describe(cookie: number, maxSize: number): string {
    const context = this.#entries.get(cookie);
    const reason = REASONS[context?.reason ?? 'action'];
    const ruleCookie = context?.rule?.cookie ?? 0n;
    const ruleText = ruleCookie === 0n ? '0' : `0x${ruleCookie.toString(16)}`;
    const isHeard = 'dont_send=0,continuation=0';
    return `controller(reason=${reason},${isHeard},recirc_id=${cookie},rule_cookie=${ruleText},controller_id=0,max_len=${maxSize})`;
  }

  hold(cookies: readonly number[]): void {
    for (const cookie of cookies) this.#count(cookie, 1);
  }

  release(cookies: readonly number[]): void {
    for (const cookie of cookies) this.#count(cookie, -1);
  }

  /**
   * Forgets what nobody has held or asked for since the last call but one.
   *
   * @returns whether there is something left to forget
   */
  collect(): boolean {
    let isLeft = false;
    for (const entry of this.#entries.values()) {
      if (entry.holders === 0 && !entry.isRecent) this.#drop(entry);
      else if (entry.holders === 0) isLeft = true;
      entry.isRecent = false;
    }
    return isLeft;
  }

  #count(cookie: number, holders: number): void {
    const entry = this.#entries.get(cookie);
    if (entry === undefined) return;
    entry.holders += holders;
    entry.isRecent = true;
    if (entry.holders === 0) this.#unheld();
  }

  #entriesOf(pipeline: Pipeline, rule: Rule | undefined): Entry[] {
    let rules = this.#byPipeline.get(pipeline);
    if (rules === undefined) {
      rules = new Map();
      this.#byPipeline.set(pipeline, rules);
    }
    let entries = rules.get(rule);
    if (entries === undefined) {
      entries = [];
      rules.set(rule, entries);
    }
    return entries;
  }

  #add(entries: Entry[], context: PacketInContext): Entry {
    const entry = { ...context, cookie: this.#nextCookie++, holders: 0, isRecent: true };
    this.#entries.set(entry.cookie, entry);
    entries.push(entry);
    this.#unheld();
    return entry;
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.cookie);
    const rules = this.#byPipeline.get(entry.pipeline);
    const rest = rules?.get(entry.rule)?.filter((other) => other !== entry) ?? [];
    if (rest.length > 0) rules?.set(entry.rule, rest);
    else rules?.delete(entry.rule);
    if (rules?.size === 0) this.#byPipeline.delete(entry.pipeline);
  }
}

interface Entry extends PacketInContext {
  cookie: number;
  /** Megaflows whose actions carry the cookie. */
  holders: number;
  isRecent: boolean;
}

/** OFPR_* numbers. */
const REASONS = { no_match: 0, action: 1, invalid_ttl: 2, explicit_miss: 6 } as const;
