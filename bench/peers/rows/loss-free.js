/**
 * The highest rate at which at most 0.1% of the frames are lost: bisection with
 * short trials, then a full-length trial that has to confirm it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { difference, sample } from '../session.js';
import { sendPaced } from '../traffic.js';

const MAX_LOSS = 0.001;
/** A generator this much below the rate asked for is itself the limit. */
const MIN_ATTAINED = 0.97;
/** Loss-free rates above what gets through at overload are rare; leave room for noise. */
const HEADROOM = 1.15;
/** Where the search begins; if this is not free of loss either, confirming steps down from it. */
const FLOOR = 0.5;
const MAX_CONFIRMATIONS = 8;
/** For frames on their way when the generator ends. */
const DRAIN_MS = 60;

/**
 * @typedef {object} Trial
 * @property {boolean} passed
 * @property {number} rate packets/s received
 * @property {number} loss share of the frames sent
 */

/**
 * @param {import('../session.js').Session} session
 * @param {import('../traffic.js').Load} load
 * @param {number} fullRate packets/s received at full load
 * @param {import('./row.js').Effort} effort
 * @returns {Promise<Trial | undefined>} undefined if no rate passes
 */
export async function lossFreeRate(session, load, fullRate, effort) {
  let low = fullRate * FLOOR;
  let high = fullRate * HEADROOM;
  for (let step = 0; step < effort.searchSteps; step++) {
    const rate = (low + high) / 2;
    const { passed } = await trial(session, load, rate, effort.seconds / 10);
    if (passed) low = rate;
    else high = rate;
  }
  return confirm(session, load, low, effort);
}

/**
 * Steps down until a rate passes, in steps that grow: 5, 10, 15% and so on.
 * @param {import('../session.js').Session} session
 * @param {import('../traffic.js').Load} load
 * @param {number} rate
 * @param {import('./row.js').Effort} effort
 */
async function confirm(session, load, rate, effort) {
  for (let i = 0; i < MAX_CONFIRMATIONS; i++) {
    const factor = effort.confirmStep ** ((i * (i + 1)) / 2);
    const result = await trial(session, load, rate * factor, effort.seconds);
    if (result.passed) return result;
  }
}

/**
 * @param {import('../session.js').Session} session
 * @param {import('../traffic.js').Load} load
 * @param {number} rate packets/s
 * @param {number} seconds
 * @returns {Promise<Trial>}
 */
async function trial(session, load, rate, seconds) {
  const before = sample(session);
  const { sent, seconds: took } = await sendPaced(session, load, rate, seconds);
  await sleep(DRAIN_MS);
  const { packets } = difference(session, before, sample(session));
  const loss = 1 - packets / sent;
  const attained = sent / took / rate;
  return { passed: loss <= MAX_LOSS && attained >= MIN_ATTAINED, rate: packets / took, loss };
}
