/** What the tuple space classifier promises beyond the interface: few bits in the wildcards. */
import { describe, expect, it } from 'vitest';
import { NEVER } from '../../src/classifier/classifier.ts';
import { LinearClassifier } from '../../src/classifier/linear.ts';
import { TupleSpaceClassifier } from '../../src/classifier/tuple-space.ts';
import * as key from '../../src/flow/key.ts';
import { Random, randomFlow, randomRule, type TestRule, withoutTwins } from './random-rules.ts';

type Fields = readonly (readonly [word: number, value: number, mask?: number])[];

function classifierOf(rules: readonly [priority: number, fields: Fields][]) {
  const classifier = new TupleSpaceClassifier<TestRule>();
  for (const [priority, fields] of rules) {
    const value = new Int32Array(key.FLOW_WORDS);
    const mask = new Int32Array(key.FLOW_WORDS);
    for (const [word, bits, covered = -1] of fields) {
      value[word] = bits & covered;
      mask[word] = covered;
    }
    classifier.insert({ name: '', priority, value, mask, addedIn: 0, removedIn: NEVER });
  }
  return classifier;
}

/** The words of the wildcards that a lookup leaves not 0. */
function lookedAt(classifier: TupleSpaceClassifier<TestRule>, fields: Fields) {
  const flow = new Int32Array(key.FLOW_WORDS);
  for (const [word, bits] of fields) flow[word] = bits;
  const wildcards = new Int32Array(key.FLOW_WORDS);
  classifier.lookup(flow, 0, wildcards);
  return Object.fromEntries([...wildcards.entries()].filter(([, bits]) => bits !== 0));
}

const ETH_TYPE = -1 << key.ETH_TYPE_SHIFT;
const IP = 0x0800 << key.ETH_TYPE_SHIFT;
const TCP = IP | (6 << key.NW_PROTO_SHIFT);

