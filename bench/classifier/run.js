/**
 * Row 9 of the benchmarks: the classifier alone, on ClassBench's rule sets.
 *
 *   node bench/classifier/run.js [--smoke] [SET...]
 *
 * Prints, for each set and each shape of traffic: ns per lookup (p50, p99, with
 * wildcards, as the slow path asks; the timer's own cost is taken off), and how
 * many cache entries the traffic would make of its wildcards; for each set:
 * subtables, build time, bytes per rule and updates per second. Every answer is
 * checked against a linear search over the ranges. Without --smoke the results
 * also go to bench/results/classifier.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TupleSpaceClassifier } from '../../dist/classifier/tuple-space.js';
import { FLOW_WORDS } from '../../dist/flow/key.js';
import { expandRules, firstMatch, makeRandom, makeTrace, readRuleSet } from './rule-set.js';

const SETS = ['acl1_1k', 'fw1_1k', 'ipc1_1k', 'acl1_10k', 'fw1_10k', 'ipc1_10k'];
const SEED = 1;

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc');

const isSmoke = process.argv.includes('--smoke');
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const names = wanted.length > 0 ? wanted : isSmoke ? SETS.slice(0, 3) : SETS;
const traceSize = isSmoke ? 500 : 5_000;

const results = names.map(benchSet);
if (!isSmoke) {
  const folder = new URL('../results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL('classifier.json', folder), `${JSON.stringify(results, undefined, 2)}\n`);
}

/** @param {string} name */
function benchSet(name) {
  const rangeRules = readRuleSet(name);
  const rules = expandRules(rangeRules);
  const built = build(rules);
  const masks = new Set(rules.map((rule) => rule.mask)).size;
  const factor = rules.length / rangeRules.length;
  console.log(
    `${name}: ${rangeRules.length} rules, expanded ${factor.toFixed(2)}x to ${rules.length}, ${masks} masks; ` +
      `build ${built.buildMs.toFixed(1)} ms, ${built.bytesPerRule.toFixed(0)} bytes/rule`,
  );
  const lookups = [benchTrace('uniform'), benchTrace('zipf')];
  const updates = benchUpdates(built.classifier, rules);
  console.log(`  ${Math.round(updates)} updates/s`);
  return { name, rules: rangeRules.length, factor, masks, ...built.figures, lookups, updates };

  /** @param {'uniform' | 'zipf'} shape */
  function benchTrace(shape) {
    const flows = makeTrace(rangeRules, traceSize, shape, SEED);
    const megaflows = check(built.classifier, rangeRules, flows);
    const { p50, p99, mean } = timeLookups(built.classifier, flows);
    console.log(
      `  ${shape}: p50 ${p50.toFixed(0)} ns, p99 ${p99.toFixed(0)} ns, mean ${mean.toFixed(0)} ns/lookup; ` +
        `${flows.length} flows make ${megaflows} cache entries`,
    );
    return { shape, p50, p99, mean, flows: flows.length, megaflows };
  }
}

/** @typedef {ReturnType<typeof expandRules>[number]} Rule */

/** @param {Rule[]} rules */
function build(rules) {
  // The first build warms the code up, the second is timed, and only the second stays.
  fill(rules);
  const before = memory();
  const start = performance.now();
  const classifier = fill(rules);
  const buildMs = performance.now() - start;
  const bytesPerRule = (memory() - before) / rules.length;
  return { classifier, buildMs, bytesPerRule, figures: { buildMs, bytesPerRule } };
}

/** @param {Rule[]} rules @returns {TupleSpaceClassifier<Rule>} */
function fill(rules) {
  const classifier = new TupleSpaceClassifier();
  for (const rule of rules) classifier.insert(rule);
  return classifier;
}

function memory() {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/**
 * Compares every answer with the linear search, and that two flows with one
 * cache entry have one answer.
 *
 * @param {TupleSpaceClassifier<Rule>} classifier
 * @param {import('./rule-set.js').RangeRule[]} rangeRules
 * @param {Int32Array[]} flows
 * @returns {number} how many different cache entries the flows make
 */
function check(classifier, rangeRules, flows) {
  const entries = new Map();
  for (const flow of flows) {
    const wildcards = new Int32Array(FLOW_WORDS);
    const index = classifier.lookup(flow, 0, wildcards)?.index ?? -1;
    const expected = firstMatch(rangeRules, flow);
    const entry = `${wildcards.join()} ${flow.map((bits, word) => bits & wildcards[word]).join()}`;
    if (index !== expected || (entries.get(entry) ?? index) !== index) {
      throw new Error(`rule ${index} found, linear search finds ${expected}, for ${flow.join()}`);
    }
    entries.set(entry, index);
  }
  return entries.size;
}

/** @param {TupleSpaceClassifier<Rule>} classifier @param {Int32Array[]} flows */
function timeLookups(classifier, flows) {
  const wildcards = new Int32Array(FLOW_WORDS);
  const times = new Float64Array(flows.length);
  const idle = new Float64Array(flows.length);
  for (let round = 0; round < (isSmoke ? 2 : 6); round++) {
    for (let i = 0; i < flows.length; i++) {
      wildcards.fill(0);
      const start = performance.now();
      const middle = performance.now();
      classifier.lookup(flows[i], 0, wildcards);
      times[i] = performance.now() - middle;
      idle[i] = middle - start;
    }
  }
  const timerCost = idle.sort()[idle.length >> 1];
  const sorted = times.map((time) => (time - timerCost) * 1e6).sort();
  return {
    p50: sorted[Math.floor(sorted.length * 0.5)],
    p99: sorted[Math.floor(sorted.length * 0.99)],
    mean: sorted.reduce((sum, time) => sum + time, 0) / sorted.length,
  };
}

/**
 * Removes and inserts random rules.
 *
 * @param {TupleSpaceClassifier<Rule>} classifier
 * @param {Rule[]} rules
 */
function benchUpdates(classifier, rules) {
  const random = makeRandom(SEED);
  const changes = isSmoke ? 1_000 : 20_000;
  const start = performance.now();
  for (let i = 0; i < changes; i++) {
    const rule = rules[Math.floor(random() * rules.length)];
    classifier.remove(rule);
    classifier.insert(rule);
  }
  return (2 * changes) / ((performance.now() - start) / 1000);
}
