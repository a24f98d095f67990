/**
 * A partition: all rules that agree on their match on metadata, L2 and protocol
 * and differ in what they match of addresses, ports and the like.
 *
 * Rules that match on none of the latter form one list. The others stand in
 * subtables by the late part of their mask, in order of highest priority; a
 * PrefixFilter picks the subtables worth a search.
 */
import type { ClassifierRule } from './classifier.ts';
import type { MaskLayout } from './mask-layout.ts';
import { PrefixFilter } from './prefix-filter.ts';
import { NO_PRIORITY } from './priority-counts.ts';
import { firstVisible, listHas, listWith, listWithout, type RuleList } from './rule-list.ts';
import { Subtable, sortByPriority } from './subtable.ts';

export class Partition<Rule extends ClassifierRule> {
  /** The value of one of its rules: all agree on the bits that lead here. */
  readonly value: Int32Array;
  /** Rules with no late match. */
  #plain: RuleList<Rule> | undefined;
  /** By highest priority, descending. */
  readonly #subtables: Subtable<RuleList<Rule>>[] = [];
  #filter: PrefixFilter | undefined;

  constructor(value: Int32Array) {
    this.value = value;
  }

  get isEmpty(): boolean {
    return this.#plain === undefined && this.#subtables.length === 0;
  }

  /** The match of highest priority, if that is higher than `best`'s; else `best`. */
  search(
    flow: Int32Array,
    version: number,
    best: Rule | undefined,
    wildcards: Int32Array | undefined,
  ): Rule | undefined {
    const plain = firstVisible(this.#plain, version);
    const isBetter = plain !== undefined && (best === undefined || plain.priority > best.priority);
    const soFar = isBetter ? plain : best;
    if (this.#filter === undefined) return soFar;
    return this.#searchSubtables(this.#filter, flow, version, soFar, wildcards);
  }

  /** @param layout of the late part of the rule's mask */
  insert(rule: Rule, layout: MaskLayout, seed: number): void {
    if (layout.words.length === 0) {
      this.#plain = listWith(this.#plain, rule);
      return;
    }
    const subtable = this.#subtableFor(layout, seed);
    const list = subtable.entryOf(rule.value);
    const longer = listWith(list, rule);
    if (list === undefined) subtable.add(longer);
    else subtable.replace(list, longer);
    this.#filter ??= new PrefixFilter();
    this.#filter.insert(rule.value, layout.prefixLengths);
    if (subtable.priorities.add(rule.priority)) this.#rearrange(subtable);
  }

  /** @returns whether it was there */
  remove(rule: Rule, layout: MaskLayout): boolean {
    if (layout.words.length === 0) return this.#removePlain(rule);
    const subtable = this.#subtableWith(layout);
    const list = subtable?.entryOf(rule.value);
    if (subtable === undefined || list === undefined || !listHas(list, rule)) return false;
    const rest = listWithout(list, rule);
    if (rest === undefined) subtable.delete(list);
    else subtable.replace(list, rest);
    this.#filter?.remove(rule.value, layout.prefixLengths);
    if (subtable.priorities.remove(rule.priority)) this.#rearrange(subtable);
    return true;
  }

  /** The rules with this value and a mask with this late part. */
  listOf(value: Int32Array, layout: MaskLayout): RuleList<Rule> | undefined {
    if (layout.words.length === 0) return this.#plain;
    return this.#subtableWith(layout)?.entryOf(value);
  }

  *lists(): IterableIterator<RuleList<Rule>> {
    if (this.#plain !== undefined) yield this.#plain;
    for (const subtable of this.#subtables) yield* subtable;
  }

  #searchSubtables(
    filter: PrefixFilter,
    flow: Int32Array,
    version: number,
    soFar: Rule | undefined,
    wildcards: Int32Array | undefined,
  ): Rule | undefined {
    let best = soFar;
    let bestRank = 0;
    filter.start(flow, this.#subtables);
    for (;;) {
      const rank = filter.next(best === undefined ? NO_PRIORITY : best.priority);
      if (rank < 0) break;
      const list = this.#subtables[rank].search(flow, wildcards);
      const found = firstVisible(list, version);
      if (found === undefined || (best !== undefined && found.priority <= best.priority)) continue;
      best = found;
      bestRank = rank;
    }
    if (wildcards !== undefined) {
      filter.addWildcards(wildcards, bestRank, best === undefined ? NO_PRIORITY : best.priority);
    }
    return best;
  }

  /** Puts a subtable in its place, or away, after its highest priority changed. */
  #rearrange(subtable: Subtable<RuleList<Rule>>): void {
    if (!subtable.priorities.isEmpty) sortByPriority(this.#subtables, subtable);
    else this.#subtables.splice(this.#subtables.indexOf(subtable), 1);
    if (this.#subtables.length === 0) this.#filter = undefined;
    else if (this.#filter !== undefined) this.#filter.isArranged = false;
  }

  #removePlain(rule: Rule): boolean {
    if (this.#plain === undefined || !listHas(this.#plain, rule)) return false;
    this.#plain = listWithout(this.#plain, rule);
    return true;
  }

  #subtableFor(layout: MaskLayout, seed: number): Subtable<RuleList<Rule>> {
    const known = this.#subtableWith(layout);
    if (known !== undefined) return known;
    const subtable = new Subtable<RuleList<Rule>>(layout, seed);
    this.#subtables.push(subtable);
    return subtable;
  }

  #subtableWith(layout: MaskLayout): Subtable<RuleList<Rule>> | undefined {
    return this.#subtables.find((subtable) => subtable.layout === layout);
  }
}
