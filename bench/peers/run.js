/**
 * The bench beside rivals (shared/benchmarks.md rows 1 to 4, and idle): plans
 * measurements, runs them interleaved, reports.
 *
 *   options.js, plan.js                   rows/       what is measured
 *   session.js    one rival, running      rivals/     how each switch starts
 *   traffic.js, probes.js                 topology.js namespaces, interfaces
 *   statistics.js repeats to figures      report.js, figure.js, page.js
 *
 * One rival runs at a time. In a full run each measurement has a switch freshly
 * started, and repeats go A B C A B C within a cell, so that what is compared
 * was measured close together. A smoke run asks only whether everything works,
 * and keeps a switch for all its cells.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseCpus, machineFacts } from './machine.js';
import { HELP, parseOptions } from './options.js';
import { writePage } from './page.js';
import { findRivals, plan, planCells } from './plan.js';
import { refuseStarts, run } from './processes.js';
import { implausible, printReport, summarizeCells } from './report.js';
import { RIVALS } from './rivals/index.js';
import { cleanUp, close, open } from './session.js';
import { namespacesLeft, strays } from './topology.js';

/**
 * @typedef {import('./rivals/rival.js').Rival} Rival
 * @typedef {import('./rows/row.js').Cell} Cell
 * @typedef {import('./plan.js').Measurement} Measurement
 * @typedef {import('./report.js').Results} Results
 */

const PROGRAMS = fileURLToPath(new URL('../limit', import.meta.url));
const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const SIGNAL_EXIT = 130;
let interrupted = false;

await main();

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const results = options.from === undefined ? await measureAll(options) : load(options.from);
  printReport(results);
  if (options.from === undefined) save(options, results);
  if (options.out !== undefined) writePage(options.out, results);
  process.exitCode = verdict(options, results);
}

/**
 * @param {import('./options.js').Options} options
 * @returns {Promise<Results>}
 */
async function measureAll(options) {
  if (process.getuid?.() !== 0) fail('needs root, for network namespaces');
  await buildPrograms();
  const cpus = chooseCpus();
  await run(['taskset', '-a', '-c', '-p', String(cpus.traffic), String(process.pid)]);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, abandon);
  const { present, skipped } = findRivals(options);
  const cells = planCells(options);
  const samples = await measurePlan(plan(cells, present, options), options, cpus);
  const machine = machineFacts();
  const results = summarizeCells(cells, present, samples).map((cell) => ({
    ...cell,
    measured: circumstances(cell, options, machine),
  }));
  return { machine, cpus, skipped, cells: results };
}

/**
 * @param {Measurement[]} measurements
 * @param {import('./options.js').Options} options
 * @param {import('./session.js').Cpus} cpus
 * @returns {Promise<import('./report.js').SampleRecord[]>}
 */
async function measurePlan(measurements, options, cpus) {
  const records = [];
  /** @type {import('./session.js').Session | undefined} */
  let session;
  for (const [i, { cell, rival, repeat }] of measurements.entries()) {
    progress(`${i + 1}/${measurements.length} ${cell.id} ${rival.name} repeat ${repeat + 1}`);
    const record = { cell: cell.id, rival: rival.name, repeat };
    try {
      if (!(options.smoke && fits(session, rival, cell))) {
        if (session !== undefined) await close(session);
        session = undefined;
        session = await open(rival, cell.config, cpus);
      }
      records.push({ ...record, ...(await cell.measure(session, options.effort)) });
    } catch (error) {
      if (interrupted) await endOfProcess();
      records.push({ ...record, readings: {}, failure: error.message });
      progress(`${cell.id} ${rival.name}: ${error.message}\n`);
      session = undefined;
      await cleanUp();
    }
  }
  if (session !== undefined) await close(session);
  progress('');
  return records;
}

/**
 * @param {import('./session.js').Session | undefined} session
 * @param {Rival} rival
 * @param {Cell} cell
 */
function fits(session, rival, { config }) {
  if (session?.rival !== rival) return false;
  return JSON.stringify(session.config) === JSON.stringify(config);
}

/**
 * @param {import('./options.js').Options} options
 * @param {Results} results
 * @returns {number} the exit code
 */
function verdict({ from }, results) {
  if (from !== undefined) return 0;
  const problems = [...implausible(results), ...leftBehind()];
  if (process.env.TAPFLOW_REQUIRE_SYSTEM === '1') {
    problems.push(...results.skipped.map(({ name, reason }) => `${name} was skipped: ${reason}`));
  }
  for (const problem of problems) console.error(`FAILED: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

/** @returns {string[]} */
function leftBehind() {
  return [
    ...namespacesLeft().map((name) => `namespace ${name} was left behind`),
    ...strays.map((pid) => `process ${pid} was left behind`),
  ];
}

/**
 * @param {import('./options.js').Options} options
 * @param {Results} results
 */
function save({ json, smoke }, results) {
  if (smoke && json === undefined) return;
  const stamp = String(results.machine.date).replace(/[:.]/g, '-');
  const path = json ?? `${RESULTS}${stamp}.json`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, null, 1)}\n`);
  console.log(`results: ${path}`);
}

/**
 * Results of several runs as one: a later file's cells replace an earlier one's.
 * @param {string} paths separated by commas
 * @returns {Results}
 */
function load(paths) {
  const all = paths.split(',').map((path) => JSON.parse(readFileSync(path, 'utf8')));
  const cells = new Map(all.flatMap((results) => results.cells.map((cell) => [cell.id, cell])));
  return { ...all[all.length - 1], cells: [...cells.values()] };
}

/**
 * @param {{ row: string }} cell
 * @param {import('./options.js').Options} options
 * @param {import('./machine.js').Machine} machine
 */
function circumstances({ row }, { repeats, effort }, { date, commit }) {
  const seconds = row === 'idle' ? effort.idleSeconds : effort.seconds;
  return `${repeats} interleaved repeats of ${seconds} s, ${String(date).slice(0, 10)}, ${commit}`;
}

function readOptions() {
  try {
    return parseOptions(
      process.argv.slice(2),
      RIVALS.map(({ name }) => name),
    );
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

/** L, LU and the generator: quick, and a no-op when nothing has changed. */
async function buildPrograms() {
  await run(['make', '-s', '-C', PROGRAMS]).catch((error) => fail(error.message));
}

/** @param {string} problem @returns {never} */
function fail(problem) {
  console.error(`bench:peers: ${problem}`);
  process.exit(1);
}

/** Never resolves: `abandon` is cleaning up and exits. */
function endOfProcess() {
  return new Promise(() => {});
}

async function abandon() {
  interrupted = true;
  refuseStarts();
  await cleanUp();
  process.exit(SIGNAL_EXIT);
}

/** One line that overwrites itself, on a terminal. @param {string} text */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (text !== '') process.stderr.write(`${text.trimEnd()}\n`);
}
