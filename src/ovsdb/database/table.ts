/**
 * A table: its rows, and what is known about them so that a transaction costs
 * what it touches, not what the table holds: how often each row is referenced,
 * which rows hold weak references to it, who has which values of an index.
 *
 * The rows are what a running transaction has made of them, so that its later
 * operations see its earlier ones, and it puts them back if it fails. All else
 * is as of the last commit, and changes only with a commit.
 */
import type { BaseType } from '../data/base-type.ts';
import type { ColumnType } from '../data/column-type.ts';
import { checkDatum, type Datum, defaultDatum } from '../data/datum.ts';
import type { ColumnSchema, DatabaseSchema, TableSchema } from '../data/schema.ts';
import { Row } from './row.ts';
import { TableIndex } from './table-index.ts';
import { WeakReferences } from './weak-references.ts';

export type Tables = ReadonlyMap<string, Table>;

/** The tables of a new database, which know each other. */
export function createTables(schema: DatabaseSchema): Tables {
  const tables = new Map<string, Table>();
  for (const [name, table] of schema.tables) tables.set(name, new Table(table));
  for (const table of tables.values()) linkReferences(table, tables);
  return tables;
}

export class Table {
  readonly schema: TableSchema;
  /** By UUID. */
  readonly rows = new Map<string, Row>();
  /** How many strong references there are to a row, by its UUID. Absent is none. */
  readonly references = new Map<string, number>();
  readonly indexes: readonly TableIndex[];
  /** The table's own references to others. */
  readonly strong: StrongReferences[] = [];
  readonly weak: WeakReferences[] = [];
  /** The weak references of all tables to this one. */
  readonly weakFrom: WeakReferences[] = [];
  /** The columns whose default their own constraints forbid. */
  readonly required: readonly ColumnSchema[];
  readonly #defaults: readonly Datum[];

  constructor(schema: TableSchema) {
    this.schema = schema;
    this.indexes = schema.indexes.map((columns) => new TableIndex(columns));
    const stored = [...schema.columns.values()].filter(({ index }) => index >= 0);
    this.#defaults = stored.map(({ type }) => defaultDatum(type));
    this.required = stored.filter(({ type, index }) => !isAllowed(this.#defaults[index], type));
  }

  /** A row as inserted without values, which is not in the table yet. */
  emptyRow(uuid: string): Row {
    return new Row(this.schema, uuid, this.#defaults);
  }
}

function isAllowed(datum: Datum, type: ColumnType): boolean {
  try {
    checkDatum(datum, type);
    return true;
  } catch {
    return false;
  }
}

/** A column, of whose keys or values each is a strong reference to a row of another table. */
export interface StrongReferences {
  readonly column: ColumnSchema;
  readonly part: 'keys' | 'values';
  readonly to: Table;
}

function linkReferences(table: Table, tables: Tables): void {
  for (const column of table.schema.columns.values()) {
    link(table, column, 'keys', column.type.key, tables);
    if (column.type.value) link(table, column, 'values', column.type.value, tables);
  }
}

function link(
  from: Table,
  column: ColumnSchema,
  part: 'keys' | 'values',
  { refTable = '', refType }: BaseType,
  tables: Tables,
): void {
  const to = tables.get(refTable);
  if (to === undefined) return;
  if (refType === 'strong') {
    from.strong.push({ column, part, to });
  } else {
    const references = new WeakReferences(from, column, part, to);
    from.weak.push(references);
    to.weakFrom.push(references);
  }
}
