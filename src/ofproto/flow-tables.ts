/**
 * A bridge's flow tables, 0 to 254: adding, modifying, deleting and finding
 * rules as OpenFlow defines it.
 *
 * Rules carry the versions in which they are visible (classifier.ts). A change
 * is prepared in the next version and appears at once when `version` moves on,
 * so nobody sees half of a bundle.
 */

import { TupleSpaceClassifier } from '../classifier/tuple-space.ts';
import type { Match } from '../flow/match.ts';
import { formatMatch } from '../flow/match-format.ts';
import { TapflowError } from '../lib/error.ts';
import type { Action } from '../openflow/action.ts';
import { DEFAULT_PRIORITY, type FlowSpec } from '../openflow/parse-flow.ts';
import { Rule } from './rule.ts';

export class FlowTables {
  readonly #tables: (TupleSpaceClassifier<Rule> | undefined)[] = [];
  /** What `lookup` sees. */
  #version = 1;
  #nextSequence = 0;
  /** Rules that end by themselves. */
  readonly timed = new Set<Rule>();

  get isEmpty(): boolean {
    return this.#tables.every((table) => table === undefined || table.size === 0);
  }

  /** The rule that a flow meets in a table. ORs what that depended on into `wildcards`. */
  lookup(table: number, flow: Int32Array, wildcards: Int32Array): Rule | undefined {
    return this.#tables[table]?.lookup(flow, this.#version, wildcards);
  }

  /** Adds a flow; one with the same match and priority makes way for it. @throws TapflowError */
  add(spec: FlowSpec, now: number): Rule {
    if (spec.flags.includes('check_overlap')) this.#checkOverlap(spec);
    const rule = this.#insert(spec, now);
    this.#commit();
    return rule;
  }

  /**
   * Gives all selected rules other actions; if there are none, adds the flow
   * (unless the selection was by cookie).
   *
   * @returns how many there were
   */
  modify(spec: FlowSpec, strict: boolean, now: number): number {
    const rules = this.select(spec, strict);
    for (const rule of rules) {
      rule.actions = spec.actions;
      rule.modified = now;
      if (spec.cookie !== undefined && spec.cookieMask === 0n) rule.cookie = spec.cookie;
    }
    if (rules.length === 0 && spec.cookieMask === 0n) this.add(spec, now);
    return rules.length;
  }

  /** @returns what was deleted */
  delete(spec: FlowSpec, strict: boolean): Rule[] {
    const rules = this.select(spec, strict);
    this.remove(rules);
    return rules;
  }

  remove(rules: readonly Rule[]): void {
    for (const rule of rules) this.#retire(rule);
    this.#commit();
  }

  /** Strictly: same priority and match; else all that are at least as specific. */
  select(spec: FlowSpec, strict: boolean): Rule[] {
    const rules = strict
      ? this.#same(spec)
      : [...this].filter((rule) => isWithin(rule, spec.match));
    return rules.filter((rule) => isSelected(rule, spec));
  }

  /** By table, by descending priority in it, and those alike as they were added. */
  sorted(rules: readonly Rule[]): Rule[] {
    return rules.toSorted(
      (a, b) => a.table - b.table || b.priority - a.priority || a.sequence - b.sequence,
    );
  }

  *[Symbol.iterator](): IterableIterator<Rule> {
    for (const table of this.#tables) {
      if (table === undefined) continue;
      for (const rule of table) if (rule.removedIn > this.#version) yield rule;
    }
  }

  #same({ table, match, priority }: FlowSpec): Rule[] {
    const tables = table === undefined ? this.#tables : [this.#tables[table]];
    return tables
      .map((classifier) => classifier?.find(match.value, match.mask, priority, this.#version))
      .filter((rule): rule is Rule => rule !== undefined);
  }

  #insert(spec: FlowSpec, now: number): Rule {
    const rule = new Rule(spec, now);
    const next = this.#version + 1;
    const table = this.#tables[rule.table] ?? new TupleSpaceClassifier<Rule>();
    this.#tables[rule.table] = table;
    const before = table.find(rule.value, rule.mask, rule.priority, next);
    if (before !== undefined) this.#retire(before);
    rule.addedIn = next;
    rule.sequence = this.#nextSequence++;
    table.insert(rule);
    if (rule.idleTimeout > 0 || rule.hardTimeout > 0) this.timed.add(rule);
    return rule;
  }

  /** In the next version it is gone. */
  #retire(rule: Rule): void {
    rule.removedIn = this.#version + 1;
    this.#retired.push(rule);
    this.timed.delete(rule);
  }

