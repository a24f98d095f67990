/**
 * From single measurements to results, and results as text. The results are
 * what the JSON holds; figure.js and page.js show the same value.
 */
import { ratios, summarize } from './statistics.js';

/** The rivals that the others are compared with. */
const BASES = { toL: 'L', toOvs: 'ovs' };

/**
 * @typedef {import('./statistics.js').Summary} Summary
 * @typedef {import('./rows/row.js').Cell} Cell
 *
 * @typedef {object} SampleRecord one measurement
 * @property {string} cell
 * @property {string} rival
 * @property {number} repeat
 * @property {import('./rows/row.js').Readings} readings
 * @property {Record<string, unknown>} [details]
 * @property {string} [failure]
 *
 * @typedef {object} RivalResult
 * @property {string} name
 * @property {string} title
 * @property {Summary | undefined} value
 * @property {Summary | undefined} toL
 * @property {Summary | undefined} toOvs
 *
 * @typedef {import('./rows/row.js').Metric & { rivals: RivalResult[] }} MetricResult
 *
 * @typedef {object} CellResult
 * @property {string} row
 * @property {string} id
 * @property {string} title
 * @property {string} group
 * @property {MetricResult[]} metrics
 * @property {SampleRecord[]} records
 * @property {string} [measured] repeats, their length, date and version
 *
 * @typedef {object} Results
 * @property {import('./machine.js').Machine} machine
 * @property {import('./session.js').Cpus} cpus
 * @property {{ name: string, reason: string }[]} skipped
 * @property {CellResult[]} cells
 */

/**
 * @param {Cell[]} cells
 * @param {import('./rivals/rival.js').Rival[]} rivals
 * @param {SampleRecord[]} samples
 * @returns {CellResult[]}
 */
export function summarizeCells(cells, rivals, samples) {
  return cells.map(({ row, id, title, group, config, metrics }) => {
    const records = samples.filter(({ cell }) => cell === id);
    const able = rivals.filter((rival) => rival.supports(config));
    const results = metrics.map((metric) => summarizeMetric(metric, able, records));
    return { row, id, title, group, metrics: results, records };
  });
}

/**
 * What is not as it should be, one line each: failures, and numbers that no
 * machine gives.
 * @param {Results} results
 * @returns {string[]}
 */
export function implausible({ cells }) {
  return cells.flatMap(({ id, metrics, records }) => [
    ...records
      .filter(({ failure }) => failure !== undefined)
      .map(({ rival, failure }) => `${id} ${rival}: ${failure}`),
    ...metrics.flatMap((metric) => implausibleReadings(id, metric, records)),
  ]);
}

/** @param {Results} results */
export function printReport({ machine, cpus, skipped, cells }) {
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}`,
  );
  console.log(`switch on CPU ${cpus.switch}, generators and receivers on CPU ${cpus.traffic}`);
  for (const { name, reason } of skipped) console.log(`skipped: ${name}: ${reason}`);
  for (const { id, title, group, metrics, measured } of cells) {
    console.log(`\n${id}: ${group}, ${title}; ${measured}; median [quartiles]`);
    for (const metric of metrics) printMetric(metric);
  }
}

/**
 * Three digits, and a unit prefix for what is large.
 * @param {number} value
 */
export function short(value) {
  if (Math.abs(value) >= 999_500) return `${digits(value / 1e6)}M`;
  if (Math.abs(value) >= 9995) return `${digits(value / 1e3)}k`;
  return digits(value);
}

/**
 * @param {import('./rows/row.js').Metric} metric
 * @param {import('./rivals/rival.js').Rival[]} rivals
 * @param {SampleRecord[]} records
 * @returns {MetricResult}
 */
function summarizeMetric(metric, rivals, records) {
  const of = (/** @type {string} */ name) => samplesOf(records, name, metric.name);
  const compared = rivals.map(({ name, title }) => ({
    name,
    title,
    value: summarize(of(name)),
    toL: ratios(of(name), of(BASES.toL)),
    toOvs: ratios(of(name), of(BASES.toOvs)),
  }));
  return { ...metric, rivals: compared };
}

/**
 * @param {SampleRecord[]} records
 * @param {string} rival
 * @param {string} metric
 * @returns {(number | undefined)[]} by repeat
 */
function samplesOf(records, rival, metric) {
  const values = [];
  for (const record of records) {
    if (record.rival === rival) values[record.repeat] = record.readings[metric];
  }
  return Array.from(values);
}

/**
 * @param {string} id
 * @param {import('./rows/row.js').Metric} metric
 * @param {SampleRecord[]} records
 */
function implausibleReadings(id, { name, optional, unit, plausible: [low, high] }, records) {
  const measured = records.filter(({ failure }) => failure === undefined);
  return measured.flatMap(({ rival, readings }) => {
    const value = readings[name];
    if (value === undefined && optional === true) return [];
    if (value !== undefined && value >= low && value <= high) return [];
    return [`${id} ${rival}: ${name} is ${value}, expected ${low} to ${high} ${unit}`];
  });
}

/** @param {MetricResult} metric */
function printMetric({ title, unit, rivals }) {
  console.log(`  ${title}, ${unit}`);
  for (const { title: name, value, toL, toOvs } of rivals) {
    if (value === undefined) continue;
    const range = `${short(value.median).padStart(8)} [${short(value.q1)}-${short(value.q3)}]`;
    const compared = [times('L', toL), times('ovs', toOvs)].join('');
    console.log(`    ${name.padEnd(28)}${range.padEnd(28)}${compared}`.trimEnd());
  }
}

/**
 * @param {string} base
 * @param {Summary | undefined} ratio
 */
function times(base, ratio) {
  return ratio === undefined ? '' : `${ratio.median.toFixed(2)} of ${base}`.padEnd(15);
}

/** @param {number} value */
function digits(value) {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  return size < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
