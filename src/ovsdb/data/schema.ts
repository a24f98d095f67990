/**
 * The schema of a database (RFC 7047 3.2): its tables, their columns, indexes
 * and limits, from JSON with all of stock's checks, and back to JSON. A parsed
 * schema is immutable, and consistent in itself: referenced tables exist.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { type ColumnType, UNLIMITED } from './column-type.ts';
import { isArray, isBoolean, isId, isInteger, isObject, isString } from './json-kinds.ts';
import { MemberParser } from './member-parser.ts';
import { OvsdbError, syntaxError } from './ovsdb-error.ts';
import { columnTypeToJson, isTypeJson, parseColumnType } from './type-json.ts';

export interface DatabaseSchema {
  readonly name: string;
  /** "x.y.z", or empty in very old databases. */
  readonly version: string;
  readonly cksum?: string;
  readonly tables: ReadonlyMap<string, TableSchema>;
}

export interface TableSchema {
  readonly name: string;
  /** By name, _uuid and _version among them. */
  readonly columns: ReadonlyMap<string, ColumnSchema>;
  /** Kept, but without effect: as in stock. */
  readonly mutable: boolean;
  /** UNLIMITED, or less. */
  readonly maxRows: number;
  /** Whether rows live without being referenced. */
  readonly isRoot: boolean;
  readonly indexes: readonly (readonly ColumnSchema[])[];
}

export interface ColumnSchema {
  readonly name: string;
  readonly type: ColumnType;
  /** Not stored in the database file. */
  readonly ephemeral: boolean;
  readonly mutable: boolean;
  /** Its place in a row; UUID_INDEX and VERSION_INDEX for what every row has. */
  readonly index: number;
}

export const UUID_INDEX = -1;
export const VERSION_INDEX = -2;

/** @throws OvsdbError */
export function parseSchema(json: Json): DatabaseSchema {
  const parser = new MemberParser(json, 'database schema');
  const name = parser.member('name', isId);
  const version = parser.optional('version', isString) ?? '';
  const cksum = parser.optional('cksum', isString);
  const tablesJson = parser.member('tables', isObject);
  parser.finish();
  if (version !== '' && !/^\d+\.\d+\.\d+$/.test(version)) {
    throw syntaxError(json, `schema version "${version}" not in format x.y.z`);
  }
  const tables = withRoots(parseNamed(json, tablesJson, parseTable));
  for (const { columns } of tables.values()) checkReferences(columns, tables);
  return { name, version, cksum, tables };
}

/**
 * RFC 7047 3.2, <database-schema>.
 */
export function schemaToJson(schema: DatabaseSchema): JsonObject {
  const { name, version, cksum } = schema;
  // That all are roots goes without saying: see withRoots().
  const tellsRoots = ![...schema.tables.values()].every((table) => table.isRoot);
  const tables = [...schema.tables].map(([name, table]) => [name, tableToJson(table, tellsRoots)]);
  return {
    name,
    ...(version !== '' && { version }),
    ...(cksum !== undefined && { cksum }),
    tables: Object.fromEntries(tables),
  };
}

/**
 * @param json the part of the request that names the column
 * @throws OvsdbError "unknown column"
 */
export function findColumn(json: Json, name: string, table: TableSchema): ColumnSchema {
  const column = table.columns.get(name);
  if (column !== undefined) return column;
  throw syntaxError(json, `No column ${name} in table ${table.name}.`, 'unknown column');
}

/**
 * An array of different names of columns.
 * @throws OvsdbError "syntax error"
 */
export function parseColumnSet(json: Json, columns: TableSchema['columns']): ColumnSchema[] {
  if (!isArray(json)) throw notColumnSet(json);
  const set = json.map((name) => {
    if (!isString(name)) throw notColumnSet(json);
    const column = columns.get(name);
    if (column === undefined) throw syntaxError(json, `${name} is not a valid column name`);
    return column;
  });
  if (new Set(set).size < set.length) throw notColumnSet(json);
  return set;
}

const notColumnSet = (json: Json): OvsdbError =>
  syntaxError(json, 'array of distinct column names expected');

/** The tables of a schema, or the columns of a table. */
function parseNamed<T>(
  json: Json,
  members: JsonObject,
  parse: (name: string, json: Json, index: number) => T,
): Map<string, T> {
  const entries = Object.entries(members).map(([name, member], index): [string, T] => {
    if (name.startsWith('_')) throw syntaxError(json, 'names beginning with "_" are reserved');
    if (!isId(name)) throw syntaxError(json, 'name must be a valid id');
    return [name, parse(name, member, index)];
  });
  return new Map(entries);
}

