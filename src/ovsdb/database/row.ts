/**
 * Rows: immutable, so that monitors and transactions may keep one while a newer
 * takes its place. A row that differs from its predecessor is another object
 * and has another _version. What two rows have in common they share.
 */
import { randomUUID } from 'node:crypto';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { Atom } from '../data/atom.ts';
import { type Datum, datumsEqual, datumToJson, parseDatum } from '../data/datum.ts';
import { isObject } from '../data/json-kinds.ts';
import { syntaxError } from '../data/ovsdb-error.ts';
import { type ColumnSchema, findColumn, type TableSchema, VERSION_INDEX } from '../data/schema.ts';
import type { Symbols } from '../data/symbols.ts';

export class Row {
  readonly uuid: string;
  readonly schema: TableSchema;
  readonly #data: readonly Datum[];
  #version: Datum | undefined;

  /** @param data by the columns' index */
  constructor(schema: TableSchema, uuid: string, data: readonly Datum[]) {
    this.schema = schema;
    this.uuid = uuid;
    this.#data = data;
  }

  /** @param column the name of one of the table's columns */
  get(column: string): Datum {
    const schema = this.schema.columns.get(column);
    if (schema !== undefined) return this.at(schema.index);
    throw new TypeError(`table ${this.schema.name} has no column ${column}`);
  }

  /** @param index a column's */
  at(index: number): Datum {
    if (index >= 0) return this.#data[index];
    return index === VERSION_INDEX ? this.#getVersion() : scalar(this.uuid);
  }

  /** The row with other values: itself, if they are what it has. */
  with(values: RowValues): Row {
    const isNew = ([column, datum]: [ColumnSchema, Datum]): boolean =>
      column.index >= 0 && !datumsEqual(this.#data[column.index], datum);
    const news = [...values].filter(isNew);
    if (news.length === 0) return this;
    const data = [...this.#data];
    for (const [column, datum] of news) data[column.index] = datum;
    return new Row(this.schema, this.uuid, data);
  }

  /** Whether both hold the same, _version aside. */
  equals(other: Row): boolean {
    return this.#data.every((datum, i) => datumsEqual(datum, other.#data[i]));
  }

  /** RFC 7047 5.1, <row>. */
  toJson(columns: Iterable<ColumnSchema>): JsonObject {
    const json: Record<string, Json> = {};
    for (const { name, index, type } of columns) json[name] = datumToJson(this.at(index), type);
    return json;
  }

  /** Made when first asked for, which cannot be told from earlier, and is rare. */
  #getVersion(): Datum {
    this.#version ??= scalar(randomUUID());
    return this.#version;
  }
}

const scalar = (atom: Atom): Datum => ({ keys: [atom], values: undefined });

export type RowValues = ReadonlyMap<ColumnSchema, Datum>;

/**
 * RFC 7047 5.1, <row>.
 * @throws OvsdbError
 */
export function parseRow(json: Json, table: TableSchema, symbols?: Symbols): RowValues {
  if (!isObject(json)) throw syntaxError(json, 'row must be JSON object');
  const values = Object.entries(json).map(([name, value]): [ColumnSchema, Datum] => {
    const column = findColumn(json, name, table);
    return [column, parseDatum(value, column.type, symbols)];
  });
  return new Map(values);
}

/** Rows that hold the same in these columns, and only they, have the same key. */
export function keyOf(row: Pick<Row, 'at'>, columns: readonly ColumnSchema[]): string {
  return columns.map(({ index }) => datumKey(row.at(index))).join();
}

const datumKey = ({ keys, values }: Datum): string =>
  values === undefined ? `[${atomsKey(keys)}]` : `[${atomsKey(keys)}:${atomsKey(values)}]`;

const atomsKey = (atoms: readonly Atom[]): string =>
  atoms.map((atom) => (typeof atom === 'string' ? JSON.stringify(atom) : String(atom))).join();
