/**
 * The worker's loop without its I/O: what extraction, lookup and actions cost
 * a packet (issue 2: at most 120 ns). Needs no root, only `npm run build`.
 *
 *   node bench/worker/run.js [--smoke] [--seconds N] [--repeats N] [--json FILE] [--out FOLDER]
 *
 * --out puts the table into FOLDER/performance.md.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';
import { options } from '../../rolldown.config.js';
import { replaceSection } from '../peers/page.js';
import { quantile } from '../peers/statistics.js';

const CASES = [
  { flows: 1, kind: 'shared' },
  { flows: 1000, kind: 'shared' },
  { flows: 1000, kind: 'own' },
  { flows: 100_000, kind: 'own' },
  { flows: 1_000_000, kind: 'own' },
];
const TARGET_NS = 120;
const FOLDER = mkdtempSync(join(tmpdir(), 'tapflow-bench-'));
const CASE = join(FOLDER, 'case.js');

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    repeats: { type: 'string' },
    json: { type: 'string' },
    out: { type: 'string' },
  },
});
await bundle();
process.on('exit', () => rmSync(FOLDER, { recursive: true }));
const seconds = Number(values.seconds ?? (values.smoke ? 0.1 : 2));
const repeats = Number(values.repeats ?? (values.smoke ? 1 : 5));
const results = measure(values.smoke ? CASES.slice(0, 3) : CASES);
for (const result of results) print(result);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
if (values.out !== undefined) writePage(join(values.out, 'performance.md'));
process.exitCode = results.every(isPlausible) ? 0 : 1;

/** As the worker itself is bundled. */
async function bundle() {
  const input = fileURLToPath(new URL('case.js', import.meta.url));
  const build = await rolldown({ ...options, input });
  await build.write({ file: CASE, format: 'esm' });
}

/**
 * Repeat by repeat, each case in a process of its own.
 * @param {typeof CASES} cases
 */
function measure(cases) {
  const samples = cases.map((_) => /** @type {Record<string, number>[]} */ ([]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    cases.forEach((one, i) => {
      samples[i].push(runCase(one));
    });
  }
  return cases.map((one, i) => ({ ...one, samples: samples[i], stages: medians(samples[i]) }));
}

/** @param {{ flows: number, kind: string }} one */
function runCase({ flows, kind }) {
  const argv = [CASE, flows, kind, seconds].map(String);
  return JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8' }));
}

/** @param {Record<string, number>[]} samples */
function medians(samples) {
  const names = Object.keys(samples[0]);
  return Object.fromEntries(
    names.map((name) => [
      name,
      quantile(
        samples.map((s) => s[name]),
        0.5,
      ),
    ]),
  );
}

/** @param {ReturnType<typeof measure>[number]} result */
function print({ flows, kind, stages }) {
  // A smoke run ends before the code is compiled: it says nothing about speed.
  const verdict = stages['all three'] <= TARGET_NS ? 'within' : 'above';
  const target = values.smoke ? '' : `: ${verdict} ${TARGET_NS} ns`;
  console.log(`${title(flows, kind)}${target}`);
  for (const [name, value] of Object.entries(stages)) {
    console.log(
      `  ${name.padEnd(12)}${value.toFixed(1).padStart(8)}${isShare(name) ? '' : ' ns/packet'}`,
    );
  }
}

/** @param {string} path */
function writePage(path) {
  const names = Object.keys(results[0].stages);
  const rows = results.map(({ flows, kind, stages }) => {
    const numbers = names.map((name) => stages[name].toFixed(isShare(name) ? 1 : 0));
    return `| ${[title(flows, kind), ...numbers].join(' | ')} |`;
  });
  const rule = `|---|${names.map(() => '---:|').join('')}`;
  const head = `${repeats} interleaved repeats of ${seconds} s a stage; ns a packet, and share of packets by cache level.`;
  const table = [`| | ${names.join(' | ')} |`, rule, ...rows].join('\n');
  writeFileSync(path, replaceSection(readFileSync(path, 'utf8'), 'worker', `${head}\n\n${table}`));
}

/**
 * @param {number} flows
 * @param {string} kind
 */
function title(flows, kind) {
  const megaflows = kind === 'own' ? 'each its own megaflow' : 'one megaflow';
  return `${flows.toLocaleString('en')} ${flows === 1 ? 'flow' : `flows, ${megaflows}`}`;
}

/** @param {string} name */
function isShare(name) {
  return name.endsWith('%');
}

/** @param {ReturnType<typeof measure>[number]} result */
function isPlausible({ stages }) {
  return stages.turn > 1 && stages.turn < 1e5 && stages['miss %'] < 1;
}
