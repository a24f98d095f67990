/** The database of the benchmark: one table with the kinds of columns that an interface has. */
import { recordText } from './servers.js';

const map = { key: 'string', value: 'string', min: 0, max: 'unlimited' };

const SCHEMA = {
  name: 'Bench',
  version: '1.0.0',
  tables: {
    Interface: {
      isRoot: true,
      indexes: [['name']],
      columns: {
        name: { type: 'string', mutable: false },
        ofport: { type: { key: 'integer', min: 0, max: 1 } },
        mac: { type: { key: 'string', min: 0, max: 1 } },
        external_ids: { type: map },
        options: { type: map },
        statistics: { type: { key: 'string', value: 'integer', min: 0, max: 'unlimited' } },
        up: { type: 'boolean' },
      },
    },
  },
};

/** Spread over all values: stock's hash tables go by the first digits. @param {number} n */
export const uuidOf = (n) =>
  `${(Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** @param {number} n */
const rowOf = (n) => ({
  name: `vnet${n}`,
  ofport: n,
  mac: `02:00:00:${[n >> 16, n >> 8, n].map((byte) => (byte & 255).toString(16).padStart(2, '0')).join(':')}`,
  external_ids: [
    'map',
    [
      ['iface-id', `port-${n}`],
      ['vm-id', uuidOf(n % 1000)],
    ],
  ],
  statistics: [
    'map',
    [
      ['rx_packets', n * 7],
      ['tx_packets', n * 3],
    ],
  ],
  up: n % 2 === 0,
});

/** A compacted file: the schema, and one record with all rows. @param {number} rows */
export function databaseFile(rows) {
  const table = Object.fromEntries(Array.from({ length: rows }, (_, n) => [uuidOf(n), rowOf(n)]));
  return recordText(SCHEMA) + recordText({ _date: 1700000000000, Interface: table });
}

/**
 * A transaction such as vswitchd's: it writes the statistics of a row.
 * @param {number} row @param {number} n @param {boolean} isDurable
 */
export function updateText(row, n, isDurable) {
  const where = [['_uuid', '==', ['uuid', uuidOf(row)]]];
  const statistics = [
    'map',
    [
      ['rx_packets', n],
      ['tx_packets', n * 2],
    ],
  ];
  const update = { op: 'update', table: 'Interface', where, row: { statistics } };
  const operations = isDurable ? [update, { op: 'commit', durable: true }] : [update];
  return JSON.stringify({ id: n, method: 'transact', params: ['Bench', ...operations] });
}
