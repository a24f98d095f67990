/**
 * `ovsdb-client restore`: puts what a file of ovsdb(5) holds in the place of
 * all rows of a database, in one transaction. Rows get new UUIDs, as the
 * protocol has it; references are kept.
 */
import { readFileSync } from 'node:fs';
import { TapflowError } from '../../lib/error.ts';
import { isArray, isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { datumsEqual, datumToJson, defaultDatum } from '../../ovsdb/data/datum.ts';
import { OvsdbError } from '../../ovsdb/data/ovsdb-error.ts';
import { type DatabaseSchema, parseSchema, schemaToJson } from '../../ovsdb/data/schema.ts';
import { Database } from '../../ovsdb/database/database.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { type RecordSource, readRecords } from '../../ovsdb/file/read-records.ts';
import type { Context, Handler } from './command.ts';

export const restore: Handler = async (context) => {
  const schema = await context.server.schema(context.database);
  const database = await readDatabase(readFileSync(0));
  compareSchemas(context, database.schema, schema);
  const results = await context.server.request('transact', [
    context.database,
    ...operationsOf(database),
  ]);
  const failure = isArray(results) ? results.find(isError) : results;
  if (failure !== undefined) {
    const text = formatJson(failure, { sorted: true });
    throw new TapflowError('REFUSED', `server returned error reply: ${text}`);
  }
};

const isError = (result: Json): boolean => isObject(result) && result.error !== undefined;

async function readDatabase(bytes: Buffer): Promise<Database> {
  if (bytes.length === 0) throw unreadable(`ovsdb error: ${NAME}: cannot identify file type`);
  let database: Database | undefined;
  for await (const { json } of readRecords(sourceOf(bytes), NAME, bytes.length)) {
    try {
      if (database === undefined) database = new Database(parseSchema(json));
      else database.replay(json);
    } catch (error) {
      throw error instanceof OvsdbError ? unreadable(`${NAME}: ${error.message}`) : error;
    }
  }
  if (database === undefined) throw unreadable(`ovsdb error: ${NAME}: unexpected file format`);
  return database;
}

const NAME = '/dev/stdin';

function sourceOf(bytes: Buffer): RecordSource {
  return {
    read: (buffer, offset, _length, position) =>
      Promise.resolve({ bytesRead: bytes.copy(buffer, offset, position) }),
  };
}

function compareSchemas(context: Context, backup: DatabaseSchema, schema: DatabaseSchema): void {
  const [a, b] = [backup, schema].map((each) => formatJson(schemaToJson(each), { sorted: true }));
  if (a === b) return;
  const difference =
    backup.version === schema.version
      ? `backup schema and database schema are both version ${schema.version} but still differ`
      : `backup schema has version "${backup.version}" but database schema has version "${schema.version}"`;
  if (!context.options.force) {
    throw new TapflowError('OTHER_SCHEMA', `${difference} (${ADVICE})`);
  }
  context.vlog.module('ovsdb_client').info(difference);
}

const ADVICE =
  'use --force to override differences, or "ovsdb-client convert" to change the schema';

function operationsOf(database: Database): JsonObject[] {
  const all = [...database.schema.tables.keys()].sort();
  const uuids = new Set(all.flatMap((table) => [...database.rows(table).keys()]));
  return all.flatMap((table) => [
    { op: 'delete', table, where: [] },
    ...[...database.rows(table).values()].map((row) => insertOf(row, uuids)),
  ]);
}

function insertOf(row: Row, uuids: ReadonlySet<string>): JsonObject {
  const values: Record<string, Json> = {};
  for (const { name, type, index } of row.schema.columns.values()) {
    if (index < 0 || datumsEqual(row.at(index), defaultDatum(type))) continue;
    const json = datumToJson(row.at(index), type);
    const mayRefer = type.key.type === 'uuid' || type.value?.type === 'uuid';
    values[name] = mayRefer ? withNames(json, uuids) : json;
  }
  return { op: 'insert', table: row.schema.name, 'uuid-name': nameOf(row.uuid), row: values };
}

/** References to rows of the file, by the names that the transaction gives them. */
function withNames(json: Json, uuids: ReadonlySet<string>): Json {
  if (!isArray(json)) return json;
  const [tag, text] = json;
  if (tag !== 'uuid' || typeof text !== 'string') return json.map((each) => withNames(each, uuids));
  return uuids.has(text) ? ['named-uuid', nameOf(text)] : json;
}

const nameOf = (uuid: string): string => `row${uuid.replaceAll('-', '_')}`;

const unreadable = (message: string): TapflowError => new TapflowError('BAD_BACKUP', message);
