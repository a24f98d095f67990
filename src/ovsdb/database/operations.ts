/**
 * The operations of a transaction: RFC 7047 5.2, with the extensions of
 * ovsdb-server(7). Each takes all its members from the parser before it does
 * anything, as a member too few or too many outdoes any other error.
 */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../lib/json.ts';
import { parseUuid } from '../data/atom.ts';
import { type Condition, parseCondition } from '../data/condition.ts';
import { checkDatum, compareDatums } from '../data/datum.ts';
import { isArray, isBoolean, isId, isObject, isString } from '../data/json-kinds.ts';
import type { MemberParser } from '../data/member-parser.ts';
import { parseMutation } from '../data/mutation.ts';
import { OvsdbError, syntaxError } from '../data/ovsdb-error.ts';
import { type ColumnSchema, parseColumnSet } from '../data/schema.ts';
import { type Execution, type Operation, parseColumns, parseTable } from './execution.ts';
import { findRows } from './query.ts';
import { keyOf, parseRow, type Row, type RowValues } from './row.ts';
import type { Table } from './table.ts';
import type { Transaction } from './transaction.ts';
import { wait } from './wait.ts';

/** By the name of the "op". */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['insert', insert],
  ['select', select],
  ['update', update],
  ['mutate', mutate],
  ['delete', remove],
  ['wait', wait],
  ['commit', commit],
  ['abort', abort],
  ['comment', comment],
  ['assert', assert],
]);

/** Those of them that change rows. */
export const WRITING: ReadonlySet<string> = new Set(['insert', 'update', 'mutate', 'delete']);

function insert(execution: Execution, parser: MemberParser): JsonObject {
  const { transaction, symbols } = execution;
  const table = parseTable(execution, parser);
  const rowJson = parser.member('row', isObject);
  const uuidJson = parser.optional('uuid', isString);
  const name = parser.optional('uuid-name', isId);
  const chosen = uuidJson === undefined ? undefined : chosenUuid(uuidJson, table, transaction);
  const uuid = name === undefined ? (chosen ?? randomUUID()) : symbols.claim(name, chosen);
  if (uuid === undefined) {
    const details = 'This "uuid-name" appeared on an earlier "insert" operation.';
    throw syntaxError(name ?? null, details, 'duplicate uuid-name');
  }
  const values = parseRow(rowJson, table.schema, symbols);
  const row = table.emptyRow(uuid).with(values);
  checkDefaults(row, values, table);
  transaction.put(table, row);
  return { uuid: ['uuid', uuid] };
}

function chosenUuid(text: string, table: Table, transaction: Transaction): string {
  const uuid = parseUuid(text);
  if (uuid === undefined) throw syntaxError(text, 'bad uuid');
  if (transaction.mayCreate(table, uuid)) return uuid;
  const details =
    'This UUID would duplicate a UUID already present within the table or deleted within the same transaction.';
  throw syntaxError(text, details, 'duplicate uuid');
}

/** A default may break the constraints of its column: such a column must be given. */
function checkDefaults(row: Row, given: RowValues, table: Table): void {
  for (const column of table.required) {
    if (!given.has(column)) checkDatum(row.at(column.index), column.type);
  }
}

function select(execution: Execution, parser: MemberParser): JsonObject {
  const { symbols } = execution;
  const table = parseTable(execution, parser);
  const where = parser.member('where', isArray);
  const columnsJson = parser.optional('columns', isArray);
  const sortJson = parser.optional('sort', isArray);
  const condition = parseCondition(where, table.schema, symbols);
  const columns = parseColumns(columnsJson, table);
  const order = sortJson && parseColumnSet(sortJson, table.schema.columns);
  const rows = distinct(findRows(table, condition), columns);
  if (order !== undefined) rows.sort((a, b) => compareRows(a, b, order));
  return { rows: rows.map((row) => row.toJson(columns)) };
}

/** Of rows that look the same in these columns, the first. */
function distinct(rows: Iterable<Row>, columns: readonly ColumnSchema[]): Row[] {
  if (columns.some(({ name }) => name === '_uuid')) return [...rows];
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const key = keyOf(row, columns);
    if (!byKey.has(key)) byKey.set(key, row);
  }
  return [...byKey.values()];
}

function compareRows(a: Row, b: Row, columns: readonly ColumnSchema[]): number {
  for (const { index, type } of columns) {
    const order = compareDatums(a.at(index), b.at(index), type);
    if (order !== 0) return order;
  }
  return 0;
}

function update(execution: Execution, parser: MemberParser): JsonObject {
  const { transaction, symbols } = execution;
  const table = parseTable(execution, parser);
  const where = parser.member('where', isArray);
  const rowJson = parser.member('row', isObject);
  const values = parseRow(rowJson, table.schema, symbols);
  checkMutable(values, table, parser);
  const condition = parseCondition(where, table.schema, symbols);
  return changeRows(table, condition, transaction, (row) => row.with(values));
}

function checkMutable(values: RowValues, table: Table, parser: MemberParser): void {
  for (const { name, mutable } of values.keys()) {
    if (mutable) continue;
    const details = `Cannot update immutable column ${name} in table ${table.schema.name}.`;
    throw syntaxError(parser.json, details, 'constraint violation');
  }
}

function mutate(execution: Execution, parser: MemberParser): JsonObject {
  const { transaction, symbols } = execution;
  const table = parseTable(execution, parser);
  const where = parser.member('where', isArray);
  const mutationsJson = parser.member('mutations', isArray);
  const mutations = mutationsJson.map((json) => parseMutation(json, table.schema, symbols));
  const condition = parseCondition(where, table.schema, symbols);
  return changeRows(table, condition, transaction, (row) =>
    mutations.reduce(
      (mutated, { column, apply }) =>
        mutated.with(new Map([[column, apply(mutated.at(column.index))]])),
      row,
    ),
  );
}

function changeRows(
  table: Table,
  condition: Condition,
  transaction: Transaction,
  change: (row: Row) => Row,
): JsonObject {
  let count = 0;
  for (const row of findRows(table, condition)) {
    const changed = change(row);
    if (changed !== row) transaction.put(table, changed);
    count++;
  }
  return { count };
}

function remove(execution: Execution, parser: MemberParser): JsonObject {
  const { transaction, symbols } = execution;
  const table = parseTable(execution, parser);
  const where = parser.member('where', isArray);
  const condition = parseCondition(where, table.schema, symbols);
  let count = 0;
  for (const { uuid } of findRows(table, condition)) {
    transaction.remove(table, uuid);
    count++;
  }
  return { count };
}

function commit(execution: Execution, parser: MemberParser): JsonObject {
  if (parser.member('durable', isBoolean)) execution.isDurable = true;
  return {};
}

function abort(): JsonObject {
  throw new OvsdbError('aborted', 'aborted by request');
}

function comment({ comments }: Execution, parser: MemberParser): JsonObject {
  comments.push(parser.member('comment', isString));
  return {};
}

function assert({ ownsLock }: Execution, parser: MemberParser): JsonObject {
  const lock = parser.member('lock', isId);
  if (!ownsLock(lock)) throw new OvsdbError('not owner', `Asserted lock ${lock} not held.`);
  return {};
}
