/**
 * What vswitchd has to do with the database: the columns that it reads as
 * configuration, and those that it writes its status to. The replica copies
 * these and no others; a change of status alone, which is mostly our own, makes
 * nothing be configured anew.
 */
import type { TransactionChanges } from '../../ovsdb/database/changes.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { type Rows, tables } from '../../schema/schema.ts';

export const DATABASE = 'Open_vSwitch';

export type TableName = 'Open_vSwitch' | 'Bridge' | 'Port' | 'Interface' | 'Datapath';

type ColumnNames = { readonly [Table in TableName]: readonly (keyof Rows[Table] & string)[] };

const CONFIG_COLUMNS: ColumnNames = {
  Open_vSwitch: ['bridges', 'datapaths', 'next_cfg', 'other_config'],
  Bridge: ['name', 'ports', 'datapath_type', 'fail_mode', 'other_config'],
  Port: ['name', 'interfaces', 'tag', 'trunks', 'vlan_mode', 'other_config'],
  Interface: ['name', 'type', 'options', 'mac', 'mtu_request', 'ofport_request', 'other_config'],
  Datapath: [],
};

const STATUS_COLUMNS: ColumnNames = {
  Open_vSwitch: [
    ...(['cur_cfg', 'ovs_version', 'db_version', 'system_type', 'system_version'] as const),
    ...(['datapath_types', 'iface_types', 'dpdk_initialized', 'dpdk_version'] as const),
  ],
  Bridge: ['datapath_id', 'datapath_version'],
  Port: [],
  Interface: [
    ...(['ofport', 'error', 'admin_state', 'link_state', 'link_resets', 'link_speed'] as const),
    ...(['duplex', 'mac_in_use', 'mtu', 'ifindex', 'statistics', 'status'] as const),
  ],
  Datapath: ['capabilities'],
};

/** For the replica. */
export const MONITORED: ReadonlyMap<TableName, readonly string[]> = new Map(
  tableNames().map((name) => [name, [...CONFIG_COLUMNS[name], ...STATUS_COLUMNS[name]]]),
);

/** A cell as TypeScript has it. @throws TapflowError BAD_CELL when the server's schema has another type */
export function readCell<Table extends TableName, Column extends keyof Rows[Table] & string>(
  table: Table,
  row: Row,
  column: Column,
): Rows[Table][Column] {
  const columns: Readonly<Record<string, { read(cell: object): unknown }>> = tables[table].columns;
  return columns[column].read(row.get(column)) as Rows[Table][Column];
}

/** Whether a transaction changed what there is to be, and not just how it is. */
export function isConfiguration(changes: TransactionChanges): boolean {
  return tableNames().some((table) => {
    for (const change of changes.get(table)?.values() ?? []) {
      if (change.old === undefined || change.new === undefined) return true;
      if (!isConfiguredAlike(table, change.old, change.new)) return true;
    }
    return false;
  });
}

/** Whether two states of a row differ in status at most: a column that stays the same stays one object. */
export function isConfiguredAlike(table: TableName, a: Row, b: Row): boolean {
  return CONFIG_COLUMNS[table].every((name) => a.get(name) === b.get(name));
}

function tableNames(): TableName[] {
  return ['Open_vSwitch', 'Bridge', 'Port', 'Interface', 'Datapath'];
}
