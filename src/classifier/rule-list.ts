/**
 * Rules with the same mask and value, which differ in priority or in the
 * versions that see them: a list, highest priority first. Most have one rule.
 */
import { type ClassifierRule, isVisible } from './classifier.ts';

export interface RuleList<Rule extends ClassifierRule> {
  readonly value: Int32Array;
  readonly rule: Rule;
  /** Equal or lower priority. */
  next: RuleList<Rule> | undefined;
}

/** @returns the list with the rule in it */
export function listWith<Rule extends ClassifierRule>(
  list: RuleList<Rule> | undefined,
  rule: Rule,
): RuleList<Rule> {
  if (list === undefined || list.rule.priority < rule.priority) {
    return { value: rule.value, rule, next: list };
  }
  let before = list;
  while (before.next !== undefined && before.next.rule.priority >= rule.priority) {
    before = before.next;
  }
  before.next = { value: rule.value, rule, next: before.next };
  return list;
}

/** @returns the list without the rule, undefined if nothing is left of it */
export function listWithout<Rule extends ClassifierRule>(
  list: RuleList<Rule>,
  rule: Rule,
): RuleList<Rule> | undefined {
  if (list.rule === rule) return list.next;
  let before = list;
  while (before.next !== undefined && before.next.rule !== rule) before = before.next;
  before.next = before.next?.next;
  return list;
}

export function listHas<Rule extends ClassifierRule>(
  list: RuleList<Rule> | undefined,
  rule: Rule,
): boolean {
  let node = list;
  while (node !== undefined && node.rule !== rule) node = node.next;
  return node !== undefined;
}

export function firstVisible<Rule extends ClassifierRule>(
  list: RuleList<Rule> | undefined,
  version: number,
): Rule | undefined {
  let node = list;
  while (node !== undefined && !isVisible(node.rule, version)) node = node.next;
  return node?.rule;
}

export function visibleWithPriority<Rule extends ClassifierRule>(
  list: RuleList<Rule> | undefined,
  priority: number,
  version: number,
): Rule | undefined {
  let node = list;
  while (node !== undefined) {
    if (node.rule.priority === priority && isVisible(node.rule, version)) return node.rule;
    node = node.next;
  }
  return undefined;
}
