/**
 * `db:DATABASE,TABLE,COLUMN`: an option whose value stands in a database
 * (ovsdb-server(1), --remote and "Public Key Infrastructure Options").
 */
import { TapflowError } from '../../lib/error.ts';
import type { ColumnSchema } from '../data/schema.ts';
import type { Row } from '../database/row.ts';
import type { HostedDatabase } from './hosted-database.ts';

export interface DbColumn {
  readonly database: HostedDatabase;
  readonly table: string;
  readonly column: ColumnSchema;
}

export const isDbColumn = (text: string): boolean => text.startsWith('db:');

/** @throws TapflowError BAD_DB_COLUMN, in stock's words */
export function findDbColumn(
  text: string,
  databases: ReadonlyMap<string, HostedDatabase>,
): DbColumn {
  const fail = (why: string) => new TapflowError('BAD_DB_COLUMN', `"${text}": ${why}`);
  const [name, table, columnName] = text.slice('db:'.length).split(',');
  if (!name || !table || !columnName) throw fail('invalid syntax');
  const database = databases.get(name);
  if (database === undefined) throw fail(`no database named ${name}`);
  const schema = database.database.schema.tables.get(table);
  if (schema === undefined) throw fail(`no table named ${table}`);
  const column = schema.columns.get(columnName);
  if (column === undefined) throw fail(`table "${table}" has no column "${columnName}"`);
  return { database, table, column };
}

/** All strings in the column, of all rows; none if it is of another type. */
export function stringsIn({ database, table, column }: DbColumn): string[] {
  if (column.type.key.type !== 'string' || column.type.value !== undefined) return [];
  return [...database.acknowledgedRows(table)].flatMap((row) =>
    row.at(column.index).keys.map(String),
  );
}

/** The table that the column refers to, if it does. */
export function referredTable({ column }: DbColumn): string | undefined {
  return column.type.value === undefined ? column.type.key.refTable : undefined;
}

/** The rows that the column refers to, of all rows. */
export function rowsReferred(place: DbColumn): Row[] {
  const { database, table, column } = place;
  const target = referredTable(place);
  if (target === undefined) return [];
  const rows = database.database.rows(target);
  const uuids = [...database.acknowledgedRows(table)].flatMap((row) => row.at(column.index).keys);
  return uuids.flatMap((uuid) => rows.get(String(uuid)) ?? []);
}
