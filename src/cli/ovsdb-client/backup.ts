/** `ovsdb-client backup`: a database as a file of ovsdb(5). */
import { TapflowError } from '../../lib/error.ts';
import { isArray, isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { schemaToJson, type TableSchema, UUID_INDEX } from '../../ovsdb/data/schema.ts';
import { encodeRecord } from '../../ovsdb/file/record-format.ts';
import type { Handler } from './command.ts';
import { type Selection, select } from './data-commands.ts';

export const backup: Handler = async (context) => {
  const schema = await context.server.schema(context.database);
  const selections = [...schema.tables.values()].map(storedColumns);
  const results = await select(context, selections);
  const record: Record<string, Json> = {
    _date: Date.now(),
    _comment: 'produced by "ovsdb-client backup"',
    _is_diff: true,
  };
  selections.forEach(({ table }, i) => {
    if (results[i].length > 0) record[table.name] = Object.fromEntries(results[i].map(rowEntry));
  });
  for (const json of [schemaToJson(schema), record]) {
    const bytes = encodeRecord(formatJson(json));
    for (const each of bytes) context.print(each.toString());
  }
};

/** What the file keeps of a table, and which row it is. */
function storedColumns(table: TableSchema): Selection {
  const isStored = ({ index, ephemeral }: { index: number; ephemeral: boolean }): boolean =>
    index === UUID_INDEX || (index >= 0 && !ephemeral);
  return { table, columns: [...table.columns.values()].filter(isStored) };
}

function rowEntry(row: Json): [string, JsonObject] {
  const { _uuid, ...columns } = isObject(row) ? row : {};
  if (isArray(_uuid) && typeof _uuid[1] === 'string') return [_uuid[1], columns];
  throw new TapflowError('BAD_REPLY', `a row has no _uuid: ${formatJson(row).slice(0, 200)}`);
}
