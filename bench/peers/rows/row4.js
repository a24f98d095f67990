/** Row 4: many concurrent flows, where they share one megaflow and where each is its own. */

import { cpuPer } from '../session.js';
import { learnReceiver, withFullLoad } from '../traffic.js';
import { CPU_PER_PACKET, PLAIN, RATE } from './row.js';

const COUNTS = [1, 1000, 10_000, 100_000, 1_000_000];
const RULES = { normal: 'NORMAL', 'five-tuple': '5-tuple rules' };

/**
 * @param {boolean} smoke
 * @returns {import('./row.js').Cell[]}
 */
export function row4(smoke) {
  const rules = /** @type {(keyof typeof RULES)[]} */ (Object.keys(RULES));
  if (smoke) return rules.map((r) => cell(r, 1000, true));
  const kinds = rules.flatMap((r) => [false, true].map((zipf) => ({ r, zipf })));
  return kinds.flatMap(({ r, zipf }) =>
    COUNTS.filter((n) => n > 1 || !zipf).map((n) => cell(r, n, zipf)),
  );
}

/**
 * @param {keyof typeof RULES} rules
 * @param {number} flows
 * @param {boolean} zipf
 * @returns {import('./row.js').Cell}
 */
function cell(rules, flows, zipf) {
  const spread = zipf ? 'zipf' : 'uniform';
  return {
    row: '4',
    id: `4/${rules}/${spread}/${flows}`,
    title: `${flows.toLocaleString('en')} ${flows === 1 ? 'flow' : 'flows'}`,
    group: `${RULES[rules]}, ${spread}`,
    config: { ...PLAIN, rules },
    metrics: [RATE, CPU_PER_PACKET, ...['microflow', 'megaflow', 'miss'].map(share)],
    measure: (session, effort) => measure(session, effort, { size: '64', flows, zipf }),
  };
}

/**
 * @param {string} level
 * @returns {import('./row.js').Metric}
 */
function share(level) {
  const better = level === 'miss' ? 'lower' : 'higher';
  return { name: level, title: level, unit: '%', better, plausible: [0, 100], optional: true };
}

/**
 * @param {import('../session.js').Session} session
 * @param {import('./row.js').Effort} effort
 * @param {import('../traffic.js').Load} load
 * @returns {Promise<import('./row.js').Measured>}
 */
async function measure(session, effort, load) {
  await learnReceiver(session);
  const ask = { drops: true, caches: true };
  const { caches, ...full } = await withFullLoad(session, load, effort, ask);
  const readings = { rate: full.packets / full.seconds, cpu: cpuPer(full.cpu, full.packets / 1e6) };
  return { readings: { ...readings, ...shares(caches) }, details: { full, caches } };
}

/** @param {import('../rivals/rival.js').CacheLevels | undefined} levels packets by level */
function shares(levels) {
  if (levels === undefined) return {};
  const total = Object.values(levels).reduce((a, b) => a + b, 0);
  return Object.fromEntries(Object.entries(levels).map(([name, n]) => [name, (100 * n) / total]));
}
