/**
 * Changes of rows as monitors tell them: <table-updates> (RFC 7047 4.1.6) for
 * "update", <table-updates2> (ovsdb-server(7) 4.1.14) for "update2" and
 * "update3".
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { matchesAny } from '../data/condition.ts';
import { type Datum, datumsEqual, datumToJson, defaultDatum } from '../data/datum.ts';
import { difference } from '../data/datum-sets.ts';
import type { ColumnSchema } from '../data/schema.ts';
import type { RowChange } from '../database/changes.ts';
import type { Row } from '../database/row.ts';
import {
  type Conditions,
  DELETE,
  INITIAL,
  INSERT,
  isAlwaysTrue,
  MODIFY,
  type MonitoredTable,
  type MonitoredTables,
  type RowCondition,
  type UpdateFormat,
} from './monitor-request.ts';

/** Changes by table and row. */
export type Changes = ReadonlyMap<string, ReadonlyMap<string, RowChange>>;

/** @returns undefined if there is nothing to tell */
export function formatChanges(
  changes: Changes,
  tables: MonitoredTables,
  conditions: Conditions,
  format: UpdateFormat,
): JsonObject | undefined {
  return tableUpdates(tables, function* (name, table) {
    const condition = conditions.get(name);
    for (const [uuid, change] of changes.get(name) ?? []) {
      const kind = kindOf(change, condition, condition);
      const update = rowUpdate(kind, change, table, format);
      if (update !== undefined) yield [uuid, update];
    }
  });
}

/** What there is when a monitor begins. */
export function formatInitial(
  rowsOf: (table: string) => Iterable<Row>,
  tables: MonitoredTables,
  conditions: Conditions,
  format: UpdateFormat,
): JsonObject {
  const updates = tableUpdates(tables, function* (name, table) {
    if ((table.select & INITIAL) === 0) return;
    const condition = conditions.get(name);
    for (const row of rowsOf(name)) {
      if (!matches(row, condition)) continue;
      const update = rowUpdate(INITIAL, { old: undefined, new: row }, table, format);
      if (update !== undefined) yield [row.uuid, update];
    }
  });
  return updates ?? {};
}

/** What comes and goes with other conditions, the rows being the same. */
export function formatConditionChange(
  rowsOf: (table: string) => Iterable<Row>,
  tables: MonitoredTables,
  before: Conditions,
  after: Conditions,
  format: UpdateFormat,
): JsonObject | undefined {
  return tableUpdates(tables, function* (name, table) {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) return;
    for (const row of rowsOf(name)) {
      const change = { old: row, new: row };
      const kind = kindOf(change, old, now);
      const update = rowUpdate(kind, change, table, format);
      if (update !== undefined) yield [row.uuid, update];
    }
  });
}

function tableUpdates(
  tables: MonitoredTables,
  updatesOf: (name: string, table: MonitoredTable) => Iterable<[string, JsonObject]>,
): JsonObject | undefined {
  const updates: Record<string, Json> = {};
  let isEmpty = true;
  for (const [name, table] of tables) {
    const rows = Object.fromEntries(updatesOf(name, table));
    for (const _uuid in rows) {
      updates[name] = rows;
      isEmpty = false;
      break;
    }
  }
  return isEmpty ? undefined : updates;
}

/** To a client, a row that it is not told of is not there. @returns 0 if nothing has changed for it */
function kindOf(
  { old, new: row }: RowChange,
  before: RowCondition | undefined,
  after: RowCondition | undefined,
): number {
  const wasThere = old !== undefined && matches(old, before);
  const isThere = row !== undefined && matches(row, after);
  if (wasThere) return isThere ? MODIFY : DELETE;
  return isThere ? INSERT : 0;
}

function matches(row: Row, condition: RowCondition | undefined): boolean {
  return condition === undefined || isAlwaysTrue(condition) || matchesAny(condition.condition, row);
}

/** @returns undefined if the client does not want to know */
function rowUpdate(
  kind: number,
  change: RowChange,
  table: MonitoredTable,
  format: UpdateFormat,
): JsonObject | undefined {
  if ((table.select & kind) === 0) return undefined;
  if (kind === MODIFY && !isModified(change, table)) return undefined;
  return format === 'update' ? rowUpdate1(kind, change, table) : rowUpdate2(kind, change, table);
}

/** Merged changes may have come to nothing. */
export function isModified({ old, new: row }: RowChange, { columns }: MonitoredTable): boolean {
  if (old === undefined || row === undefined) return true;
  return columns.some(({ column: { index } }) => !datumsEqual(old.at(index), row.at(index)));
}

function rowUpdate1(kind: number, { old, new: row }: RowChange, table: MonitoredTable): JsonObject {
  const before: Record<string, Json> = {};
  const after: Record<string, Json> = {};
  for (const { column, select } of table.columns) {
    if ((select & kind) === 0) continue;
    const { name, index, type } = column;
    const [was, is] = [old?.at(index), row?.at(index)];
    if (was && (kind === DELETE || (kind === MODIFY && !(is && datumsEqual(was, is))))) {
      before[name] = datumToJson(was, type);
    }
    if (is && kind !== DELETE) after[name] = datumToJson(is, type);
  }
  if (kind === MODIFY) return { old: before, new: after };
  return kind === DELETE ? { old: before } : { new: after };
}

function rowUpdate2(kind: number, { old, new: row }: RowChange, table: MonitoredTable): JsonObject {
  if (kind === DELETE || row === undefined) return { delete: null };
  const values: Record<string, Json> = {};
  for (const { column, select } of table.columns) {
    if ((select & kind) === 0) continue;
    const { name, index, type } = column;
    const is = row.at(index);
    if (kind === MODIFY && old !== undefined) {
      const was = old.at(index);
      if (!datumsEqual(was, is)) values[name] = datumToJson(difference(was, is, type), type);
    } else if (!isDefault(is, column)) {
      values[name] = datumToJson(is, type);
    }
  }
  return { [kind === MODIFY ? 'modify' : kind === INSERT ? 'insert' : 'initial']: values };
}

function isDefault(datum: Datum, column: ColumnSchema): boolean {
  let value = defaults.get(column);
  if (value === undefined) {
    value = defaultDatum(column.type);
    defaults.set(column, value);
  }
  return datumsEqual(datum, value);
}

const defaults = new WeakMap<ColumnSchema, Datum>();
