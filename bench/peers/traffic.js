/**
 * Streams of frames, from `generate` (bench/limit/): as fast as it can, or at a
 * rate. They go from host a (port 0) to host b (port 1), and the generator runs
 * on the traffic CPU, for every rival alike. probes.js has the other traffic.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { run, start, stop } from './processes.js';
import { generate, parseGenerated } from './programs.js';
import { watch } from './session.js';
import { inNamespace, ip, neighbour } from './topology.js';

/** Where frames go: to nobody, so that host b's IP stack drops them at once. */
const SINK_MAC = '02:00:00:00:99:99';
/** While caches fill, their misses are looked at this often. */
const FILL_POLL_MS = 500;
/** Caches are full when fewer packets than this share missed. */
const FILLED = 0.0005;
/** For a generator to start and to be stopped. */
const MARGIN_SECONDS = 5;

/**
 * @typedef {object} Load
 * @property {string} size bytes of a frame with its check sequence, or `imix`
 * @property {number} flows
 * @property {boolean} zipf whether few flows have most packets
 *
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./session.js').Delta} Delta
 */

/**
 * Makes the switch learn where the frames' destination is, or each would be
 * flooded. Ageing takes minutes, longer than a measurement.
 * @param {Session} session
 */
export async function learnReceiver({ topology, cpus }) {
  const [a, b] = topology.ports;
  const { name, netns, mac } = b;
  const load = { size: '64', flows: 1, zipf: false, rate: 1000, seconds: 0.05 };
  // The generator sends from its device's address.
  await ip(netns, `link set ${name} address ${SINK_MAC}`);
  await run(inNamespace(netns, cpus.traffic, generate({ device: name, to: a.mac, ...load })));
  // A new address makes Linux forget the neighbours of a device, the permanent ones too.
  await ip(netns, `link set ${name} address ${mac}`, neighbour(b, a));
}

/**
 * Counts while the generator sends as fast as it can. The switch's own counters
 * are asked for outside of that time, for asking takes CPU time.
 * @param {Session} session
 * @param {Load} load
 * @param {import('./rows/row.js').Effort} effort
 * @param {{ drops?: boolean, caches?: boolean }} [ask] what to ask the switch for; caches: also
 *   waits until few packets miss
 * @returns {Promise<Delta & { switchDrops?: number, caches?: Record<string, number> }>}
 */
export async function withFullLoad(session, load, effort, ask = {}) {
  const drops = (ask.drops && session.running.drops) || unknown;
  const caches = (ask.caches && session.running.caches) || unknown;
  const seconds = effort.warmSeconds + effort.maxWarmSeconds + effort.seconds + MARGIN_SECONDS;
  const dropsBefore = await drops();
  const generator = startFrames(session, load, { seconds });
  await sleep(effort.warmSeconds * 1000);
  const cachesBefore = await cachesFilled(caches, effort.maxWarmSeconds);
  const delta = await watch(session, effort.seconds);
  await endFrames(generator);
  const found = subtractEach(await caches(), cachesBefore);
  return { ...delta, switchDrops: subtract(await drops(), dropsBefore), caches: found };
}

/**
 * Sends at a rate for a time.
 * @param {Session} session
 * @param {Load} load
 * @param {number} rate packets/s
 * @param {number} seconds
 */
export async function sendPaced(session, load, rate, seconds) {
  const generator = startFrames(session, load, { rate, seconds });
  const code = await generator.exited;
  if (code !== 0) throw new Error(`generate: exit code ${code}: ${generator.errors().trim()}`);
  return parseGenerated(generator.output());
}

/**
 * @template T
 * @param {Session} session
 * @param {Load} load
 * @param {number} rate packets/s
 * @param {() => Promise<T>} body what to do meanwhile
 * @returns {Promise<T>}
 */
export async function withPacedLoad(session, load, rate, body) {
  const generator = startFrames(session, load, { rate, seconds: 3600 });
  const result = await body();
  await endFrames(generator);
  return result;
}

/**
 * @param {Session} session
 * @param {Load} load
 * @param {{ rate?: number, seconds: number }} limits
 */
function startFrames({ topology, cpus }, load, limits) {
  const [a] = topology.ports;
  const argv = generate({ device: a.name, to: SINK_MAC, ...load, ...limits });
  return start(inNamespace(a.netns, cpus.traffic, argv));
}

/** @param {import('./processes.js').Program} generator that should still be sending */
async function endFrames(generator) {
  if (generator.child.exitCode !== null) {
    throw new Error(`generate ended too early: ${generator.errors().trim()}`);
  }
  await stop(generator);
}

/**
 * Waits until nearly all packets find their flow cached, or time is up.
 * @param {() => Promise<Record<string, number> | undefined>} caches
 * @param {number} maxSeconds
 * @returns {Promise<Record<string, number> | undefined>} the last reading
 */
async function cachesFilled(caches, maxSeconds) {
  const deadline = Date.now() + maxSeconds * 1000;
  let before = await caches();
  while (before !== undefined && Date.now() < deadline) {
    await sleep(FILL_POLL_MS);
    const now = await caches();
    const isFull = missShare(subtractEach(now, before)) < FILLED;
    before = now;
    if (isFull) break;
  }
  return before;
}

/** @param {Record<string, number> | undefined} packets by level */
function missShare(packets = { miss: 1 }) {
  const total = Object.values(packets).reduce((a, b) => a + b, 0);
  return total === 0 ? 1 : packets.miss / total;
}

/** For what a switch does not count. */
async function unknown() {
  return undefined;
}

/**
 * @param {number | undefined} a
 * @param {number | undefined} b
 */
function subtract(a, b) {
  return a === undefined || b === undefined ? undefined : a - b;
}

/**
 * @param {Record<string, number> | undefined} a
 * @param {Record<string, number> | undefined} b
 */
function subtractEach(a, b) {
  if (a === undefined || b === undefined) return undefined;
  return Object.fromEntries(Object.entries(a).map(([name, n]) => [name, n - b[name]]));
}