  #retired: Rule[] = [];

  /** The next version becomes the one that is seen. */
  #commit(): void {
    this.#version++;
    for (const rule of this.#retired) this.#tables[rule.table]?.remove(rule);
    this.#retired = [];
  }

  #checkOverlap(spec: FlowSpec): void {
    for (const rule of this) {
      if (rule.table !== (spec.table ?? 0) || rule.priority !== spec.priority) continue;
      if (overlaps(rule, spec.match)) {
        throw new TapflowError(
          'OVERLAP',
          `the flow overlaps ${ruleTitle(rule.table, rule)}: give it another priority`,
        );
      }
    }
  }
}

/** ` 0. in_port=1, priority 10, cookie 0x1`, as ofproto/trace names a table's answer. */
export function ruleTitle(table: number, rule: Rule | undefined): string {
  const number = `${String(table).padStart(2)}. `;
  if (rule === undefined) return `${number}No match.`;
  const match = formatMatch(rule.match);
  const cookie = rule.cookie === 0n ? '' : `, cookie 0x${rule.cookie.toString(16)}`;
  return `${number}${match === '' ? '' : `${match}, `}priority ${rule.priority}${cookie}`;
}

/** As `ovs-ofctl dump-flows` prints it. @param now milliseconds of the clock */
export function formatRule(rule: Rule, now: number, actions: string): string {
  const idleAge = Math.floor((now - rule.used) / 1000);
  const duration = (now - rule.added) / 1000;
  const hardAge = Math.floor((now - rule.modified) / 1000);
  const parts = [
    `cookie=0x${rule.cookie.toString(16)}, duration=${duration.toFixed(3)}s, table=${rule.table}, `,
    `n_packets=${rule.packets}, n_bytes=${rule.bytes}, `,
    rule.idleTimeout > 0 ? `idle_timeout=${rule.idleTimeout}, ` : '',
    rule.hardTimeout > 0 ? `hard_timeout=${rule.hardTimeout}, ` : '',
    rule.flags.map((flag) => `${flag} `).join(''),
    rule.importance > 0 ? `importance=${rule.importance}, ` : '',
    `idle_age=${idleAge}, `,
    rule.modified !== rule.added && hardAge !== Math.floor(duration) ? `hard_age=${hardAge}, ` : '',
    formatPriorityAndMatch(rule),
    `actions=${actions}`,
  ];
  return ` ${parts.join('')}`;
}

function formatPriorityAndMatch(rule: Rule): string {
  const priority = rule.priority === DEFAULT_PRIORITY ? '' : `priority=${rule.priority}`;
  const match = formatMatch(rule.match);
  const text = [priority, match].filter((part) => part !== '').join(',');
  return text === '' ? '' : `${text} `;
}

/** Whether every flow that fulfils the rule fulfils the match. */
function isWithin(rule: Rule, { value, mask }: Match): boolean {
  for (let i = 0; i < mask.length; i++) {
    if ((rule.mask[i] & mask[i]) !== mask[i]) return false;
    if (((rule.value[i] ^ value[i]) & mask[i]) !== 0) return false;
  }
  return true;
}

/** Whether some flow fulfils both. */
function overlaps(rule: Rule, { value, mask }: Match): boolean {
  for (let i = 0; i < mask.length; i++) {
    if (((rule.value[i] ^ value[i]) & rule.mask[i] & mask[i]) !== 0) return false;
  }
  return true;
}

function isSelected(rule: Rule, spec: FlowSpec): boolean {
  if (spec.table !== undefined && rule.table !== spec.table) return false;
  if (((rule.cookie ^ (spec.cookie ?? 0n)) & spec.cookieMask) !== 0n) return false;
  return spec.outPort === undefined || outputsTo(rule.actions, spec.outPort);
}

const outputsTo = (actions: readonly Action[], port: number): boolean =>
  actions.some((action) => action.kind === 'output' && action.port === port);
