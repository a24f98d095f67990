/**
 * What `ovsdb-client monitor` is to watch: tables, the columns to show of each,
 * and the requests that ask the server for them.
 */
import { TapflowError } from '../../lib/error.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import { parseCondition } from '../../ovsdb/data/condition.ts';
import { isArray } from '../../ovsdb/data/json-kinds.ts';
import {
  type ColumnSchema,
  type DatabaseSchema,
  type TableSchema,
  UUID_INDEX,
} from '../../ovsdb/data/schema.ts';
import { parseArgument } from './command.ts';

export interface MonitoredTable {
  readonly schema: TableSchema;
  /** In the order in which they are shown. */
  readonly columns: readonly ColumnSchema[];
  /** <monitor-request>s, one for each group of columns. */
  readonly requests: readonly JsonObject[];
}

/**
 * @param groups COLUMN,...: columns, and !initial and the like about them; a
 *   group without columns is about all
 * @param remote for messages
 * @param condition of monitor-cond, as text
 * @throws TapflowError USAGE, OvsdbError
 */
export function monitorTable(
  database: DatabaseSchema,
  table: TableSchema,
  groups: readonly string[],
  remote: string,
  condition?: string,
): MonitoredTable {
  const where = condition === undefined ? undefined : conditionOf(condition, table);
  const columns: ColumnSchema[] = [];
  const requests = (groups.length > 0 ? groups : ['']).map((group) => {
    const words = group.split(',').filter((word) => word !== '');
    const named = words.filter((word) => !SELECTS.includes(word));
    const added = named.length > 0 ? named.map(columnOf) : allColumns(table);
    for (const column of added) {
      if (columns.includes(column)) throw usage(`column "${column.name}" mentioned multiple times`);
      columns.push(column);
    }
    return requestOf(
      added,
      words.filter((word) => SELECTS.includes(word)),
      where,
    );
  });
  return { schema: table, columns, requests };

  function columnOf(name: string): ColumnSchema {
    const column = table.columns.get(name);
    if (column !== undefined) return column;
    const owner = `table "${table.name}" in ${database.name}`;
    throw usage(`${owner} does not have a column named "${name}"`);
  }

  function usage(message: string): TapflowError {
    return new TapflowError('USAGE', `${remote}: ${message}`);
  }
}

const SELECTS: readonly string[] = ['!initial', '!insert', '!delete', '!modify'];

function conditionOf(text: string, table: TableSchema): readonly Json[] {
  const json = parseArgument(text);
  if (!isArray(json)) throw new TapflowError('USAGE', `"${text}": a JSON array was expected`);
  parseCondition(json, table);
  return json;
}

function allColumns({ columns }: TableSchema): ColumnSchema[] {
  const all = [...columns.values()].filter(({ index }) => index !== UUID_INDEX);
  const isVersion = ({ name }: ColumnSchema): boolean => name === '_version';
  const order = (column: ColumnSchema): string => (isVersion(column) ? '~' : column.name);
  return all.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function requestOf(
  columns: readonly ColumnSchema[],
  off: readonly string[],
  where: readonly Json[] | undefined,
): JsonObject {
  return {
    columns: columns.map(({ name }) => name),
    ...(off.length > 0 && {
      select: Object.fromEntries(off.map((word) => [word.slice(1), false])),
    }),
    ...(where && where.length > 0 && { where }),
  };
}
