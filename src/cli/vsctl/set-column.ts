/** `COLUMN[:KEY]=VALUE`, carried out on a record: for set, create and add-port. */
import { type ColumnType, isMap } from '../../ovsdb/data/column-type.ts';
import type { Datum } from '../../ovsdb/data/datum.ts';
import { union } from '../../ovsdb/data/datum-sets.ts';
import type { ColumnSchema, TableSchema } from '../../ovsdb/data/schema.ts';
import { parseAtomText } from './atom-text.ts';
import type { Attempt } from './attempt.ts';
import { parseComparison } from './column-argument.ts';
import type { Context } from './command.ts';
import { parseDatumText } from './datum-text.ts';
import { VsctlError } from './failure.ts';
import type { RowSymbols } from './symbols.ts';

/** @returns the column. @throws VsctlError */
export function setColumn(
  { attempt, isLast }: Context,
  table: TableSchema,
  uuid: string,
  argument: string,
): ColumnSchema {
  const { column, key, value } = parseComparison(argument, table, ['=']);
  checkMutable(attempt, table, uuid, column);
  if (key === undefined) {
    const datum = parseDatumText(value, column.type, attempt.symbols);
    attempt.edit.set(table.name, uuid, column.name, datum);
    return column;
  }
  if (!isMap(column.type)) {
    throw new VsctlError(`cannot specify key to set for non-map column ${column.name}`);
  }
  const pair = pairOf(key, value, column.type, attempt.symbols);
  // In the last command stock sets keys of rows that are there after all else.
  if (isLast && attempt.isStored(table.name, uuid)) {
    attempt.setPairLast(table.name, uuid, column, pair);
    return column;
  }
  const before = attempt.read(attempt.row(table.name, uuid), column.name);
  attempt.edit.verify(table.name, uuid, column.name);
  attempt.edit.set(table.name, uuid, column.name, union(pair, before, column.type));
  return column;
}

/** Of a row that has just been made, all columns may be written. @throws VsctlError */
export function checkMutable(
  attempt: Attempt,
  table: TableSchema,
  uuid: string,
  column: ColumnSchema,
): void {
  if (column.mutable || !attempt.isStored(table.name, uuid)) return;
  throw new VsctlError(`cannot modify read-only column ${column.name} in table ${table.name}`);
}

function pairOf(key: string, value: string, type: ColumnType, symbols: RowSymbols): Datum {
  const keyAtom = parseAtomText(key, type.key, symbols);
  return { keys: [keyAtom], values: [parseAtomText(value, type.value ?? type.key, symbols)] };
}
