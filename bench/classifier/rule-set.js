/**
 * ClassBench rule sets: reading them, turning them into the classifier's masked
 * rules, making traffic for them, and the linear search that says which rule
 * such traffic must hit.
 *
 * The oracle works on the ranges as they stand in the file, so that it checks
 * the expansion into masked rules, too. ClassBench gives TCP flags 16 bits;
 * bits 12 to 15 cannot be matched in OpenFlow and are ignored by both.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as key from '../../dist/flow/key.js';
import { rangeToMasks } from './ranges.js';

/**
 * @typedef {{ value: number, mask: number }} Masked
 * @typedef {{ low: number, high: number }} Range
 * @typedef {{ src: Masked, dst: Masked, sport: Range, dport: Range, proto: Masked, flags: Masked }} RangeRule
 */

const LINE =
  /^@(\S+)\/(\d+)\s+(\S+)\/(\d+)\s+(\d+) : (\d+)\s+(\d+) : (\d+)\s+(\w+)\/(\w+)\s+(\w+)\/(\w+)/;

/** @param {string} name such as 'acl1_1k' @returns {RangeRule[]} first match wins */
export function readRuleSet(name) {
  const packed = readFileSync(new URL(`data/${name}.gz`, import.meta.url));
  const lines = gunzipSync(packed).toString().trim().split('\n');
  return lines.map(parseRule);
}

/** @param {string} line @returns {RangeRule} */
function parseRule(line) {
  const found = LINE.exec(line);
  if (found === null) throw new Error(`not a ClassBench rule: ${line}`);
  const [src, srcLength, dst, dstLength, ...numbers] = found.slice(1);
  const [sportLow, sportHigh, dportLow, dportHigh, proto, protoMask, flags, flagsMask] =
    numbers.map(Number);
  return {
    src: prefix(src, Number(srcLength)),
    dst: prefix(dst, Number(dstLength)),
    sport: { low: sportLow, high: sportHigh },
    dport: { low: dportLow, high: dportHigh },
    proto: { value: proto & protoMask, mask: protoMask },
    flags: { value: flags & flagsMask & key.TCP_FLAGS_MASK, mask: flagsMask & key.TCP_FLAGS_MASK },
  };
}

/** @param {string} address @param {number} length @returns {Masked} */
function prefix(address, length) {
  const value = address.split('.').reduce((bits, byte) => (bits << 8) | Number(byte), 0);
  const mask = length === 0 ? 0 : -1 << (32 - length);
  return { value: value & mask, mask };
}

const IPV4 = 0x0800 << key.ETH_TYPE_SHIFT;
const ETH_TYPE_MASK = -1 << key.ETH_TYPE_SHIFT;

/**
 * The rules of OpenFlow's kind that stand for range rules: the product of both
 * ports' masked values, at one priority, sharing one mask where it is the same.
 *
 * @param {RangeRule[]} rangeRules
 */
export function expandRules(rangeRules) {
  const masks = new Map();
  return rangeRules.flatMap((rule, index) =>
    rangeToMasks(rule.sport.low, rule.sport.high).flatMap((sport) =>
      rangeToMasks(rule.dport.low, rule.dport.high).map((dport) => ({
        index,
        priority: rangeRules.length - index,
        value: keyOf(rule, 'value', IPV4, sport.value, dport.value),
        mask: shared(masks, keyOf(rule, 'mask', ETH_TYPE_MASK, sport.mask, dport.mask)),
        addedIn: 0,
        removedIn: Number.MAX_SAFE_INTEGER,
      })),
    ),
  );
}

/**
 * @param {RangeRule} rule
 * @param {'value' | 'mask'} part
 * @param {number} ethType
 * @param {number} sport
 * @param {number} dport
 */
function keyOf(rule, part, ethType, sport, dport) {
  const words = new Int32Array(key.FLOW_WORDS);
  words[key.PROTO] = ethType | (rule.proto[part] << key.NW_PROTO_SHIFT);
  words[key.NW_SRC] = rule.src[part];
  words[key.NW_DST] = rule.dst[part];
  words[key.TP] = (sport << 16) | dport;
  words[key.VOLATILE] = rule.flags[part];
  return words;
}

/** @param {Map<string, Int32Array>} known @param {Int32Array} mask */
function shared(known, mask) {
  const name = mask.join();
  if (!known.has(name)) known.set(name, mask);
  return known.get(name) ?? mask;
}

/**
 * Flows inside rules drawn at random, uniformly or by Zipf's law (the n-th of a
 * shuffled list with weight 1/n); one in eight then has one field changed.
 *
 * @param {RangeRule[]} rules
 * @param {number} count
 * @param {'uniform' | 'zipf'} shape
 * @param {number} seed
 */
export function makeTrace(rules, count, shape, seed) {
  const random = makeRandom(seed);
  const order = rules.map((rule) => ({ rule, at: random() })).sort((a, b) => a.at - b.at);
  const drawIndex =
    shape === 'uniform'
      ? () => Math.floor(random() * rules.length)
      : () => Math.floor(rules.length ** random()) - 1;
  return Array.from({ length: count }, () => flowIn(order[drawIndex()].rule, random));
}

/** @param {RangeRule} rule @param {() => number} random */
function flowIn(rule, random) {
  /** @param {Masked} field */
  const within = (field) => field.value | (Math.floor(random() * 2 ** 32) & ~field.mask);
  /** @param {Range} range */
  const inRange = (range) => range.low + Math.floor(random() * (range.high - range.low + 1));
  const flow = new Int32Array(key.FLOW_WORDS);
  flow[key.PROTO] = IPV4 | ((within(rule.proto) & 0xff) << key.NW_PROTO_SHIFT);
  flow[key.NW_SRC] = within(rule.src);
  flow[key.NW_DST] = within(rule.dst);
  flow[key.TP] = (inRange(rule.sport) << 16) | inRange(rule.dport);
  flow[key.VOLATILE] = within(rule.flags) & key.TCP_FLAGS_MASK;
  if (random() < 1 / 8) {
    const word = [key.NW_SRC, key.NW_DST, key.TP][Math.floor(random() * 3)];
    flow[word] ^= 1 << Math.floor(random() * 32);
  }
  return flow;
}

/**
 * The linear search: the index of the first rule that holds the flow, or -1.
 *
 * @param {RangeRule[]} rules
 * @param {Int32Array} flow
 */
export function firstMatch(rules, flow) {
  const proto = (flow[key.PROTO] >>> key.NW_PROTO_SHIFT) & 0xff;
  const src = flow[key.NW_SRC];
  const dst = flow[key.NW_DST];
  const sport = flow[key.TP] >>> 16;
  const dport = flow[key.TP] & 0xffff;
  const flags = flow[key.VOLATILE];
  return rules.findIndex(
    (rule) =>
      (src & rule.src.mask) === rule.src.value &&
      (dst & rule.dst.mask) === rule.dst.value &&
      sport >= rule.sport.low &&
      sport <= rule.sport.high &&
      dport >= rule.dport.low &&
      dport <= rule.dport.high &&
      (proto & rule.proto.mask) === rule.proto.value &&
      (flags & rule.flags.mask) === rule.flags.value,
  );
}

/** A seeded generator of numbers from 0 up to 1 (mulberry32). @param {number} seed */
export function makeRandom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
