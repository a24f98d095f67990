/**
 * Tables and columns by the names that users type: case does not matter, `-`
 * is as good as `_`, and a beginning that only one name has will do.
 */
import { compareBytes } from '../../lib/byte-order.ts';
import type { ColumnSchema, DatabaseSchema, TableSchema } from '../../ovsdb/data/schema.ts';
import { VsctlError } from './failure.ts';

/** In order of their names, as all lists of tables are. */
export function sortedTables(schema: DatabaseSchema): TableSchema[] {
  return [...schema.tables.values()].sort(byName);
}

/** Without _uuid and _version, in order of their names. */
export function sortedColumns(table: TableSchema): ColumnSchema[] {
  return [...table.columns.values()].filter(({ index }) => index >= 0).sort(byName);
}

/** @throws VsctlError */
export function findTable(schema: DatabaseSchema, name: string): TableSchema {
  const [table, ...others] = bestMatches(sortedTables(schema), name);
  if (table === undefined) throw new VsctlError(`unknown table "${name}"`);
  if (others.length === 0) return table;
  throw new VsctlError(`"${name}" matches multiple table names: ${list([table, ...others])}`);
}

/** @throws VsctlError */
export function findColumn(table: TableSchema, name: string): ColumnSchema {
  const [column, ...others] = bestMatches(sortedColumns(table), name);
  if (column === undefined) {
    throw new VsctlError(`${table.name} does not contain a column whose name matches "${name}"`);
  }
  if (others.length === 0) return column;
  throw new VsctlError(
    `${table.name} contains more than one column whose name matches "${name}": ${list([column, ...others])}`,
  );
}

interface Named {
  readonly name: string;
}

const byName = (a: Named, b: Named): number => compareBytes(a.name, b.name);

const list = (all: readonly Named[]): string => all.map(({ name }) => name).join(', ');

/** Better than a beginning is the whole name, and best is its own spelling. */
function bestMatches<T extends Named>(all: readonly T[], given: string): readonly T[] {
  const exact = all.filter(({ name }) => name === given);
  if (exact.length > 0) return exact;
  const folded = fold(given);
  const whole = all.filter(({ name }) => fold(name) === folded);
  if (whole.length > 0) return whole;
  return folded === '' ? [] : all.filter(({ name }) => fold(name).startsWith(folded));
}

const fold = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replaceAll('-', '_');
