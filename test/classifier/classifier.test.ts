/** What every classifier engine must do; each test runs on each engine. */
import { describe, expect, it } from 'vitest';
import { type Classifier, NEVER } from '../../src/classifier/classifier.ts';
import { LinearClassifier } from '../../src/classifier/linear.ts';
import { TupleSpaceClassifier } from '../../src/classifier/tuple-space.ts';
import * as key from '../../src/flow/key.ts';
import {
  changeOutside,
  Random,
  randomFlow,
  randomRule,
  type TestRule,
  withoutTwins,
} from './random-rules.ts';

type Fields = readonly (readonly [word: number, value: number, mask?: number])[];

function rule(name: string, priority: number, fields: Fields): TestRule {
  const value = new Int32Array(key.FLOW_WORDS);
  const mask = new Int32Array(key.FLOW_WORDS);
  for (const [word, bits, covered = -1] of fields) {
    value[word] = bits & covered;
    mask[word] = covered;
  }
  return { name, priority, value, mask, addedIn: 0, removedIn: NEVER };
}

function flow(fields: Fields): Int32Array {
  return rule('', 0, fields).value;
}

/** Distinct rules, and flows of which most match some. */
function randomCase(seed: number, ruleCount: number, flowCount: number, versions = false) {
  const random = new Random(seed);
  const drawn = Array.from({ length: ruleCount }, (_, i) => randomRule(random, `r${i}`, versions));
  const rules = withoutTwins(drawn);
  const flows = Array.from({ length: flowCount }, () => randomFlow(random, rules));
  return { random, rules, flows };
}

/** The priority that a search by definition gives. */
function bestPriority(rules: readonly TestRule[], flow: Int32Array, version: number) {
  return rules
    .filter((r) => r.addedIn <= version && version < r.removedIn)
    .filter((r) => r.mask.every((bits, i) => ((flow[i] ^ r.value[i]) & bits) === 0))
    .reduce((best, r) => Math.max(best, r.priority), -1);
}

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

const engines: [string, () => Classifier<TestRule>][] = [
  ['LinearClassifier', () => new LinearClassifier<TestRule>()],
  ['TupleSpaceClassifier', () => new TupleSpaceClassifier<TestRule>()],
];

