/**
 * Indexes at commit: no two rows of a table may have the same values in the
 * columns of an index. Only rows whose values are new are looked up.
 */
import { datumsEqual, datumToText } from '../data/datum.ts';
import { constraintViolation, type OvsdbError } from '../data/ovsdb-error.ts';
import type { ColumnSchema } from '../data/schema.ts';
import type { Row } from './row.ts';
import type { Table } from './table.ts';
import type { TableIndex } from './table-index.ts';
import type { Transaction } from './transaction.ts';

/** @throws OvsdbError "constraint violation" */
export function checkIndexes(transaction: Transaction): void {
  for (const table of transaction.touchedTables()) {
    for (const index of table.indexes) checkIndex(table, index, transaction);
  }
}

/** Whether the rows differ in the columns of an index. */
export function differIn(columns: readonly ColumnSchema[], a: Row, b: Row): boolean {
  return !columns.every(({ index }) => datumsEqual(a.at(index), b.at(index)));
}

function checkIndex(table: Table, index: TableIndex, transaction: Transaction): void {
  const news = new Map<string, Row>();
  for (const { old, new: row } of transaction.touchedIn(table)) {
    if (row === undefined || (old && !differIn(index.columns, old, row))) continue;
    const key = index.keyOf(row);
    const other = news.get(key) ?? currentOwner(table, index, key);
    if (other !== undefined) throw duplicate(table, index.columns, [row, other], transaction);
    news.set(key, row);
  }
}

/** Who had these values before the transaction, and still has. */
function currentOwner(table: Table, index: TableIndex, key: string): Row | undefined {
  const uuid = index.owner(key);
  const row = uuid === undefined ? undefined : table.rows.get(uuid);
  return row !== undefined && index.keyOf(row) === key ? row : undefined;
}

/** The rows are told in the reverse order of their UUIDs: as stock does. */
function duplicate(
  table: Table,
  columns: readonly ColumnSchema[],
  rows: [Row, Row],
  transaction: Transaction,
): OvsdbError {
  const [first, second] = rows.sort((a, b) => (a.uuid < b.uuid ? 1 : -1));
  const names = englishList(columns.map(({ name }) => `"${name}"`));
  return constraintViolation(
    `Transaction causes multiple rows in "${table.schema.name}" table to have identical values ` +
      `(${valuesText(first, columns)}) for index on column${columns.length === 1 ? '' : 's'} ${names}.  ` +
      `First row, with UUID ${first.uuid}, ${historyText(table, columns, first, transaction)}  ` +
      `Second row, with UUID ${second.uuid}, ${historyText(table, columns, second, transaction)}`,
  );
}

const valuesText = (row: Row, columns: readonly ColumnSchema[]): string =>
  englishList(columns.map(({ index, type }) => datumToText(row.at(index), type)));

/** "a", "a and b", "a, b, and c" */
function englishList(items: readonly string[]): string {
  if (items.length < 3) return items.join(' and ');
  return `${items.slice(0, -1).join(', ')}, and ${items.at(-1)}`;
}

function historyText(
  table: Table,
  columns: readonly ColumnSchema[],
  row: Row,
  transaction: Transaction,
): string {
  const old = transaction.before(table, row.uuid);
  if (old === undefined) return 'was inserted by this transaction.';
  if (old.equals(row)) {
    return 'existed in the database before this transaction and was not modified by the transaction.';
  }
  if (differIn(columns, old, row)) {
    const values = valuesText(old, columns);
    return `had the following index values before the transaction: ${values}.`;
  }
  return "existed in the database before this transaction, which modified some of the row's columns but not any columns in this index.";
}
