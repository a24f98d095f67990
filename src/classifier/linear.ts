/**
 * The classifier as one would explain it: go through the rules, best first,
 * until one matches. The oracle that tests and benches hold the tuple space
 * classifier against.
 *
 * Its wildcards are the masks of all rules that it compared: sound, but far
 * from the fewest bits.
 */
import { type Classifier, type ClassifierRule, isVisible } from './classifier.ts';

export class LinearClassifier<Rule extends ClassifierRule> implements Classifier<Rule> {
  /** By priority, descending. */
  #rules: Rule[] = [];

  get size(): number {
    return this.#rules.length;
  }

  insert(rule: Rule): void {
    const at = this.#rules.findIndex((other) => other.priority < rule.priority);
    this.#rules.splice(at < 0 ? this.#rules.length : at, 0, rule);
  }

  remove(rule: Rule): boolean {
    const isThere = this.#rules.includes(rule);
    this.#rules = this.#rules.filter((other) => other !== rule);
    return isThere;
  }

  lookup(flow: Int32Array, version: number, wildcards?: Int32Array): Rule | undefined {
    return this.#rules.find((rule) => {
      if (!isVisible(rule, version)) return false;
      rule.mask.forEach((bits, word) => {
        if (wildcards !== undefined) wildcards[word] |= bits;
      });
      return rule.mask.every((bits, word) => ((flow[word] ^ rule.value[word]) & bits) === 0);
    });
  }

  find(value: Int32Array, mask: Int32Array, priority: number, version: number): Rule | undefined {
    return this.#rules.find(
      (rule) =>
        rule.priority === priority &&
        isVisible(rule, version) &&
        mask.every((bits, word) => bits === rule.mask[word]) &&
        mask.every((bits, word) => ((value[word] ^ rule.value[word]) & bits) === 0),
    );
  }

  *[Symbol.iterator](): IterableIterator<Rule> {
    for (const rule of [...this.#rules]) {
      if (this.#rules.includes(rule)) yield rule;
    }
  }
}