describe.each(engines)('%s', (_, create) => {
  function filled(rules: readonly TestRule[]): Classifier<TestRule> {
    const classifier = create();
    for (const r of rules) classifier.insert(r);
    return classifier;
  }

  it('finds nothing when empty, and looks at nothing', () => {
    const wildcards = new Int32Array(key.FLOW_WORDS);
    expect(create().lookup(flow([[key.IN_PORT, 1]]), 0, wildcards)).toBeUndefined();
    expect(wildcards.every((bits) => bits === 0)).toBe(true);
  });

  it('matches every flow with a rule that has no mask', () => {
    const all = rule('all', 0, []);
    expect(filled([all]).lookup(flow([[key.TP, 7]]), 0)).toBe(all);
  });

  it('prefers the higher priority, whatever the order of insertion', () => {
    const low = rule('low', 1, [[key.IN_PORT, 1]]);
    const high = rule('high', 2, [[key.NW_DST, 5]]);
    const packet = flow([
      [key.IN_PORT, 1],
      [key.NW_DST, 5],
    ]);
    expect(filled([low, high]).lookup(packet, 0)).toBe(high);
    expect(filled([high, low]).lookup(packet, 0)).toBe(high);
  });

  it('falls back to the lower of two priorities with one match when the higher is removed', () => {
    const low = rule('low', 1, [[key.IN_PORT, 1]]);
    const high = rule('high', 2, [[key.IN_PORT, 1]]);
    const classifier = filled([low, high]);
    expect(classifier.remove(high)).toBe(true);
    expect(classifier.lookup(flow([[key.IN_PORT, 1]]), 0)).toBe(low);
    expect(classifier.size).toBe(1);
  });

  it('says of a rule that is not there that it was not', () => {
    const here = rule('here', 1, [[key.IN_PORT, 1]]);
    const classifier = filled([here]);
    expect(classifier.remove(rule('twin', 1, [[key.IN_PORT, 1]]))).toBe(false);
    expect(classifier.remove(rule('other mask', 1, [[key.TP, 1]]))).toBe(false);
    expect(classifier.remove(rule('other value', 1, [[key.IN_PORT, 2]]))).toBe(false);
    expect(classifier.size).toBe(1);
  });

  it('shows a rule to the versions from addedIn up to before removedIn', () => {
    const old = { ...rule('old', 5, [[key.IN_PORT, 1]]), removedIn: 2 };
    const young = { ...rule('young', 5, [[key.IN_PORT, 1]]), addedIn: 2, removedIn: 4 };
    const classifier = filled([old, young]);
    const seen = [1, 2, 3, 4].map((v) => classifier.lookup(flow([[key.IN_PORT, 1]]), v)?.name);
    expect(seen).toEqual(['old', 'young', 'young', undefined]);
    expect(classifier.find(old.value, old.mask, 5, 3)).toBe(young);
  });

  it('sees a version that was set after insertion', () => {
    const r = rule('r', 5, [[key.IN_PORT, 1]]);
    const classifier = filled([r]);
    r.removedIn = 7;
    expect(classifier.lookup(flow([[key.IN_PORT, 1]]), 6)).toBe(r);
    expect(classifier.lookup(flow([[key.IN_PORT, 1]]), 7)).toBeUndefined();
  });

  it('finds a rule by exactly its priority, value and mask', () => {
    const wide = rule('wide', 9, [[key.NW_SRC, 0x0a000000, 0xff000000]]);
    const narrow = rule('narrow', 9, [[key.NW_SRC, 0x0a000000, 0xffff0000]]);
    const classifier = filled([wide, narrow]);
    expect(classifier.find(narrow.value, narrow.mask, 9, 0)).toBe(narrow);
    expect(classifier.find(narrow.value, narrow.mask, 8, 0)).toBeUndefined();
    expect(classifier.find(flow([[key.NW_SRC, 0x0b000000]]), wide.mask, 9, 0)).toBeUndefined();
  });

  it('walks over every rule once', () => {
    const { rules } = randomCase(7, 200, 0);
    expect(new Set(filled(rules))).toEqual(new Set(rules));
    expect([...filled(rules)]).toHaveLength(rules.length);
  });

  it('bears removals and insertions during a walk, and skips what was removed', () => {
    const { rules } = randomCase(8, 200, 0);
    const classifier = filled(rules);
    const walked: TestRule[] = [];
    for (const r of classifier) {
      walked.push(r);
      for (const other of rules) if (other !== r && other.mask[key.TP]) classifier.remove(other);
      classifier.remove(r);
      classifier.insert({ ...r, name: 'new' });
    }
    expect(new Set(walked).size).toBe(walked.length);
    expect(walked.length).toBeLessThan(rules.length);
    expect(walked.some((r) => r.name === 'new')).toBe(false);
  });

  it.each(SEEDS)('gives the highest matching priority (seed %i)', (seed) => {
    const { rules, flows } = randomCase(seed, 120, 150, seed % 2 === 0);
    const classifier = filled(rules);
    for (const packet of flows) {
      const version = seed % 4;
      const priority = classifier.lookup(packet, version)?.priority ?? -1;
      expect(priority).toBe(bestPriority(rules, packet, version));
    }
  });

  it.each(SEEDS)('stays right through insertions and removals (seed %i)', (seed) => {
    const { random, rules, flows } = randomCase(seed, 150, 60);
    const classifier = create();
    const present = new Set<TestRule>();
    for (let step = 0; step < 600; step++) {
      const r = random.pick(rules);
      if (present.has(r)) expect(classifier.remove(r)).toBe(true);
      else classifier.insert(r);
      if (!present.delete(r)) present.add(r);
      const packet = random.pick(flows);
      const priority = classifier.lookup(packet, 0)?.priority ?? -1;
      expect(priority).toBe(bestPriority([...present], packet, 0));
    }
    expect(classifier.size).toBe(present.size);
    expect(new Set(classifier)).toEqual(present);
  });

  it.each(SEEDS)('answers the same for flows that agree on the wildcards (seed %i)', (seed) => {
    const { random, rules, flows } = randomCase(seed, 4 + seed * 4, 60, seed % 2 === 0);
    const classifier = filled(rules);
    for (const packet of flows) {
      const wildcards = new Int32Array(key.FLOW_WORDS);
      const winner = classifier.lookup(packet, 1, wildcards);
      for (let trial = 0; trial < 20; trial++) {
        const changed = changeOutside(random, packet, wildcards, rules);
        expect(classifier.lookup(changed, 1)).toBe(winner);
      }
    }
  });

  it('adds to the wildcards and takes nothing from them', () => {
    const wildcards = new Int32Array(key.FLOW_WORDS).fill(0x10);
    filled([rule('r', 1, [[key.IN_PORT, 1]])]).lookup(flow([[key.IN_PORT, 1]]), 0, wildcards);
    expect(wildcards[key.IN_PORT]).toBe(-1);
    expect(wildcards[key.TP]).toBe(0x10);
  });
});
