/**
 * A transaction put together from changes to a replica's rows, as whoever
 * changes them sees them: it reads what it has written. In the end it is a
 * list of operations (RFC 7047 5.2) with no more in it than what differs:
 *
 *     "wait" for what was relied on, so that the server refuses if it has changed
 *     "insert", "update", "mutate", "delete" of rows, in order of the first change
 *     "mutate" and "select" of what is counted up
 *     "comment"
 *
 * An edit is for rows as they are: make it, use it and send it without waiting
 * for anything in between. When the transaction fails for a "wait", begin anew.
 */
import { randomUUID } from 'node:crypto';
import { isArray, isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { type Datum, datumToJson } from '../data/datum.ts';
import type { ColumnSchema, TableSchema } from '../data/schema.ts';
import type { Row, RowValues } from '../database/row.ts';
import type { Replica } from './replica.ts';
import { type DatumToJson, type MemberChange, RowEdit } from './row-edit.ts';
import { ReplicaTable } from './row-update.ts';

export type ReplicaRows = Pick<Replica, 'rows' | 'schema'>;

export interface RowIdentity {
  /** What stands for the row; the default is a random one. */
  uuid?: string;
  /** Whether the row is to have it: a server of Open vSwitch 2.16 or newer takes it. */
  isFinal?: boolean;
}

export class Edit {
  readonly #replica: ReplicaRows;
  /** By UUID, in order of the first change. */
  readonly #edits = new Map<string, RowEdit>();
  readonly #inserted = new Set<string>();
  /** Inserted rows that are to have the UUID they go by here. */
  readonly #final = new Set<string>();
  readonly #comments: string[] = [];
  /** Where in the operations inserts are, by the new row's name, and COUNTER. */
  #places: ReadonlyMap<string, number> = new Map();
  #counter: { row: RowEdit; column: ColumnSchema } | undefined;

  constructor(replica: ReplicaRows) {
    this.#replica = replica;
  }

  /**
   * @returns a UUID that stands for the row in this edit; `uuidOf` tells the one it got
   * @throws TypeError for a table or column that the schema does not have
   */
  insert(
    table: string,
    values: Readonly<Record<string, Datum>> = {},
    { uuid = randomUUID(), isFinal = false }: RowIdentity = {},
  ): string {
    if (isFinal) this.#final.add(uuid);
    const empty = new ReplicaTable(this.#table(table)).emptyRow(uuid);
    this.#edits.set(uuid, new RowEdit(empty, true));
    this.#inserted.add(uuid);
    for (const [column, datum] of Object.entries(values)) this.set(table, uuid, column, datum);
    return uuid;
  }

  /** @throws RangeError when there is no such row */
  set(table: string, uuid: string, column: string, datum: Datum): void {
    this.#edit(table, uuid).set(this.#column(table, column), datum);
  }

  /**
   * Adds members to a set or map, or takes them away, whatever else it holds by
   * then. A pair that is inserted replaces the one with its key; to delete pairs
   * give them with their values, or without, for any value.
   */
  mutate(table: string, uuid: string, column: string, change: MemberChange, datum: Datum): void {
    this.#edit(table, uuid).mutate(this.#column(table, column), change, datum);
  }

  /**
   * Of a table that is no root only this edit forgets the row: the server
   * deletes it with its last reference, and refuses to as long as there is one.
   */
  remove(table: string, uuid: string): void {
    this.#edit(table, uuid).isRemoved = true;
  }

  /** Makes the transaction fail if the column is not what it is now, this edit's changes aside. */
  verify(table: string, uuid: string, column: string): void {
    this.#edit(table, uuid).verify(this.#column(table, column));
  }

  comment(text: string): void {
    this.#comments.push(text);
  }

  /** Counts an integer up by one, whoever else does so; once in an edit. @see incremented */
  increment(table: string, uuid: string, column: string): void {
    this.#counter = { row: this.#edit(table, uuid), column: this.#column(table, column) };
  }

  /** The row as it is after the changes so far; undefined when there is none. */
  get(table: string, uuid: string): Row | undefined {
    const edit = this.#edits.get(uuid);
    return edit === undefined ? this.#replica.rows(table).get(uuid) : edit.now;
  }

  *rows(table: string): Generator<Row, void, undefined> {
    for (const uuid of this.#replica.rows(table).keys()) {
      const row = this.get(table, uuid);
      if (row !== undefined) yield row;
    }
    for (const uuid of this.#inserted) {
      const row = this.get(table, uuid);
      if (row?.schema.name === table) yield row;
    }
  }

  /** Empty when nothing would change. */
  operations(): Json[] {
    const changes = [...this.#edits.values()].flatMap((edit) => this.#change(edit));
    const counting = this.#counting();
    if (changes.length + counting.length === 0) return [];
    const waits = [...this.#edits.values()].flatMap((edit) => edit.waits());
    const comment = this.#comments.join('\n');
    const comments = comment === '' ? [] : [{ op: 'comment', comment }];
    const operations = [...waits, ...changes, ...counting, ...comments];
    this.#places = placesOf(operations);
    return operations;
  }

  /** The UUID that an inserted row got. @param results of `operations()` */
  uuidOf(temporary: string, results: readonly Json[]): string | undefined {
    const reference = this.#resultOf(nameOf(temporary), results)?.uuid;
    return isArray(reference) ? String(reference[1]) : undefined;
  }

  /** What `increment` has counted to. @param results of `operations()` */
  incremented(results: readonly Json[]): number | undefined {
    const rows = this.#resultOf(COUNTER, results)?.rows;
    const [row] = isArray(rows) ? rows : [];
    const value = isObject(row) ? row[this.#counter?.column.name ?? ''] : undefined;
    return typeof value === 'number' ? value : undefined;
  }

  #resultOf(name: string, results: readonly Json[]): JsonObject | undefined {
    const result = results[this.#places.get(name) ?? -1];
    return isObject(result) ? result : undefined;
  }

  #change(edit: RowEdit): JsonObject[] {
    const { table, uuid, isNew, isRemoved, isRoot } = edit;
    if (isNew && isRemoved) return [];
    if (isNew) {
      const row = this.#rowJson(edit.values());
      const insert = { op: 'insert', table, 'uuid-name': nameOf(uuid), row };
      return [this.#final.has(uuid) ? { ...insert, uuid } : insert];
    }
    const where = edit.where;
    if (isRemoved) return isRoot ? [{ op: 'delete', table, where }] : [];
    const row = this.#rowJson(edit.values());
    const mutations = edit.mutations(this.#toJson);
    return [
      ...(Object.keys(row).length > 0 ? [{ op: 'update', table, where, row }] : []),
      ...(mutations.length > 0 ? [{ op: 'mutate', table, where, mutations }] : []),
    ];
  }

  #counting(): JsonObject[] {
    if (this.#counter === undefined) return [];
    const { row, column } = this.#counter;
    const { table } = row;
    const where = this.#named(row.where);
    return [
      { op: 'mutate', table, where, mutations: [[column.name, '+=', 1]] },
      { op: 'select', table, where, columns: [column.name] },
    ];
  }

  #rowJson(values: RowValues): JsonObject {
    const members = [...values].map(([column, datum]) => [
      column.name,
      this.#toJson(datum, column.type),
    ]);
    return Object.fromEntries(members) as JsonObject;
  }

  /** With the names of rows that the transaction itself inserts. */
  readonly #toJson: DatumToJson = (datum, type) => {
    const json = datumToJson(datum, type);
    const mayRefer = type.key.type === 'uuid' || type.value?.type === 'uuid';
    return mayRefer && this.#inserted.size > 0 ? this.#named(json) : json;
  };

  #named(json: Json): Json {
    if (!isArray(json)) return json;
    const [tag, text] = json;
    if (tag !== 'uuid' || typeof text !== 'string') return json.map((each) => this.#named(each));
    return this.#inserted.has(text) ? ['named-uuid', nameOf(text)] : json;
  }

  #edit(table: string, uuid: string): RowEdit {
    const row = this.#edits.get(uuid)?.now ?? this.#replica.rows(table).get(uuid);
    const edit = this.#edits.get(uuid) ?? (row && new RowEdit(row, false));
    if (row === undefined || edit === undefined || edit.isRemoved) {
      throw new RangeError(`there is no row ${uuid} in table ${table}`);
    }
    this.#edits.set(uuid, edit);
    return edit;
  }

  #table(name: string): TableSchema {
    const table = this.#replica.schema?.tables.get(name);
    if (table !== undefined) return table;
    throw new TypeError(`the database has no table ${name}`);
  }

  #column(table: string, name: string): ColumnSchema {
    const column = this.#table(table).columns.get(name);
    if (column !== undefined) return column;
    throw new TypeError(`table ${table} has no column ${name}`);
  }
}

/** An <id> of its own for each inserted row. */
const nameOf = (uuid: string): string => `row${uuid.replaceAll('-', '_')}`;

/** The place of the "select" of what is counted. */
const COUNTER = 'select';

function placesOf(operations: readonly JsonObject[]): Map<string, number> {
  const names = operations.map((each) => String(each['uuid-name'] ?? each.op));
  return new Map(names.map((name, at) => [name, at]));
}
