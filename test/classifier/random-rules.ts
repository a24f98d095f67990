/**
 * Random rules and flows for the classifier's tests, dense enough that rules
 * overlap, share masks and match: few values a field, flows made by perturbing
 * rules.
 */
import type { ClassifierRule } from '../../src/classifier/classifier.ts';
import { NEVER } from '../../src/classifier/classifier.ts';
import * as key from '../../src/flow/key.ts';

export interface TestRule extends ClassifierRule {
  readonly name: string;
}

/** A seeded generator of integers: `below(n)` is uniform in 0..n-1. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 random bits (mulberry32). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return t ^ (t >>> 14);
  }

  below(limit: number): number {
    return (this.bits() >>> 0) % limit;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

/** Sets one word of a rule's mask and value. */
type Term = (value: Int32Array, mask: Int32Array, random: Random) => void;

const ADDRESSES = [0x0a000001, 0x0a000002, 0x0a008001, 0x0a800000, 0xc0a80001, 0xffffffff, 0];

function word(at: number, masks: readonly number[], values: readonly number[]): Term {
  return (value, mask, random) => {
    mask[at] |= random.pick(masks);
    value[at] |= random.pick(values);
  };
}

function ipv6(at: number): Term {
  return (value, mask, random) => {
    const length = random.pick([1, 31, 32, 33, 64, 65, 96, 127, 128]);
    for (let i = 0; i < 4; i++) {
      const bits = Math.min(32, Math.max(0, length - 32 * i));
      mask[at + i] = bits === 0 ? 0 : -1 << (32 - bits);
      value[at + i] = random.pick([0, 1, 0x20010db8, -1]);
    }
  };
}

const PREFIXES = [1, 8, 16, 17, 24, 31, 32].map((length) => -1 << (32 - length));

/** Each stage and each field with a trie occurs; some masks are no prefixes. */
const TERMS: readonly Term[] = [
  word(key.IN_PORT, [-1], [1, 2, 3]),
  word(key.REG_0 + 3, [-1, 0xff00, 1], [0, 1, 0x1234]),
  word(key.METADATA + 1, [0xf], [1, 2]),
  word(key.MAC_0, [-1, 0x01000000], [0x01000000, 0x02000000]),
  word(key.VLAN_0, [0x1fff], [0x1001, 0x1002]),
  word(key.PROTO, [-1 << 16, (-1 << 16) | 0xff00], [0x08000600, 0x08001100, 0x86dd0600]),
  word(key.SHAPE, [3], [0, 1, 3]),
  word(key.NW_SRC, [...PREFIXES, 0xff0000ff | 0], ADDRESSES),
  word(key.NW_DST, [...PREFIXES, 0x00ffff00], ADDRESSES),
  ipv6(key.IPV6_SRC),
  ipv6(key.IPV6_DST),
  word(key.VOLATILE, [0xff0000, 0x12, 0xff0012], [0x400002, 0x3f0012, 0]),
  word(
    key.TP,
    [-1, 0xffff, -1 << 16, 0xfff8, 0xfff0 << 16, 0x0f0f],
    [0x00500050, 0x1f90, 53 << 16],
  ),
];

/** A rule over zero to four random terms, at one of few priorities. */
export function randomRule(random: Random, name: string, versions = false): TestRule {
  const value = new Int32Array(key.FLOW_WORDS);
  const mask = new Int32Array(key.FLOW_WORDS);
  const terms = random.below(5);
  for (let i = 0; i < terms; i++) random.pick(TERMS)(value, mask, random);
  for (let i = 0; i < value.length; i++) value[i] &= mask[i];
  const addedIn = versions ? random.below(3) : 0;
  const removedIn = versions && random.below(2) === 0 ? addedIn + 1 + random.below(3) : NEVER;
  return { name, priority: random.below(8) * 100, value, mask, addedIn, removedIn };
}

/** A flow that agrees with one or two of the rules, but for perhaps a few bits. */
export function randomFlow(random: Random, rules: readonly ClassifierRule[]): Int32Array {
  const flow = new Int32Array(key.FLOW_WORDS);
  for (const term of TERMS) term(flow, new Int32Array(key.FLOW_WORDS), random);
  for (let n = random.below(3); n > 0 && rules.length > 0; n--) {
    const { value, mask } = random.pick(rules);
    for (let i = 0; i < flow.length; i++) flow[i] = (flow[i] & ~mask[i]) | value[i];
  }
  if (random.below(3) === 0 && rules.length > 0) flipBit(random, flow, random.pick(rules).mask);
  return flow;
}

/** Flips one random bit of those that are set in the mask. */
function flipBit(random: Random, flow: Int32Array, mask: Int32Array): void {
  const covered = [...mask.keys()].filter((i) => mask[i] !== 0);
  if (covered.length === 0) return;
  const at = random.pick(covered);
  const bits = Array.from({ length: 32 }, (_, bit) => 1 << bit).filter((bit) => mask[at] & bit);
  flow[at] ^= random.pick(bits);
}

/** The flow with random changes outside the wildcards only: many bits, or one of those a rule looks at. */
export function changeOutside(
  random: Random,
  flow: Int32Array,
  wildcards: Int32Array,
  rules: readonly ClassifierRule[],
): Int32Array {
  const changed = flow.slice();
  if (random.below(2) === 0) flipBit(random, changed, random.pick(rules).mask);
  else {
    const other = randomFlow(random, rules);
    for (let i = 0; i < changed.length; i++) if (random.below(2) === 0) changed[i] = other[i];
  }
  return changed.map((bits, i) => (bits & ~wildcards[i]) | (flow[i] & wildcards[i]));
}

/** The rules among which no two that one version sees have equal priority, value and mask. */
export function withoutTwins(rules: readonly TestRule[]): TestRule[] {
  const kept: TestRule[] = [];
  for (const rule of rules) if (!kept.some((other) => areTwins(rule, other))) kept.push(rule);
  return kept;
}

function areTwins(a: TestRule, b: TestRule): boolean {
  return (
    a.priority === b.priority &&
    a.addedIn < b.removedIn &&
    b.addedIn < a.removedIn &&
    a.mask.every((bits, i) => bits === b.mask[i]) &&
    a.value.every((bits, i) => bits === b.value[i])
  );
}
