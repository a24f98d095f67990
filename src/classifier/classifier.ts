/**
 * The classifier: of all rules that match a flow, the one with the highest
 * priority; and which bits of the flow that answer depended on.
 *
 * Flows and masks are Int32Arrays of FLOW_WORDS words (flow/key.ts). Two
 * engines implement the interface, and one test suite holds them both:
 * TupleSpaceClassifier, used by the switch, and LinearClassifier, its oracle.
 */

/** What the classifier needs to know of a rule; callers extend it. */
export interface ClassifierRule {
  readonly priority: number;
  /** FLOW_WORDS words; value bits outside the mask are 0. */
  readonly value: Int32Array;
  readonly mask: Int32Array;
  /** The rule is seen by versions from `addedIn` up to but not including `removedIn`. */
  addedIn: number;
  removedIn: number;
}
export const NEVER = Number.MAX_SAFE_INTEGER;

/** Whether lookups in this version see the rule. */
export function isVisible(rule: ClassifierRule, version: number): boolean {
  return rule.addedIn <= version && version < rule.removedIn;
}

export interface Classifier<Rule extends ClassifierRule> {
  readonly size: number;
  /** Adds a rule. Two rules visible in one version never have equal priority, value and mask. */
  insert(rule: Rule): void;
  /** @returns whether it was there */
  remove(rule: Rule): boolean;
  /**
   * The visible rule of highest priority that matches; of several with one
   * priority, any. ORs into `wildcards` (FLOW_WORDS words, if given) every bit
   * the decision looked at: another flow that agrees with this one on those
   * bits gets the same answer.
   */
  lookup(flow: Int32Array, version: number, wildcards?: Int32Array): Rule | undefined;
  /** The visible rule with exactly this priority, value and mask. */
  find(value: Int32Array, mask: Int32Array, priority: number, version: number): Rule | undefined;
  /** Every rule, in no order; rules may be inserted and removed during the walk. */
  [Symbol.iterator](): IterableIterator<Rule>;
}
