/** The commands of ovsdb-client that carry out transactions and show rows. */
import { TapflowError } from '../../lib/error.ts';
import { isArray, isObject, type Json } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { compareDatums, type Datum, parseDatum } from '../../ovsdb/data/datum.ts';
import { type ColumnSchema, type TableSchema, VERSION_INDEX } from '../../ovsdb/data/schema.ts';
import { Table } from '../ovs-table/table.ts';
import { type Context, type Handler, parseArgument } from './command.ts';

export const transact: Handler = async (context) => {
  context.printJson(await context.server.request('transact', requestOf(context)));
};

/** A transaction that ends in an abort, which is not shown. */
export const query: Handler = async (context) => {
  const request = requestOf(context);
  const results = await context.server.request('transact', [...request, { op: 'abort' }]);
  const last = isArray(results) ? results.at(-1) : undefined;
  const isAborted = isObject(last) && last.error === 'aborted';
  context.printJson(isArray(results) && isAborted ? results.slice(0, -1) : results);
};

export const dump: Handler = async (context) => {
  const { tables } = await context.server.schema(context.database);
  const [wanted, ...columns] = context.args;
  const names = wanted === undefined ? [...tables.keys()].sort() : [wanted];
  const shown = names.map((name) => {
    const table = tables.get(name);
    if (table === undefined) throw new TapflowError('NO_TABLE', `No table "${name}" found.`);
    return { table, columns: shownColumns(table, columns) };
  });
  const results = await select(context, shown);
  shown.forEach(({ table, columns }, i) => {
    context.printTable(tableOf(table, columns, results[i]));
  });
};

/** Some columns of a table. */
export interface Selection {
  table: TableSchema;
  columns: readonly ColumnSchema[];
}

/** @returns the rows of each, in one transaction */
export async function select(
  { server, database }: Pick<Context, 'server' | 'database'>,
  selections: readonly Selection[],
): Promise<(readonly Json[])[]> {
  const operations = selections.map(({ table, columns }) => ({
    op: 'select',
    table: table.name,
    where: [],
    columns: columns.map(({ name }) => name),
  }));
  const results = await server.request('transact', [database, ...operations]);
  if (!isArray(results) || results.length !== selections.length) {
    throw badReply(`${selections.length} results were expected`, results);
  }
  return results.map((result) => {
    if (isObject(result) && isArray(result.rows)) return result.rows;
    throw badReply('rows were expected', result);
  });
}

/** @throws TapflowError BAD_REPLY, OvsdbError */
export function datumOf(row: Json, { name, type }: ColumnSchema): Datum {
  if (isObject(row) && Object.hasOwn(row, name)) return parseDatum(row[name], type);
  throw badReply(`a row with column ${name} was expected`, row);
}

function requestOf({ args }: Context): readonly Json[] {
  const request = parseArgument(args[0]);
  if (isArray(request) && typeof request[0] === 'string') return request;
  throw new TapflowError('BAD_QUERY', 'not a valid OVSDB query');
}

/** Those named, or all, without _version; in order of their names. */
function shownColumns({ name, columns }: TableSchema, wanted: readonly string[]): ColumnSchema[] {
  const names = wanted.length > 0 ? [...wanted] : [...columns.keys()];
  const shown = names.sort().map((column) => {
    const schema = columns.get(column);
    if (schema !== undefined) return schema;
    throw new TapflowError('NO_COLUMN', `Table "${name}" has no column ${column}.`);
  });
  return shown.filter(({ index }) => index !== VERSION_INDEX);
}

function tableOf(
  schema: TableSchema,
  columns: readonly ColumnSchema[],
  rows: readonly Json[],
): Table {
  const names = columns.map(({ name }) => name);
  const table = new Table(names, `${schema.name} table`);
  const data = rows.map((row) => columns.map((column) => datumOf(row, column)));
  for (const datums of data.sort(rowOrder(columns))) {
    table.add(datums.map((datum, i) => ({ datum, type: columns[i].type })));
  }
  return table;
}

/** By what the rows hold; UUIDs, which are random, count only when all else is the same. */
function rowOrder(columns: readonly ColumnSchema[]): (a: Datum[], b: Datum[]) => number {
  const isUuid = (i: number): boolean => columns[i].type.key.type === 'uuid';
  const places = [...columns.keys()];
  const order = [...places.filter((i) => !isUuid(i)), ...places.filter(isUuid)];
  return (a, b) => {
    for (const i of order) {
      const difference = compareDatums(a[i], b[i], columns[i].type);
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

const badReply = (expected: string, reply: Json): TapflowError =>
  new TapflowError('BAD_REPLY', `${expected}, not ${formatJson(reply).slice(0, 200)}`);
