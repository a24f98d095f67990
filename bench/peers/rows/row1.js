/** Row 1: small and large frames from one port to another. */

import { cpuPer } from '../session.js';
import { learnReceiver, withFullLoad } from '../traffic.js';
import { lossFreeRate } from './loss-free.js';
import { CPU_PER_PACKET, PLAIN, RATE } from './row.js';

/** Bytes with the frame check sequence, as RFC 2544 counts; and a mix of 64, 570 and 1518 at 7:4:1. */
const SIZES = ['64', '128', '256', '512', '1024', '1280', '1518', 'imix'];

/** @type {import('./row.js').Metric} */
const LOSS_FREE = { ...RATE, name: 'lossFree', title: 'loss-free rate' };

/**
 * @param {boolean} smoke
 * @returns {import('./row.js').Cell[]}
 */
export function row1(smoke) {
  const frames = SIZES.map((size) => cell(`1/${size}`, size, 1));
  const manyFlows = cell('1/64/1000-flows', '64', 1000);
  return smoke ? [frames[0]] : [...frames.slice(0, 1), manyFlows, ...frames.slice(1)];
}

/**
 * @param {string} id
 * @param {string} size
 * @param {number} flows
 * @returns {import('./row.js').Cell}
 */
function cell(id, size, flows) {
  const title = size === 'imix' ? 'IMIX' : `${size} bytes`;
  return {
    row: '1',
    id,
    title: flows === 1 ? title : `${title}, ${flows.toLocaleString('en')} flows`,
    group: 'frames',
    config: PLAIN,
    metrics: [RATE, CPU_PER_PACKET, LOSS_FREE],
    measure: (session, effort) => measure(session, effort, { size, flows, zipf: false }),
  };
}

/**
 * @param {import('../session.js').Session} session
 * @param {import('./row.js').Effort} effort
 * @param {import('../traffic.js').Load} load
 * @returns {Promise<import('./row.js').Measured>}
 */
async function measure(session, effort, load) {
  await learnReceiver(session);
  const full = await withFullLoad(session, load, effort, { drops: true });
  const rate = full.packets / full.seconds;
  const lossFree = await lossFreeRate(session, load, rate, effort);
  return {
    readings: { rate, cpu: cpuPer(full.cpu, full.packets / 1e6), lossFree: lossFree?.rate },
    details: { full, lossFree },
  };
}
