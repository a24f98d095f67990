/**
 * The classifier the switch uses: tuple space search, in two levels.
 *
 * Rules with the same mask can be kept in one hash table, a subtable, so that
 * finding the one that matches a flow costs one hash lookup for each different
 * mask. Here that is done twice: for the early part of the mask (metadata, L2,
 * protocol) and, among the rules that agree there, which form a partition, for
 * the late part (addresses, ports). So a flow meets only the masks, and only the
 * prefixes, of its own protocol and its own logical datapath.
 *
 *   classifier --- subtables by early mask, by highest priority
 *                    `-- partition (partition.ts): all rules with one early match
 *                          |-- subtables by late mask, by highest priority
 *                          |     `-- rules with one value (rule-list.ts)
 *                          `-- prefix tries, which rule subtables out (prefix-filter.ts)
 *
 * What keeps down the time and the number of bits that a decision depends on:
 * the search ends when no remaining subtable can beat the match at hand; within
 * a subtable it goes in stages (stages.ts) and stops at the first that has no
 * match; and a subtable is not searched if tries show that no prefix matches.
 *
 * A lookup allocates nothing, but for the first after a change of the masks in
 * use or of their order.
 */
import { randomInt } from 'node:crypto';
import type { Classifier, ClassifierRule } from './classifier.ts';
import { LayoutTable } from './layout-table.ts';
import type { MaskLayout } from './mask-layout.ts';
import { Partition } from './partition.ts';
import { listHas, type RuleList, visibleWithPriority } from './rule-list.ts';
import { EARLY_STAGES, LATE_STAGES } from './stages.ts';
import { Subtable, sortByPriority } from './subtable.ts';

export class TupleSpaceClassifier<Rule extends ClassifierRule> implements Classifier<Rule> {
  size = 0;
  /** By highest priority, descending. */
  readonly #subtables: Subtable<Partition<Rule>>[] = [];
  readonly #earlyLayouts = new LayoutTable(EARLY_STAGES);
  readonly #lateLayouts = new LayoutTable(LATE_STAGES);
  /** Random: learned rules come from traffic, and nobody shall choose rules that collide. */
  readonly #seed = randomInt(2 ** 32) | 0;

  insert(rule: Rule): void {
    const subtable = this.#subtableFor(this.#earlyLayouts.acquire(rule.mask));
    let partition = subtable.entryOf(rule.value);
    if (partition === undefined) {
      partition = new Partition<Rule>(rule.value);
      subtable.add(partition);
    }
    partition.insert(rule, this.#lateLayouts.acquire(rule.mask), this.#seed);
    if (subtable.priorities.add(rule.priority)) sortByPriority(this.#subtables, subtable);
    this.size++;
  }

  remove(rule: Rule): boolean {
    const subtable = this.#subtableWith(this.#earlyLayouts.get(rule.mask));
    const partition = subtable?.entryOf(rule.value);
    const layout = this.#lateLayouts.get(rule.mask);
    if (subtable === undefined || layout === undefined) return false;
    if (!partition?.remove(rule, layout)) return false;
    if (partition.isEmpty) subtable.delete(partition);
    if (subtable.priorities.remove(rule.priority)) this.#rearrange(subtable);
    this.#earlyLayouts.release(subtable.layout);
    this.#lateLayouts.release(layout);
    this.size--;
    return true;
  }

  lookup(flow: Int32Array, version: number, wildcards?: Int32Array): Rule | undefined {
    const subtables = this.#subtables;
    let best: Rule | undefined;
    for (let i = 0; i < subtables.length; i++) {
      const subtable = subtables[i];
      if (best !== undefined && subtable.priorities.highest <= best.priority) break;
      const partition = subtable.search(flow, wildcards);
      if (partition !== undefined) best = partition.search(flow, version, best, wildcards);
    }
    return best;
  }

  find(value: Int32Array, mask: Int32Array, priority: number, version: number): Rule | undefined {
    return visibleWithPriority(this.#listOf(value, mask), priority, version);
  }

  /** Yields the rules that were there when the walk began and still are when it comes to them. */
  *[Symbol.iterator](): IterableIterator<Rule> {
    const rules: Rule[] = [];
    for (const subtable of this.#subtables) {
      for (const partition of subtable) {
        for (const list of partition.lists()) appendRules(list, rules);
      }
    }
    for (const rule of rules) {
      if (listHas(this.#listOf(rule.value, rule.mask), rule)) yield rule;
    }
  }

  #listOf(value: Int32Array, mask: Int32Array): RuleList<Rule> | undefined {
    const subtable = this.#subtableWith(this.#earlyLayouts.get(mask));
    const layout = this.#lateLayouts.get(mask);
    return layout && subtable?.entryOf(value)?.listOf(value, layout);
  }

  #subtableFor(layout: MaskLayout): Subtable<Partition<Rule>> {
    const known = this.#subtableWith(layout);
    if (known !== undefined) return known;
    const subtable = new Subtable<Partition<Rule>>(layout, this.#seed);
    this.#subtables.push(subtable);
    return subtable;
  }

  #subtableWith(layout: MaskLayout | undefined): Subtable<Partition<Rule>> | undefined {
    return this.#subtables.find((subtable) => subtable.layout === layout);
  }

  /** Puts a subtable in its place, or away, after its highest priority changed. */
  #rearrange(subtable: Subtable<Partition<Rule>>): void {
    if (!subtable.priorities.isEmpty) sortByPriority(this.#subtables, subtable);
    else this.#subtables.splice(this.#subtables.indexOf(subtable), 1);
  }
}

function appendRules<Rule extends ClassifierRule>(list: RuleList<Rule>, to: Rule[]): void {
  for (let node: RuleList<Rule> | undefined = list; node; node = node.next) to.push(node.rule);
}