function parseTable(name: string, json: Json): TableSchema {
  const parser = new MemberParser(json, `table schema for table ${name}`);
  const columnsJson = parser.member('columns', isObject);
  const mutable = parser.optional('mutable', isBoolean) ?? true;
  const maxRows = parser.optional('maxRows', isInteger) ?? UNLIMITED;
  const isRoot = parser.optional('isRoot', isBoolean) ?? false;
  const indexesJson = parser.optional('indexes', isArray) ?? [];
  parser.finish();
  if (maxRows <= 0) throw syntaxError(json, 'maxRows must be at least 1');
  if (Object.keys(columnsJson).length === 0) {
    throw syntaxError(json, 'table must have at least one column');
  }
  const columns = new Map([...ROW_COLUMNS, ...parseNamed(json, columnsJson, parseColumn)]);
  const indexes = indexesJson.map((index) => parseIndex(index, columns));
  return { name, columns, mutable, maxRows: Number(maxRows), isRoot, indexes };
}

/** What every row has: RFC 7047 3.2, <id>. */
const ROW_COLUMNS: readonly [string, ColumnSchema][] = [
  ['_uuid', rowColumn('_uuid', UUID_INDEX)],
  ['_version', rowColumn('_version', VERSION_INDEX)],
];

function rowColumn(name: string, index: number): ColumnSchema {
  const type: ColumnType = { key: { type: 'uuid' }, min: 1, max: 1 };
  return { name, type, ephemeral: false, mutable: false, index };
}

function parseColumn(name: string, json: Json, index: number): ColumnSchema {
  const parser = new MemberParser(json, `schema for column ${name}`);
  const isMutable = parser.optional('mutable', isBoolean) ?? true;
  const ephemeral = parser.optional('ephemeral', isBoolean) ?? false;
  const typeJson = parser.member('type', isTypeJson);
  parser.finish();
  const type = parseColumnType(typeJson);
  // The end of a row that it refers to changes the column: see ovsdb-server(7) 3.2.
  const hasWeak = type.key.refType === 'weak' || type.value?.refType === 'weak';
  return { name, type, ephemeral, mutable: isMutable || hasWeak, index };
}

function parseIndex(json: Json, columns: TableSchema['columns']): ColumnSchema[] {
  const index = parseColumnSet(json, columns);
  if (index.length === 0) throw syntaxError(json, 'index must have at least one column');
  const ephemeral = index.find((column) => column.ephemeral);
  if (ephemeral === undefined) return index;
  const name = `ephemeral columns (such as ${ephemeral.name})`;
  throw syntaxError(json, `${name} may not be indexed`);
}

/** Without any root table, all are: schemas from before garbage collection have none. */
function withRoots(tables: Map<string, TableSchema>): Map<string, TableSchema> {
  if ([...tables.values()].some((table) => table.isRoot)) return tables;
  return new Map([...tables].map(([name, table]) => [name, { ...table, isRoot: true }]));
}

function checkReferences(columns: TableSchema['columns'], tables: DatabaseSchema['tables']): void {
  for (const { name, type } of columns.values()) {
    for (const part of ['key', 'value'] as const) {
      const table = type[part]?.refTable;
      if (table === undefined || tables.has(table)) continue;
      const details = `column ${name} ${part} refers to undefined table ${table}`;
      throw new OvsdbError('syntax error', details);
    }
  }
}

function tableToJson(table: TableSchema, tellsRoots: boolean): JsonObject {
  const columns = [...table.columns].filter(([, { index }]) => index >= 0);
  return {
    ...(!table.mutable && { mutable: false }),
    ...(tellsRoots && table.isRoot && { isRoot: true }),
    columns: Object.fromEntries(columns.map(([name, column]) => [name, columnToJson(column)])),
    ...(table.maxRows !== UNLIMITED && { maxRows: table.maxRows }),
    ...(table.indexes.length > 0 && {
      indexes: table.indexes.map((index) => index.map(({ name }) => name)),
    }),
  };
}

function columnToJson({ type, mutable, ephemeral }: ColumnSchema): JsonObject {
  return {
    type: columnTypeToJson(type),
    ...(!mutable && { mutable }),
    ...(ephemeral && { ephemeral }),
  };
}
