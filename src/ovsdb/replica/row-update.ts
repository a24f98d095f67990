/**
 * What a monitor tells of one row, applied to the row as it was: a
 * <row-update> of RFC 7047 4.1.6, or a <row-update2> of ovsdb-server(7)
 * 4.1.14, which leaves defaults out and sends differences.
 *
 * A server that contradicts itself or the schema throws OvsdbError here. A
 * database of 100,000 rows passes through, so little is made but the rows.
 */
import type { Json } from '../../lib/json.ts';
import { type ColumnType, UNLIMITED } from '../data/column-type.ts';
import { type Datum, defaultDatum, parseDatum } from '../data/datum.ts';
import { applyDifference } from '../data/datum-sets.ts';
import { isObject } from '../data/json-kinds.ts';
import { syntaxError } from '../data/ovsdb-error.ts';
import { type ColumnSchema, findColumn, type TableSchema } from '../data/schema.ts';
import { Row } from '../database/row.ts';

/** @returns the row as it is now; undefined when it is no more */
export type RowUpdate = (
  table: ReplicaTable,
  uuid: string,
  old: Row | undefined,
  json: Json,
) => Row | undefined;

/** Of `monitor`: {"old": <row>, "new": <row>}, where "new" is the row whole. */
export const applyUpdate: RowUpdate = (table, uuid, _old, json) => {
  if (!isObject(json)) throw syntaxError(json, '<row-update> is not an object');
  return json.new === undefined ? undefined : table.row(uuid, json.new);
};

/** Of the later monitors: one of "initial", "insert", "modify", "delete". */
export const applyUpdate2: RowUpdate = (table, uuid, old, json) => {
  if (!isObject(json)) throw syntaxError(json, '<row-update2> is not an object');
  const whole = json.initial ?? json.insert;
  if (whole !== undefined) return table.row(uuid, whole);
  if (json.modify === undefined) return undefined;
  if (old !== undefined) return table.modified(old, json.modify);
  throw syntaxError(json, `row ${uuid} is modified and does not exist`);
};

/** A table's schema, with what a row has that nothing was said about. */
export class ReplicaTable {
  readonly schema: TableSchema;
  /** By index. */
  readonly #defaults: readonly Datum[];
  /** By index: a difference may have fewer or more members than the column. */
  readonly #types: readonly ColumnType[];

  constructor(schema: TableSchema) {
    this.schema = schema;
    const stored = [...schema.columns.values()].filter(({ index }) => index >= 0);
    this.#defaults = stored.map(({ type }) => defaultDatum(type));
    this.#types = stored.map(({ type }) => ({ ...type, min: 0, max: UNLIMITED }));
  }

  emptyRow(uuid: string): Row {
    return new Row(this.schema, uuid, this.#defaults);
  }

  /** @param json <row>: what is not in it has its default */
  row(uuid: string, json: Json): Row {
    const data = [...this.#defaults];
    this.#each(json, ({ index }, datum) => {
      data[index] = datum;
    });
    return new Row(this.schema, uuid, data);
  }

  /** @param json <row> of differences */
  modified(old: Row, json: Json): Row {
    const data = this.#defaults.map((_, index) => old.at(index));
    this.#each(json, ({ index, type }, datum) => {
      data[index] = applyDifference(data[index], datum, type);
    });
    return new Row(this.schema, old.uuid, data);
  }

  #each(json: Json, visit: (column: ColumnSchema, datum: Datum) => void): void {
    if (!isObject(json)) throw syntaxError(json, '<row> is not an object');
    for (const name in json) {
      const column = findColumn(json, name, this.schema);
      // Of the others, which nobody asked for, _uuid is known and _version is made here.
      if (column.index >= 0) visit(column, parseDatum(json[name], this.#types[column.index]));
    }
  }
}