describe('the wildcards of a lookup', () => {
  const tcpToPort80: Fields = [
    [key.IN_PORT, 1],
    [key.PROTO, TCP, ETH_TYPE | (0xff << key.NW_PROTO_SHIFT)],
    [key.NW_DST, 0x0a000001],
    [key.TP, 80, 0xffff],
  ];

  it('hold the metadata only when a lookup fails there', () => {
    const classifier = classifierOf([[1, tcpToPort80]]);
    expect(lookedAt(classifier, [[key.IN_PORT, 2]])).toEqual({ [key.IN_PORT]: -1 });
  });

  it('hold nothing above L2 when a lookup fails there', () => {
    const arp: Fields = [
      [key.IN_PORT, 1],
      [key.PROTO, 0x0806 << key.ETH_TYPE_SHIFT],
    ];
    const seen = lookedAt(classifierOf([[1, tcpToPort80]]), arp);
    expect(seen).toEqual({ [key.IN_PORT]: -1, [key.PROTO]: ETH_TYPE });
  });

  it('hold all that the rule covers when it matches', () => {
    const seen = lookedAt(classifierOf([[1, tcpToPort80]]), tcpToPort80);
    expect(seen).toEqual({
      [key.IN_PORT]: -1,
      [key.PROTO]: ETH_TYPE | 0xff00,
      [key.NW_DST]: -1,
      [key.TP]: 0xffff,
    });
  });

  it('hold nothing of subtables that cannot beat the match', () => {
    const classifier = classifierOf([
      [2, [[key.IN_PORT, 1]]],
      [1, [[key.NW_DST, 7]]],
    ]);
    expect(lookedAt(classifier, [[key.IN_PORT, 1]])).toEqual({ [key.IN_PORT]: -1 });
  });

  it('hold just the address bits that tell a flow from every prefix', () => {
    const classifier = classifierOf([
      [9, [[key.NW_DST, 0x0a000001]]],
      [8, [[key.NW_DST, 0x0a010000, -1 << 16]]],
    ]);
    // 192.168.0.1 differs from 10/8 in its first bit; 10.2.0.0 from 10.0/15 in its 15th.
    expect(lookedAt(classifier, [[key.NW_DST, 0xc0a80001]])).toEqual({ [key.NW_DST]: -1 << 31 });
    expect(lookedAt(classifier, [[key.NW_DST, 0x0a020000]])).toEqual({ [key.NW_DST]: -1 << 17 });
  });

  it('hold no more address bits than the prefixes that were ruled out have', () => {
    const classifier = classifierOf([
      [9, [[key.NW_SRC, 0x0a000000, -1 << 24]]],
      [1, [[key.NW_SRC, 0x0b000001]]],
      [2, []],
    ]);
    expect(lookedAt(classifier, [[key.NW_SRC, 0x0b000002]])).toEqual({ [key.NW_SRC]: -1 << 24 });
  });

  it('hold just the bits needed of an IPv6 address', () => {
    const classifier = classifierOf([
      [
        1,
        [
          [key.IPV6_DST, 0x20010db8],
          [key.IPV6_DST + 1, 0x00010000, -1 << 16],
        ],
      ],
    ]);
    const flow: Fields = [
      [key.IPV6_DST, 0x20010db8],
      [key.IPV6_DST + 1, 0x00030000],
    ];
    expect(lookedAt(classifier, flow)).toEqual({
      [key.IPV6_DST]: -1,
      [key.IPV6_DST + 1]: -1 << 17,
    });
  });

  it('hold just the bits needed of a port, for either port', () => {
    const to80 = classifierOf([[1, [[key.TP, 80, 0xffff]]]]);
    expect(lookedAt(to80, [[key.TP, 0x8000]])).toEqual({ [key.TP]: 0x8000 });
    const from80 = classifierOf([[1, [[key.TP, 80 << 16, -1 << 16]]]]);
    expect(lookedAt(from80, [[key.TP, 81 << 16]])).toEqual({ [key.TP]: -1 << 16 });
  });

  it('forget prefixes whose rules are gone', () => {
    const classifier = classifierOf([[1, [[key.NW_DST, 0x0a000001]]]]);
    const [host] = classifier;
    classifier.insert({ ...host, value: host.value.map((bits) => bits & ~1), name: 'other' });
    expect(classifier.remove(host)).toBe(true);
    expect(lookedAt(classifier, [[key.NW_DST, 0x0a000001]])).toEqual({ [key.NW_DST]: -1 });
    for (const rest of classifier) classifier.remove(rest);
    expect(lookedAt(classifier, [[key.NW_DST, 0x0a000001]])).toEqual({});
  });

  it('forget what a stage holds only when the last rule with it is gone', () => {
    const classifier = classifierOf([
      [1, tcpToPort80],
      [2, [...tcpToPort80.slice(0, 3), [key.TP, 81, 0xffff]]],
      [3, [[key.IN_PORT, 9], ...tcpToPort80.slice(1)]],
    ]);
    const [first, second] = [...classifier].filter((rule) => rule.value[key.IN_PORT] === 1);
    classifier.remove(first);
    expect(lookedAt(classifier, tcpToPort80)).toHaveProperty(`${key.PROTO}`);
    classifier.remove(second);
    expect(lookedAt(classifier, tcpToPort80)).toEqual({ [key.IN_PORT]: -1 });
  });

  it('are fewer bits than the linear oracle finds, on the whole', () => {
    const random = new Random(3);
    const rules = withoutTwins(Array.from({ length: 60 }, (_, i) => randomRule(random, `${i}`)));
    const linear = new LinearClassifier<TestRule>();
    const tuples = new TupleSpaceClassifier<TestRule>();
    for (const rule of rules) {
      linear.insert(rule);
      tuples.insert(rule);
    }
    const bits = { linear: 0, tuples: 0 };
    for (let i = 0; i < 300; i++) {
      const flow = randomFlow(random, rules);
      bits.linear += countBits(linear, flow);
      bits.tuples += countBits(tuples, flow);
    }
    expect(bits.tuples).toBeLessThan(bits.linear * 0.8);
  });
});

function countBits(
  classifier: LinearClassifier<TestRule> | TupleSpaceClassifier<TestRule>,
  flow: Int32Array,
): number {
  const wildcards = new Int32Array(key.FLOW_WORDS);
  classifier.lookup(flow, 0, wildcards);
  const ones = (word: number) => (word >>> 0).toString(2).replaceAll('0', '').length;
  return wildcards.reduce((sum, word) => sum + ones(word), 0);
}
