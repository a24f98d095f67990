/** The changes of an edit (edit.ts) to one row. */
import type { Json, JsonObject } from '../../lib/json.ts';
import type { ColumnType } from '../data/column-type.ts';
import { type Datum, datumsEqual } from '../data/datum.ts';
import { subtract, union } from '../data/datum-sets.ts';
import type { ColumnSchema } from '../data/schema.ts';
import type { Row } from '../database/row.ts';

export type MemberChange = 'insert' | 'delete';

/** Datum to JSON, with the names of new rows. */
export type DatumToJson = (datum: Datum, type: ColumnType) => Json;

/** Members that come or go. */
interface Mutation {
  readonly change: MemberChange;
  readonly datum: Datum;
}

export class RowEdit {
  readonly isNew: boolean;
  isRemoved = false;
  readonly #before: Row;
  #now: Row;
  /** Columns that get a value whatever they hold. */
  readonly #set = new Set<ColumnSchema>();
  /** In order; columns are in one of the two at most. */
  readonly #mutated = new Map<ColumnSchema, Mutation[]>();
  readonly #verified = new Set<ColumnSchema>();

  /** @param before as it is in the replica; for a new row, empty */
  constructor(before: Row, isNew: boolean) {
    this.#before = before;
    this.#now = before;
    this.isNew = isNew;
  }

  get table(): string {
    return this.#before.schema.name;
  }

  get isRoot(): boolean {
    return this.#before.schema.isRoot;
  }

  get uuid(): string {
    return this.#before.uuid;
  }

  get where(): Json {
    return [['_uuid', '==', ['uuid', this.uuid]]];
  }

  get now(): Row | undefined {
    return this.isRemoved ? undefined : this.#now;
  }

  set(column: ColumnSchema, datum: Datum): void {
    this.#mutated.delete(column);
    this.#set.add(column);
    this.#now = this.#now.with(new Map([[column, datum]]));
  }

  mutate(column: ColumnSchema, change: MemberChange, datum: Datum): void {
    const { type } = column;
    const value = this.#now.at(column.index);
    const changed = change === 'insert' ? add(value, datum, type) : subtract(value, datum, type);
    this.#now = this.#now.with(new Map([[column, changed]]));
    if (this.isNew || this.#set.has(column)) return;
    const mutations = this.#mutated.get(column) ?? [];
    this.#mutated.set(column, mutations);
    append(mutations, { change, datum }, type);
  }

  verify(column: ColumnSchema): void {
    if (!this.isNew) this.#verified.add(column);
  }

  /** The columns that are set to something else than they hold. */
  values(): Map<ColumnSchema, Datum> {
    const columns = this.isNew ? this.#before.schema.columns.values() : this.#set;
    const changed = [...columns].filter((column) => this.#isChanged(column));
    return new Map(changed.map((column) => [column, this.#now.at(column.index)]));
  }

  /** For "mutate". */
  mutations(toJson: DatumToJson): Json[] {
    const mutated = [...this.#mutated].filter(([column]) => this.#isChanged(column));
    return mutated.flatMap(([{ name, type }, mutations]) =>
      mutations.flatMap((mutation) => mutationJson(name, type, mutation, toJson)),
    );
  }

  waits(): JsonObject[] {
    if (this.#verified.size === 0) return [];
    const { table, where } = this;
    const columns = [...this.#verified].map(({ name }) => name);
    const rows = [this.#before.toJson(this.#verified)];
    return [{ op: 'wait', table, where, columns, until: '==', rows, timeout: 0 }];
  }

  #isChanged({ index }: ColumnSchema): boolean {
    return index >= 0 && !datumsEqual(this.#now.at(index), this.#before.at(index));
  }
}

/** Pairs of a map replace those with their keys. */
function add(value: Datum, datum: Datum, type: ColumnType): Datum {
  return type.value === undefined ? union(value, datum, type) : union(datum, value, type);
}

/** Into the last of its kind where that is possible: many small ones are slow to carry out. */
function append(mutations: Mutation[], { change, datum }: Mutation, type: ColumnType): void {
  const last = mutations.at(-1);
  const isAlike = last?.change === change && (change === 'insert' || type.value === undefined);
  if (last === undefined || !isAlike) mutations.push({ change, datum });
  else mutations.splice(-1, 1, { change, datum: add(last.datum, datum, type) });
}

/** "insert" leaves the pairs of a map that are there: they go first. */
function mutationJson(
  column: string,
  type: ColumnType,
  { change, datum }: Mutation,
  toJson: DatumToJson,
): Json[] {
  if (change === 'delete') return [[column, 'delete', toJson(datum, typeOf(datum, type))]];
  const insertion = [column, 'insert', toJson(datum, type)];
  if (type.value === undefined) return [insertion];
  const keys: Datum = { keys: datum.keys, values: undefined };
  return [[column, 'delete', toJson(keys, typeOf(keys, type))], insertion];
}

/** Members to delete from a map may be keys alone. */
const typeOf = ({ values }: Datum, type: ColumnType): ColumnType =>
  values === undefined ? { ...type, value: undefined } : type;
