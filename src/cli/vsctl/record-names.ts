/**
 * What records can be named by beside their UUID, as `--help` lists it: a
 * column of their own, or a row that refers to them, which has a name or is the
 * only one of its table.
 */

interface ColumnName {
  readonly table: string;
  readonly column: string;
}

export interface Identifier {
  /** Whose value is the name; undefined: the name is ".", for the only row of its table. */
  readonly name: ColumnName | undefined;
  /** The reference that leads from the row of that name, or the only one, to the record; undefined: it is the record. */
  readonly via: ColumnName | undefined;
}

/** Without the one that all tables have. */
export function listedIdentifiers(table: string): readonly Identifier[] {
  return IDENTIFIERS[table] ?? [];
}

/** In any table "." is the record that is alone in it. */
export function identifiersOf(table: string): readonly Identifier[] {
  return [...listedIdentifiers(table), { name: undefined, via: undefined }];
}

/** The only row of the table Open_vSwitch. */
export const ROOT_TABLE = 'Open_vSwitch';

const own = (table: string, column: string): readonly Identifier[] => [
  { name: { table, column }, via: undefined },
];

const viaName = (table: string, column: string): readonly Identifier[] => [
  { name: { table, column: 'name' }, via: { table, column } },
];

const IDENTIFIERS: Readonly<Record<string, readonly Identifier[]>> = {
  AutoAttach: viaName('Bridge', 'auto_attach'),
  Bridge: own('Bridge', 'name'),
  Controller: viaName('Bridge', 'controller'),
  Flow_Sample_Collector_Set: own('Flow_Sample_Collector_Set', 'id'),
  Flow_Table: own('Flow_Table', 'name'),
  IPFIX: viaName('Bridge', 'ipfix'),
  Interface: own('Interface', 'name'),
  Manager: own('Manager', 'target'),
  Mirror: own('Mirror', 'name'),
  NetFlow: viaName('Bridge', 'netflow'),
  Open_vSwitch: [{ name: undefined, via: undefined }],
  Port: own('Port', 'name'),
  QoS: viaName('Port', 'qos'),
  SSL: [{ name: undefined, via: { table: ROOT_TABLE, column: 'ssl' } }],
  sFlow: viaName('Bridge', 'sflow'),
};
