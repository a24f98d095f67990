/**
 * The C programs of bench/limit/: where they are, their command lines and what
 * they print.
 */
import { fileURLToPath } from 'node:url';

/** For round trips: enough samples for a p99.9 in some seconds, far below any switch's rate. */
const ROUND_TRIPS_PER_SECOND = 1000;

/**
 * @param {string} name
 * @returns {string} path
 */
export function program(name) {
  return fileURLToPath(new URL(`../limit/bin/${name}`, import.meta.url));
}

/**
 * Frames out of a device, from its own MAC address.
 * @param {object} stream
 * @param {string} stream.device
 * @param {string} stream.to MAC address
 * @param {string} stream.size bytes with the check sequence, or `imix`
 * @param {number} stream.flows
 * @param {boolean} stream.zipf
 * @param {number} [stream.rate] packets/s; absent: as many as possible
 * @param {number} stream.seconds
 * @returns {string[]} a command line
 */
export function generate({ device, to, size, flows, zipf, rate = 0, seconds }) {
  const settings = ['-d', to, '-s', size, '-f', flows, '-r', rate, '-t', seconds].map(String);
  return [program('generate'), ...settings, ...(zipf ? ['-z'] : []), device];
}

/**
 * @param {string} json what `generate` prints
 * @returns {{ sent: number, seconds: number }} sent: what the device took
 */
export function parseGenerated(json) {
  return JSON.parse(json);
}

/**
 * UDP frames from one port's device to another's and back. It enters their
 * namespaces itself.
 * @param {import('./topology.js').PortPlan} from
 * @param {import('./topology.js').PortPlan} to
 * @param {number} seconds
 * @returns {string[]} a command line
 */
export function roundTrips(from, to, seconds) {
  const sides = ['-n', `/run/netns/${from.netns}`, '-N', `/run/netns/${to.netns}`];
  const pace = ['-r', String(ROUND_TRIPS_PER_SECOND), '-t', String(seconds)];
  return [program('latency'), '-m', ...sides, ...pace, from.name, to.name];
}

/**
 * @param {string} json what `latency` prints
 * @returns {import('./probes.js').Latency}
 */
export function parseRoundTrips(json) {
  const { received, p50, p99, p999, max } = JSON.parse(json);
  if (received === 0) throw new Error('latency: no frame came back');
  return { p50, p99, p999, max };
}
