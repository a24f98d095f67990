/** Row 3: round-trip times, of ping and of a UDP echo, idle and under half of the loss-free rate. */
import { ping, udpEcho } from '../probes.js';
import { learnReceiver, withFullLoad, withPacedLoad } from '../traffic.js';
import { lossFreeRate } from './loss-free.js';
import { PLAIN } from './row.js';

const PERCENTILES = { p50: 'p50', p99: 'p99', p999: 'p99.9', max: 'maximum' };
const LOAD = { size: '64', flows: 1, zipf: false };

/**
 * @param {boolean} smoke
 * @returns {import('./row.js').Cell[]}
 */
export function row3(smoke) {
  const half = cell('half', 'half of the loss-free rate', probesUnderLoad);
  return smoke ? [half] : [cell('idle', 'idle', probes), half];
}

/**
 * @param {string} name
 * @param {string} title
 * @param {import('./row.js').Cell['measure']} measure
 * @returns {import('./row.js').Cell}
 */
function cell(name, title, measure) {
  const metrics = ['ping', 'udp'].flatMap((probe) =>
    Object.entries(PERCENTILES).map(([key, p]) => metric(`${probe}-${key}`, `${probe} ${p}`)),
  );
  return { row: '3', id: `3/${name}`, title, group: 'latency', config: PLAIN, metrics, measure };
}

/**
 * @param {string} name
 * @param {string} title
 * @returns {import('./row.js').Metric}
 */
function metric(name, title) {
  return {
    name,
    title,
    unit: 'us',
    better: 'lower',
    plausible: [1, 10e6],
    figure: /p50|p99$/.test(name),
  };
}

/** @type {import('./row.js').Cell['measure']} */
async function probes(session, effort) {
  const icmp = named('ping', await ping(session, effort.seconds));
  const udp = named('udp', await udpEcho(session, effort.seconds));
  return { readings: { ...icmp, ...udp } };
}

/** @type {import('./row.js').Cell['measure']} */
async function probesUnderLoad(session, effort) {
  await learnReceiver(session);
  const full = await withFullLoad(session, LOAD, { ...effort, seconds: effort.seconds / 4 });
  const search = { ...effort, seconds: effort.seconds / 2 };
  const lossFree = await lossFreeRate(session, LOAD, full.packets / full.seconds, search);
  if (lossFree === undefined) throw new Error('no rate is free of loss, so there is no half of it');
  const background = lossFree.rate / 2;
  const { readings } = await withPacedLoad(session, LOAD, background, () =>
    probes(session, effort),
  );
  return { readings, details: { background } };
}

/**
 * @param {string} probe
 * @param {import('../probes.js').Latency} latency
 */
function named(probe, latency) {
  return Object.fromEntries(
    Object.keys(PERCENTILES).map((key) => [`${probe}-${key}`, latency[key]]),
  );
}
