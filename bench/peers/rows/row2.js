/** Row 2: TCP by iperf3, both ends on the traffic CPU. */

import { tcp } from '../probes.js';
import { cpuPer } from '../session.js';
import { PLAIN } from './row.js';

const GIGA = 1e9;

/** @type {import('./row.js').Metric} */
const THROUGHPUT = {
  name: 'throughput',
  title: 'throughput',
  unit: 'Gbit/s',
  better: 'higher',
  plausible: [0.01, 1000],
  figure: true,
};

/** @type {import('./row.js').Metric} */
const CPU_PER_BYTE = {
  name: 'cpu',
  title: 'CPU per gigabyte',
  unit: 's per GB',
  better: 'lower',
  plausible: [0.001, 1000],
  figure: true,
  optional: true,
};

/**
 * @param {boolean} smoke
 * @returns {import('./row.js').Cell[]}
 */
export function row2(smoke) {
  if (smoke) return [cell(1500, 1)];
  return [1500, 9000].flatMap((mtu) => [1, 4].map((streams) => cell(mtu, streams)));
}

/**
 * @param {number} mtu
 * @param {number} streams
 * @returns {import('./row.js').Cell}
 */
function cell(mtu, streams) {
  return {
    row: '2',
    id: `2/${mtu}/${streams}`,
    title: `MTU ${mtu}, ${streams === 1 ? '1 stream' : `${streams} streams`}`,
    group: 'tcp',
    config: { ...PLAIN, mtu },
    metrics: [THROUGHPUT, CPU_PER_BYTE],
    async measure(session, effort) {
      const { bitsPerSecond, window, retransmits } = await tcp(session, streams, effort);
      const cpu = cpuPer(window.cpu, window.bytes / GIGA);
      return {
        readings: { throughput: bitsPerSecond / GIGA, cpu },
        details: { window, retransmits },
      };
    },
  };
}
