/** ovs-vsctl(8), "Open vSwitch Commands": init, show, emer-reset. */
import { datumsEqual, datumToText, defaultDatum } from '../../../ovsdb/data/datum.ts';
import type { ColumnSchema } from '../../../ovsdb/data/schema.ts';
import type { Row } from '../../../ovsdb/database/row.ts';
import type { Attempt } from '../attempt.ts';
import type { CommandSyntax, Context } from '../command.ts';
import { ROOT_TABLE } from '../record-names.ts';
import { map, pairsOf } from '../values.ts';

export const init: CommandSyntax = {
  name: 'init',
  min: 0,
  max: 0,
  usage: '',
  options: [],
  writes: true,
  // Any run makes the row that is all of it, where it is missing.
  run() {},
};

export const show: CommandSyntax = {
  name: 'show',
  min: 0,
  max: 0,
  usage: '',
  options: [],
  writes: false,
  prepare(_command, { needs }) {
    for (const [table, { name, columns }] of Object.entries(SHOWN)) {
      needs.add(table, ...columns, ...(name === undefined ? [] : [name]));
    }
  },
  run(context) {
    for (const row of context.attempt.edit.rows(ROOT_TABLE)) showRow(context, row, 0);
  },
};

export const emerReset: CommandSyntax = {
  name: 'emer-reset',
  min: 0,
  max: 0,
  usage: '',
  options: [],
  writes: true,
  prepare(_command, { needs }) {
    for (const [table, columns] of Object.entries(RESET)) needs.add(table, ...columns);
    for (const table of REMOVED) needs.add(table);
    needs.add('Bridge', 'other_config');
  },
  run({ attempt }) {
    for (const [table, columns] of Object.entries(RESET)) {
      for (const row of attempt.edit.rows(table)) reset(attempt, row, columns);
    }
    for (const row of attempt.edit.rows('Bridge')) keepHardwareAddress(attempt, row);
    for (const table of REMOVED) {
      for (const { uuid } of [...attempt.edit.rows(table)]) attempt.edit.remove(table, uuid);
    }
  },
};

/** What stands in front of a row's columns, and which are shown. */
const SHOWN: Readonly<Record<string, { name?: string; columns: readonly string[] }>> = {
  [ROOT_TABLE]: { columns: ['manager_options', 'bridges', 'ovs_version'] },
  Bridge: { name: 'name', columns: ['controller', 'fail_mode', 'datapath_type', 'ports'] },
  Port: { name: 'name', columns: ['tag', 'trunks', 'interfaces'] },
  Interface: { name: 'name', columns: ['type', 'options', 'error'] },
  Controller: { name: 'target', columns: ['is_connected'] },
  Manager: { name: 'target', columns: ['is_connected'] },
};

function showRow(context: Context, row: Row, level: number): void {
  const { attempt } = context;
  const table = row.schema.name;
  const { name, columns } = SHOWN[table];
  const schemas = attempt.schema.tables.get(table)?.columns;
  const type = schemas?.get(name ?? '')?.type;
  const title = type && `${table} ${datumToText(attempt.read(row, name ?? ''), type)}`;
  context.print(' '.repeat(level * INDENT) + (title ?? row.uuid));
  for (const column of columns) {
    const schema = schemas?.get(column);
    if (schema !== undefined) showColumn(context, row, schema, level + 1);
  }
}

const INDENT = 4;

function showColumn(context: Context, row: Row, { name, type }: ColumnSchema, level: number): void {
  const { attempt } = context;
  const datum = attempt.read(row, name);
  const { refTable } = type.key;
  if (refTable !== undefined) {
    for (const key of datum.keys) {
      const referenced = attempt.edit.get(refTable, String(key));
      if (referenced !== undefined) showRow(context, referenced, level);
    }
  } else if (!datumsEqual(datum, defaultDatum(type))) {
    context.print(`${' '.repeat(level * INDENT)}${name}: ${datumToText(datum, type)}`);
  }
}

/** Columns that lose what they hold. */
const RESET: Readonly<Record<string, readonly string[]>> = {
  [ROOT_TABLE]: ['manager_options', 'ssl'],
  Bridge: ['controller', 'fail_mode', 'mirrors', 'netflow', 'sflow', 'ipfix', 'flood_vlans'],
  Port: ['other_config'],
  Interface: ['ingress_policing_rate', 'ingress_policing_burst'],
};

const REMOVED = [
  'Mirror',
  'Controller',
  'Manager',
  'NetFlow',
  'SSL',
  'sFlow',
  'IPFIX',
  'Flow_Sample_Collector_Set',
];

function reset(attempt: Attempt, row: Row, columns: readonly string[]): void {
  const table = row.schema.name;
  for (const column of columns) {
    const type = attempt.schema.tables.get(table)?.columns.get(column)?.type;
    if (type !== undefined) attempt.edit.set(table, row.uuid, column, defaultDatum(type));
  }
}

/** Of a bridge's other_config the address stays: its hosts know it by that. */
function keepHardwareAddress(attempt: Attempt, row: Row): void {
  const kept = pairsOf(row.get('other_config')).filter(([key]) => key === 'hwaddr');
  attempt.edit.set('Bridge', row.uuid, 'other_config', map(kept));
}
