/**
 * Changes as the records of a database file: ovsdb(5), "Transaction Records".
 * What is modified is stored as a difference where that is smaller, as stock
 * has done since 2.15, which older records do not: they say so by "_is_diff".
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { parseUuid } from '../data/atom.ts';
import { isComposite, UNLIMITED } from '../data/column-type.ts';
import { type Datum, datumsEqual, datumToJson, defaultDatum, parseDatum } from '../data/datum.ts';
import { applyDifference, difference } from '../data/datum-sets.ts';
import { isObject } from '../data/json-kinds.ts';
import { OvsdbError, syntaxError } from '../data/ovsdb-error.ts';
import { type ColumnSchema, findColumn } from '../data/schema.ts';
import type { RowChange, TransactionChanges } from './changes.ts';
import type { Row } from './row.ts';
import type { Table, Tables } from './table.ts';
import type { Transaction } from './transaction.ts';

/**
 * @param date milliseconds since 1970
 * @returns undefined if nothing that the file keeps has changed
 */
export function recordOf(
  changes: TransactionChanges,
  date: number,
  comment: string,
): JsonObject | undefined {
  const record: Record<string, Json> = {};
  const isDiff = !someCannotDiffer(changes);
  for (const [name, rows] of changes) {
    const table: Record<string, Json> = {};
    for (const [uuid, change] of rows) {
      const row = rowRecord(change, isDiff);
      if (row !== undefined) table[uuid] = row;
    }
    if (Object.keys(table).length > 0) record[name] = table;
  }
  if (Object.keys(record).length === 0) return undefined;
  if (comment !== '') record._comment = comment;
  return { _date: date, ...(isDiff && { _is_diff: true }), ...record };
}

/** A row as the file has it that is compacted. */
export const storedRow = (row: Row): JsonObject =>
  rowRecord({ old: undefined, new: row }, false) ?? {};

/**
 * Whether a difference would be misread by stock 3.1, in what itself wrote,
 * too: that of a column that has a default member it takes for the members to
 * add; one with more members than the column may have it refuses.
 */
function someCannotDiffer(changes: TransactionChanges): boolean {
  for (const rows of changes.values()) {
    for (const { old, new: row } of rows.values()) {
      if (old !== undefined && row !== undefined && cannotDiffer(old, row)) return true;
    }
  }
  return false;
}

function cannotDiffer(old: Row, row: Row): boolean {
  for (const { index, type } of row.schema.columns.values()) {
    if (index < 0 || !isComposite(type)) continue;
    const [before, after] = [old.at(index), row.at(index)];
    if (before === after) continue;
    if (type.min > 0 && datumsEqual(before, defaultDatum(type))) return true;
    if (type.max === UNLIMITED) continue;
    if (difference(before, after, type).keys.length > type.max) return true;
  }
  return false;
}

/** @returns undefined if nothing is to be stored, which says an empty row for a new one */
function rowRecord({ old, new: row }: RowChange, isDiff: boolean): JsonObject | null | undefined {
  if (row === undefined) return null;
  const columns: Record<string, Json> = {};
  for (const column of row.schema.columns.values()) {
    if (column.index < 0 || column.ephemeral) continue;
    const value = storedValue(column, old, row, isDiff);
    if (value !== undefined) columns[column.name] = datumToJson(value, column.type);
  }
  return old !== undefined && Object.keys(columns).length === 0 ? undefined : columns;
}

/** Of a new row, what is not the default; of an old one, what has changed. */
function storedValue(
  column: ColumnSchema,
  old: Row | undefined,
  row: Row,
  isDiff: boolean,
): Datum | undefined {
  const { index, type } = column;
  const datum = row.at(index);
  const before = old === undefined ? defaultDatum(type) : old.at(index);
  if (datumsEqual(before, datum)) return undefined;
  return old !== undefined && isDiff ? difference(before, datum, type) : datum;
}

/**
 * Makes a record's changes those of a transaction.
 * @throws OvsdbError
 */
export function stageRecord(record: Json, tables: Tables, transaction: Transaction): void {
  if (!isObject(record)) throw syntaxError(record, 'transaction record must be JSON object');
  const isDiff = record._is_diff === true;
  for (const [name, rows] of Object.entries(record)) {
    if (META.has(name)) continue;
    const table = tables.get(name);
    if (table === undefined) throw syntaxError(record, `No table named ${name}.`, 'unknown table');
    if (!isObject(rows)) throw syntaxError(rows, 'object expected');
    for (const [uuid, row] of Object.entries(rows)) {
      stageRow(row, { table, uuid: checkUuid(rows, uuid), isDiff, transaction });
    }
  }
}

const META: ReadonlySet<string> = new Set(['_date', '_comment', '_is_diff']);

function checkUuid(json: Json, text: string): string {
  const uuid = parseUuid(text);
  if (uuid === undefined) throw syntaxError(json, `"${text}" is not a valid UUID`);
  return uuid;
}

interface RecordedRow {
  readonly table: Table;
  readonly uuid: string;
  readonly isDiff: boolean;
  readonly transaction: Transaction;
}

function stageRow(json: Json, { table, uuid, isDiff, transaction }: RecordedRow): void {
  const old = table.rows.get(uuid);
  if (json === null) {
    if (old === undefined) throw missingRow(uuid, table);
    transaction.remove(table, uuid);
    return;
  }
  if (!isObject(json)) throw syntaxError(json, 'row must be JSON object');
  const values = Object.entries(json).map(([name, value]): [ColumnSchema, Datum] => {
    const column = findColumn(json, name, table.schema);
    return [column, isDiff && old ? patched(value, column, old) : parseDatum(value, column.type)];
  });
  transaction.put(table, (old ?? table.emptyRow(uuid)).with(new Map(values)));
}

/** A difference may have more members than the column takes, or none. */
function patched(json: Json, { type, index }: ColumnSchema, old: Row): Datum {
  if (!isComposite(type)) return parseDatum(json, type);
  const change = parseDatum(json, { ...type, min: 0, max: UNLIMITED });
  const datum = applyDifference(old.at(index), change, type);
  const size = datum.keys.length;
  if (size >= type.min && size <= type.max) return datum;
  throw syntaxError(json, `difference leaves ${size} members, not ${type.min} to ${type.max}`);
}

const missingRow = (uuid: string, table: Table): OvsdbError =>
  new OvsdbError(
    'syntax error',
    `cannot delete missing row ${uuid} from table ${table.schema.name}`,
  );
