/**
 * ovsdb-server beside the stock one:
 *
 *   node bench/ovsdb/run.js [--smoke] [--json FILE] [WORD...]
 *
 * Transactions per second of 1 client and of 50, each with one request on its
 * way at a time, durable and not; changes per second while 50 clients monitor
 * the table, until all have been told the last; time and memory to load
 * 100,000 rows. Servers take turns, each time a new process on a new file, and
 * the median of the rounds counts. The clients share the machine with the
 * server, the same ones for both. WORDs choose figures by their names.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { databaseFile, updateText } from './data.js';
import { Client, kinds, residentMb, startServer } from './servers.js';

/** @typedef {import('./servers.js').Kind} Kind */
/** @typedef {{ name: string, unit: string, better: 'more' | 'less' }} Figure */
/** @typedef {{ figures: Figure[], run(kind: Kind): Promise<number[]> }} Case */

const { values, positionals } = parseArgs({
  options: { smoke: { type: 'boolean' }, json: { type: 'string' } },
  allowPositionals: true,
});
const isSmoke = values.smoke === true;
const ROUNDS = isSmoke ? 1 : 5;
const SECONDS = isSmoke ? 0.2 : 2;
/** Before it is measured: a server runs for months, and our code is compiled as it runs. */
const WARM_UP = isSmoke ? 0.1 : 3;
const CHANGES = isSmoke ? 200 : 3000;
const ROWS = isSmoke ? 1000 : 100_000;
const MONITORS = 50;
const SMALL = databaseFile(1000);

/** @type {Case[]} */
const CASES = [
  rate('1 client', 1, false),
  rate('50 clients', 50, false),
  rate('durable, 1 client', 1, true),
  rate('durable, 50 clients', 50, true),
  {
    figures: [{ name: `changes told to ${MONITORS} monitors`, unit: '/s', better: 'more' }],
    run: fanOut,
  },
  {
    figures: [
      { name: `load ${ROWS} rows, time`, unit: 'ms', better: 'less' },
      { name: `load ${ROWS} rows, memory`, unit: 'MB', better: 'less' },
    ],
    run: load,
  },
];

const results = [];
for (const each of CASES.filter(isWanted)) results.push(...(await measure(each)));
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
}

/** @param {Case} each */
function isWanted({ figures: [{ name }] }) {
  return positionals.length === 0 || positionals.some((word) => name.includes(word));
}

/** @param {Case} each */
async function measure({ figures, run }) {
  /** @type {Map<Kind, number[][]>} */
  const measured = new Map(kinds().map((kind) => [kind, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, rounds] of measured) rounds.push(await run(kind));
  }
  return figures.map((figure, i) => report(figure, measured, i));
}

/** @param {Figure} figure @param {Map<Kind, number[][]>} measured @param {number} i which of each round */
function report(figure, measured, i) {
  const { name, unit } = figure;
  const medians = Object.fromEntries(
    [...measured].map(([kind, rounds]) => [kind, median(rounds.map((round) => round[i]))]),
  );
  const { tapflow, stock } = medians;
  const ratio = stock === undefined ? undefined : tapflow / stock;
  const texts = Object.entries(medians).map(
    ([kind, value]) => `${kind} ${value.toFixed(0)}${unit === '/s' ? '' : ' '}${unit}`,
  );
  if (ratio !== undefined) texts.push(`${ratio.toFixed(2)} of stock's`);
  console.log(`${name}: ${texts.join(', ')}`);
  return { ...figure, ...medians, ratio };
}

/** @param {string} name @param {number} clients @param {boolean} isDurable @returns {Case} */
function rate(name, clients, isDurable) {
  const figure = /** @type {Figure} */ ({
    name: `transactions, ${name}`,
    unit: '/s',
    better: 'more',
  });
  return { figures: [figure], run: (kind) => transactions(kind, clients, isDurable) };
}

/** @param {Kind} kind @param {number} count of clients @param {boolean} isDurable */
async function transactions(kind, count, isDurable) {
  const server = await startServer(kind, SMALL);
  const clients = await connect(server.socket, count);
  await Promise.all(clients.map((client, row) => writeFor(client, row, isDurable, WARM_UP)));
  const start = performance.now();
  const done = await Promise.all(
    clients.map((client, row) => writeFor(client, row, isDurable, SECONDS)),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const client of clients) client.close();
  await server.stop();
  return [done.reduce((a, b) => a + b, 0) / seconds];
}

/** @param {Client} client @param {number} row @param {boolean} isDurable @param {number} seconds */
async function writeFor(client, row, isDurable, seconds) {
  const end = performance.now() + seconds * 1000;
  let n = 0;
  while (performance.now() < end) {
    const { result } = await client.send(updateText(row, ++n, isDurable));
    if (result?.[0]?.count !== 1) throw new Error(JSON.stringify(result));
  }
  return n;
}

/** @param {Kind} kind */
async function fanOut(kind) {
  const server = await startServer(kind, SMALL);
  const monitors = await connect(server.socket, MONITORS);
  for (const monitor of monitors)
    await monitor.ask('monitor_cond', ['Bench', 'm', { Interface: [{}] }]);
  const [writer] = await connect(server.socket, 1);
  for (let n = 1; n <= CHANGES / 3; n++) await writer.send(updateText(n % 100, n, false));
  const last = CHANGES * 2;
  const told = monitors.map((monitor) => untilTold(monitor, `"rx_packets",${last}]`));
  const start = performance.now();
  for (let n = last - CHANGES + 1; n <= last; n++) await writer.send(updateText(n % 100, n, false));
  await Promise.all(told);
  const seconds = (performance.now() - start) / 1000;
  for (const client of [writer, ...monitors]) client.close();
  await server.stop();
  return [CHANGES / seconds];
}

/** @param {Client} monitor @param {string} mark of the last change @returns {Promise<void>} */
function untilTold(monitor, mark) {
  return new Promise((resolve) => {
    let tail = '';
    monitor.watch((text) => {
      tail = tail.slice(-200) + text;
      if (tail.includes(mark)) resolve();
    });
  });
}

/** @param {Kind} kind @returns {Promise<[ms: number, mb: number]>} */
async function load(kind) {
  const server = await startServer(kind, databaseFile(ROWS));
  const mb = residentMb(server.pid);
  await server.stop();
  return [server.startMs, mb];
}

/** @param {string} socket @param {number} count */
function connect(socket, count) {
  return Promise.all(Array.from({ length: count }, () => Client.connect(socket)));
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
