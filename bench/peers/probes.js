/**
 * TCP by iperf3, and round trips: ping, and frames with a time stamp that the
 * far side sends back (`latency`, bench/limit/). Both ends run on the traffic
 * CPU, for every rival alike; round trips with real-time priority, so that they
 * do not wait for a generator beside them. Streams of frames are in traffic.js.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { run, start, stop, waitFor } from './processes.js';
import { parseRoundTrips, roundTrips } from './programs.js';
import { watch } from './session.js';
import { quantile } from './statistics.js';
import { inNamespace } from './topology.js';

/** Seconds. Below 10 ms ping spins instead of waiting, and nothing else would run on its CPU. */
const PING_INTERVAL = 0.01;
/** Left out at both ends of a transfer. */
const IPERF_EDGE_MS = 150;
const MICROSECONDS_PER_MS = 1000;
const REAL_TIME = ['chrt', '-f', '10'];

/**
 * @typedef {{ p50: number, p99: number, p999: number, max: number }} Latency microseconds
 *
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./session.js').Delta} Delta
 */

/**
 * TCP from a to b. The CPU time is that of a window within the transfer.
 * @param {Session} session
 * @param {number} streams
 * @param {import('./rows/row.js').Effort} effort
 * @returns {Promise<{ bitsPerSecond: number, retransmits: number, window: Delta }>}
 */
export async function tcp(session, streams, effort) {
  const { topology, cpus } = session;
  const [a, b] = topology.ports;
  const server = start(inNamespace(b.netns, cpus.traffic, ['iperf3', '-s', '-1', '--forceflush']));
  await waitFor('iperf3 -s', () => server.output().includes('listening'), { program: server });
  // Whole seconds are all that iperf3 takes.
  const omit = Math.floor(effort.warmSeconds);
  const seconds = Math.max(1, Math.ceil(effort.seconds));
  const argv = ['iperf3', '-c', b.address, '-J', '-P', streams, '-t', seconds, '-O', omit].map(
    String,
  );
  const client = start(inNamespace(a.netns, cpus.traffic, argv));
  await sleep(omit * 1000 + IPERF_EDGE_MS);
  const window = await watch(session, seconds - (2 * IPERF_EDGE_MS) / 1000);
  await client.exited;
  await stop(server);
  return { ...parseIperf(client.output()), window };
}

/**
 * @param {Session} session
 * @param {number} seconds
 * @returns {Promise<Latency>}
 */
export async function ping({ topology, cpus }, seconds) {
  const [a, b] = topology.ports;
  const count = Math.ceil(seconds / PING_INTERVAL);
  const argv = ['ping', '-n', '-i', PING_INTERVAL, '-c', count, '-W', 1, b.address].map(String);
  return percentiles(
    parsePing(await run(inNamespace(a.netns, cpus.traffic, [...REAL_TIME, ...argv]))),
  );
}

/**
 * @param {Session} session
 * @param {number} seconds
 * @returns {Promise<Latency>}
 */
export async function udpEcho({ topology, cpus }, seconds) {
  const [a, b] = topology.ports;
  const pinned = ['taskset', '-c', String(cpus.traffic), ...REAL_TIME];
  return parseRoundTrips(await run([...pinned, ...roundTrips(a, b, seconds)]));
}

/**
 * @param {string} json what `iperf3 -J` prints
 * @returns {{ bitsPerSecond: number, retransmits: number }}
 * @public for tests
 */
export function parseIperf(json) {
  const { end, error } = JSON.parse(json);
  if (error !== undefined) throw new Error(`iperf3: ${error}`);
  return { bitsPerSecond: end.sum_received.bits_per_second, retransmits: end.sum_sent.retransmits };
}

/**
 * @param {string} text
 * @returns {number[]} round-trip times, microseconds
 * @public for tests
 */
export function parsePing(text) {
  const times = [...text.matchAll(/time=([\d.]+) ms/g)];
  return times.map((match) => Number(match[1]) * MICROSECONDS_PER_MS);
}

/**
 * @param {number[]} times microseconds
 * @returns {Latency}
 */
function percentiles(times) {
  if (times.length === 0) throw new Error('ping: no reply');
  const [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1].map((share) => quantile(times, share));
  return { p50, p99, p999, max };
}
