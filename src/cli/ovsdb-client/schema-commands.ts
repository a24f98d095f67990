/**
 * The commands of ovsdb-client that show schemas. Stock lists tables and
 * columns in an order that comes from a hash; here it is that of their names.
 */
import { readFileSync } from 'node:fs';
import { TapflowError } from '../../lib/error.ts';
import { formatJson, parseJson } from '../../lib/json-text.ts';
import { strerror } from '../../lib/strerror.ts';
import { type DatabaseSchema, parseSchema, schemaToJson } from '../../ovsdb/data/schema.ts';
import { columnTypeToJson } from '../../ovsdb/data/type-json.ts';
import { Table } from '../ovs-table/table.ts';
import type { Context, Handler } from './command.ts';

export const listDbs: Handler = async (context) => {
  for (const name of await context.server.databases()) context.print(`${name}\n`);
};

export const getSchema: Handler = async (context) => {
  context.printJson(schemaToJson(await schemaOf(context)));
};

export const getSchemaVersion: Handler = async (context) => {
  context.print(`${(await schemaOf(context)).version}\n`);
};

export const getSchemaCksum: Handler = async (context) => {
  context.print(`${(await schemaOf(context)).cksum ?? ''}\n`);
};

export const listTables: Handler = async (context) => {
  const table = new Table(['Table']);
  for (const name of sorted((await schemaOf(context)).tables)) table.add([name]);
  context.printTable(table);
};

export const listColumns: Handler = async (context) => {
  const { tables } = await schemaOf(context);
  const [wanted] = context.args;
  const table = new Table(wanted === undefined ? ['Table', 'Column', 'Type'] : ['Column', 'Type']);
  for (const name of sorted(tables)) {
    if (wanted !== undefined && wanted !== name) continue;
    const columns = tables.get(name)?.columns ?? new Map();
    for (const column of sorted(columns)) {
      const type = { json: columnTypeToJson(columns.get(column).type) };
      table.add(wanted === undefined ? [name, column, type] : [column, type]);
    }
  }
  context.printTable(table);
};

export const needsConversion: Handler = async (context) => {
  const schema = readSchema(context.args[0]);
  const text = (each: DatabaseSchema): string => formatJson(schemaToJson(each), { sorted: true });
  const isSame = text(schema) === text(await context.server.schema(schema.name));
  context.print(isSame ? 'no\n' : 'yes\n');
};

export const convert: Handler = async () => {
  throw new TapflowError('UNSUPPORTED', 'convert: not supported by tapflow yet');
};

const schemaOf = ({ server, database }: Context): Promise<DatabaseSchema> =>
  server.schema(database);

const sorted = (named: ReadonlyMap<string, unknown>): string[] => [...named.keys()].sort();

function readSchema(file: string): DatabaseSchema {
  try {
    return parseSchema(parseJson(readText(file)));
  } catch (cause) {
    throw new TapflowError('BAD_SCHEMA', `failed to read schema: ${(cause as Error).message}`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = `error opening "${file}": ${strerror(cause)}`;
    throw new TapflowError('BAD_SCHEMA', `"${file}" could not be read as JSON (${reason})`);
  }
}
