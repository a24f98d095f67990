/** What a switch with ten ports and no traffic costs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { activity, activityBetween, residentBytes } from '../proc.js';
import { PLAIN } from './row.js';

/** After the start, for a runtime's own housekeeping to end. */
const SETTLE_MS = 3000;
const SMOKE_SETTLE_MS = 300;

/** @type {import('./row.js').Metric[]} */
const METRICS = [
  { name: 'cpu', title: 'CPU', unit: '% of a core', better: 'lower', plausible: [0, 200] },
  { name: 'wakeups', title: 'wake-ups', unit: 'per s', better: 'lower', plausible: [0, 1e6] },
  {
    name: 'resident',
    title: 'resident memory',
    unit: 'MB',
    better: 'lower',
    plausible: [0.1, 1e5],
  },
].map((metric) => ({ ...metric, optional: true }));

/**
 * @param {boolean} smoke
 * @returns {import('./row.js').Cell[]}
 */
export function idle(smoke) {
  const config = { ...PLAIN, ports: 10, workers: 2 };
  const title = '10 ports, no traffic';
  const settle = smoke ? SMOKE_SETTLE_MS : SETTLE_MS;
  return [
    {
      row: 'idle',
      id: 'idle',
      title,
      group: 'idle',
      config,
      metrics: METRICS,
      measure: ({ running: { pids } }, effort) => measure(pids, effort.idleSeconds, settle),
    },
  ];
}

/**
 * @param {number[]} pids
 * @param {number} seconds
 * @param {number} settle
 * @returns {Promise<import('./row.js').Measured>}
 */
async function measure(pids, seconds, settle) {
  if (pids.length === 0) return { readings: {} };
  await sleep(settle);
  const before = activity(pids);
  await sleep(seconds * 1000);
  const used = activityBetween(before, activity(pids));
  return {
    readings: {
      cpu: (100 * used.seconds) / seconds,
      wakeups: used.wakeups / seconds,
      resident: residentBytes(pids) / 1e6,
    },
  };
}
