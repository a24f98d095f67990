/**
 * What a client asks to be told of: the parameters of "monitor" (RFC 7047
 * 4.1.5), "monitor_cond", "monitor_cond_since" and "monitor_cond_change"
 * (ovsdb-server(7) 4.1.12 to 4.1.15), checked as stock checks them.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-format.ts';
import { parseUuid } from '../data/atom.ts';
import { type Condition, parseCondition } from '../data/condition.ts';
import { isArray, isBoolean, isObject, isString } from '../data/json-kinds.ts';
import { MemberParser } from '../data/member-parser.ts';
import { OvsdbError, syntaxError } from '../data/ovsdb-error.ts';
import {
  type ColumnSchema,
  type DatabaseSchema,
  type TableSchema,
  UUID_INDEX,
} from '../data/schema.ts';

/** The method of its notifications, which tells how rows are put. */
export type UpdateFormat = 'update' | 'update2' | 'update3';

/** Kinds of change that a client wants, as bits. */
export const INITIAL = 1;
export const INSERT = 2;
export const DELETE = 4;
export const MODIFY = 8;

export interface MonitoredColumn {
  readonly column: ColumnSchema;
  /** Kinds of change with which the column is told. */
  readonly select: number;
}

export interface MonitoredTable {
  readonly schema: TableSchema;
  /** Kinds of change that are told at all. */
  select: number;
  readonly columns: MonitoredColumn[];
}

export type MonitoredTables = ReadonlyMap<string, MonitoredTable>;

/** Which rows of a table are told of; all those of a table that is not in it. */
export type Conditions = ReadonlyMap<string, RowCondition>;

export interface RowCondition {
  readonly json: Json;
  readonly condition: Condition;
}

export interface MonitorRequest {
  readonly tables: MonitoredTables;
  readonly conditions: Conditions;
}

/**
 * @param json the <monitor-requests> or <monitor-cond-requests>
 * @throws OvsdbError
 */
export function parseMonitorRequest(
  json: Json,
  schema: DatabaseSchema,
  format: UpdateFormat,
): MonitorRequest {
  const tables = new Map<string, MonitoredTable>();
  const conditions = new Map<string, RowCondition>();
  for (const [name, requests] of Object.entries(asObject(json))) {
    const table = { schema: findTable(name, schema), select: 0, columns: [] };
    tables.set(name, table);
    for (const request of isArray(requests) ? requests : [requests]) {
      const where = parseTableRequest(request, table, format !== 'update');
      // Of several, stock goes by the first.
      if (where !== undefined && !conditions.has(name)) conditions.set(name, where);
    }
  }
  return { tables, conditions };
}

/** Of which transaction the client has the data. @throws OvsdbError */
export function parseLastTransaction(json: Json): string {
  if (!isString(json)) throw syntaxError(json, 'last-txn-id must be string');
  const uuid = parseUuid(json);
  if (uuid === undefined) throw syntaxError(json, 'last-txn-id must be UUID format.');
  return uuid;
}

/**
 * @param json the <monitor-cond-update-requests>
 * @returns the new conditions, without those that stay
 * @throws OvsdbError
 */
export function parseConditionChange(
  json: Json,
  schema: DatabaseSchema,
  tables: MonitoredTables,
): Conditions {
  if (!isObject(json)) throw plainError('monitor-cond-change-requests must be object');
  const conditions = new Map<string, RowCondition>();
  for (const [name, requests] of Object.entries(json)) {
    const table = findTable(name, schema);
    if (!tables.has(name)) throw plainError(`no table named ${name} in monitor session`);
    if (!isArray(requests)) throw plainError(`table ${name} no monitor-cond-change JSON array`);
    for (const request of requests) {
      const parser = new MemberParser(request, `table ${name}`);
      const columns = parser.optional('columns', isArray);
      const where = parser.optional('where', isArray) ?? [];
      parser.finish();
      if (columns !== undefined) throw syntaxError(request, 'changing columns is unsupported');
      conditions.set(name, rowCondition(where, table));
    }
  }
  return conditions;
}

/** Whether no row is left out. */
export const isAlwaysTrue = ({ condition }: RowCondition): boolean =>
  condition.length === 0 || condition.includes(true);

/** @returns the "where", if the request may have one and has */
function parseTableRequest(
  json: Json,
  table: MonitoredTable,
  mayHaveWhere: boolean,
): RowCondition | undefined {
  const { name } = table.schema;
  const parser = new MemberParser(json, `table ${name}`);
  const where = mayHaveWhere ? parser.optional('where', isArray) : undefined;
  const columns = parser.optional('columns', isArray);
  const selectJson = parser.optional('select', isObject);
  parser.finish();
  const select = selectJson === undefined ? ALL : parseSelect(selectJson, name);
  table.select |= select;
  addColumns(table, columns, select);
  return mayHaveWhere ? rowCondition(where ?? [], table.schema) : undefined;
}

function parseSelect(json: JsonObject, table: string): number {
  const parser = new MemberParser(json, `table ${table} select`);
  let select = 0;
  for (const [name, bit] of KINDS) if (parser.optional(name, isBoolean) ?? true) select |= bit;
  parser.finish();
  return select;
}

const KINDS = [
  ['initial', INITIAL],
  ['insert', INSERT],
  ['delete', DELETE],
  ['modify', MODIFY],
] as const;

const ALL = INITIAL | INSERT | DELETE | MODIFY;

function addColumns(
  { schema, columns }: MonitoredTable,
  json: readonly Json[] | undefined,
  select: number,
): void {
  if (json === undefined) {
    const all = [...schema.columns.values()].filter(({ index }) => index !== UUID_INDEX);
    columns.push(...all.map((column) => ({ column, select })));
    return;
  }
  for (const name of json) {
    if (!isString(name)) throw syntaxError(json, 'array of column names expected');
    const column = schema.columns.get(name);
    if (column === undefined) throw syntaxError(json, `${name} is not a valid column name`);
    if (columns.some((other) => other.column === column)) {
      throw syntaxError(json, `column ${name} mentioned more than once`);
    }
    columns.push({ column, select });
  }
}

function rowCondition(where: readonly Json[], table: TableSchema): RowCondition {
  return { json: where, condition: parseCondition(where, table) };
}

function asObject(json: Json): JsonObject {
  if (isObject(json)) return json;
  throw syntaxError(json, 'monitor-requests must be object');
}

function findTable(name: string, schema: DatabaseSchema): TableSchema {
  const table = schema.tables.get(name);
  if (table === undefined) throw plainError(`no table named ${name}`);
  return table;
}

const plainError = (details: string): OvsdbError => new OvsdbError('syntax error', details);

/** The same for monitors that tell the same. */
export function monitorKey(
  tables: MonitoredTables,
  conditions: Conditions,
  format: UpdateFormat,
): string {
  const parts = [...tables].map(([name, { select, columns }]) => [
    name,
    select,
    columns.map(({ column, select }) => [column.name, select]),
    conditions.get(name)?.json ?? [],
  ]);
  return formatJson([format, ...parts], { sorted: true });
}
