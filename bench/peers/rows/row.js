/**
 * What a row is made of: cells. A cell is one workload on one configuration of
 * the switch; measured for one rival it gives a number for each of its metrics.
 */

/**
 * @typedef {object} Metric
 * @property {string} name within the cell
 * @property {string} title
 * @property {string} unit
 * @property {'higher' | 'lower'} better
 * @property {[number, number]} plausible what no machine falls short of or exceeds
 * @property {boolean} [figure] whether the page shows a chart of it
 * @property {boolean} [optional] some rivals have none, such as CPU time of the bridge
 *
 * @typedef {object} Effort how long and how thoroughly to measure
 * @property {number} seconds of one measurement
 * @property {number} idleSeconds
 * @property {number} warmSeconds before counting begins
 * @property {number} maxWarmSeconds for flow caches to fill
 * @property {number} searchSteps of the loss-free rate
 * @property {number} confirmStep factor from the first attempt to confirm it to the second
 * @property {boolean} smoke
 *
 * @typedef {Record<string, number | undefined>} Readings by metric name
 *
 * @typedef {object} Measured
 * @property {Readings} readings
 * @property {Record<string, unknown>} [details] for the JSON only
 *
 * @typedef {object} Cell
 * @property {string} row
 * @property {string} id unique, begins with the row
 * @property {string} title
 * @property {string} group cells of one group share a table and a figure
 * @property {import('../rivals/rival.js').SwitchConfig} config
 * @property {Metric[]} metrics
 * @property {(session: import('../session.js').Session, effort: Effort) => Promise<Measured>} measure
 */

/** Two ports under NORMAL: what most rows measure. @type {import('../rivals/rival.js').SwitchConfig} */
export const PLAIN = { ports: 2, mtu: 1500, rules: 'normal', workers: 1 };

/** @type {Metric} */
export const RATE = {
  name: 'rate',
  title: 'full load',
  unit: 'packets/s',
  better: 'higher',
  plausible: [1e3, 1e8],
  figure: true,
};

/** @type {Metric} */
export const CPU_PER_PACKET = {
  name: 'cpu',
  title: 'CPU per packet',
  unit: 's per million',
  better: 'lower',
  plausible: [0.001, 1e3],
  figure: true,
  optional: true,
};
