/**
 * The rows of a replica. An update is read beside them, in slices, and then
 * takes effect at once, so that nobody ever sees half a transaction, and the
 * event loop is not held for long:
 *
 *     <table-updates> --row by row--> changes --+--few: put into the maps
 *                                               +--many: put into copies of the
 *                                                  maps, which then replace them
 *
 * What is left that takes more than a step: V8 doubles a Map of 65,536 entries
 * in 3 ms, of 131,072 in 6 ms.
 */
import { isObject, type Json } from '../../lib/json.ts';
import { membersOf } from '../../lib/json-members.ts';
import type { Slices } from '../../lib/slices.ts';
import { parseUuid } from '../data/atom.ts';
import { syntaxError } from '../data/ovsdb-error.ts';
import type { DatabaseSchema } from '../data/schema.ts';
import type { RowChange, TransactionChanges } from '../database/changes.ts';
import type { Row } from '../database/row.ts';
import { ReplicaTable, type RowUpdate } from './row-update.ts';

export class Copy {
  readonly schema: DatabaseSchema;
  readonly #tables = new Map<string, ReplicaTable>();
  readonly #rows = new Maps<Row>();

  /** @param previous of another schema: its rows are there until the first update, which is whole */
  constructor(schema: DatabaseSchema, previous?: Copy) {
    this.schema = schema;
    for (const [name, table] of schema.tables) this.#tables.set(name, new ReplicaTable(table));
    if (previous !== undefined) this.#replace(previous.#rows.byTable);
  }

  rows(table: string): ReadonlyMap<string, Row> {
    return this.#rows.byTable.get(table) ?? NO_ROWS;
  }

  /**
   * Applies what a transaction changed.
   * @param json <table-updates>
   * @throws OvsdbError when it makes no sense; then nothing has changed
   */
  async apply(json: Json, update: RowUpdate, slices: Slices): Promise<TransactionChanges> {
    const changes = new Maps<RowChange>();
    for (const { name, table, uuid, row } of this.#updates(json)) {
      const old = this.rows(name).get(uuid);
      addChange(changes, name, uuid, { old, new: update(table, uuid, old, row) });
      if (slices.isOver) await slices.pause();
    }
    if (changes.size > FEW) this.#replace(await this.#withChanges(changes.byTable, slices));
    else this.#put(changes.byTable);
    return changes.byTable;
  }

  /**
   * Puts other rows in place of all that there are.
   * @param json <table-updates> that names them all
   * @returns the difference. @throws OvsdbError as apply()
   */
  async replace(json: Json, update: RowUpdate, slices: Slices): Promise<TransactionChanges> {
    const changes = new Maps<RowChange>();
    const rows = new Maps<Row>();
    for (const { name, table, uuid, row } of this.#updates(json)) {
      const now = update(table, uuid, undefined, row);
      if (now === undefined) continue;
      const old = this.rows(name).get(uuid);
      const merged = unlessSame(old, now);
      rows.set(name, uuid, merged);
      addChange(changes, name, uuid, { old, new: merged });
      if (slices.isOver) await slices.pause();
    }
    for (const [name, before] of this.#rows.byTable) {
      const after = rows.of(name);
      for (const [uuid, old] of before) {
        if (!after.has(uuid)) addChange(changes, name, uuid, { old, new: undefined });
        if (slices.isOver) await slices.pause();
      }
    }
    this.#replace(rows.byTable);
    return changes.byTable;
  }

  *#updates(json: Json): Generator<UpdatedRow, void, undefined> {
    for (const [name, rows] of members(json, '<table-updates>')) {
      const table = this.#tables.get(name);
      if (table === undefined) throw syntaxError(name, `no table named ${name}`);
      for (const [key, row] of members(rows, '<table-update>')) {
        const uuid = parseUuid(key);
        if (uuid === undefined) throw syntaxError(key, `"${key}" is not a valid UUID`);
        yield { name, table, uuid, row };
      }
    }
  }

  async #withChanges(changes: TransactionChanges, slices: Slices): Promise<RowMaps> {
    const all = new Maps<Row>();
    for (const [name, table] of changes) {
      for (const [uuid, row] of this.rows(name)) {
        all.set(name, uuid, row);
        if (slices.isOver) await slices.pause();
      }
      for (const [uuid, { new: row }] of table) {
        if (row === undefined) all.of(name).delete(uuid);
        else all.set(name, uuid, row);
        if (slices.isOver) await slices.pause();
      }
    }
    return all.byTable;
  }

  #replace(tables: RowMaps): void {
    for (const [name, rows] of tables) this.#rows.byTable.set(name, rows);
  }

  #put(changes: TransactionChanges): void {
    for (const [name, table] of changes) {
      for (const [uuid, { new: row }] of table) {
        if (row === undefined) this.#rows.of(name).delete(uuid);
        else this.#rows.set(name, uuid, row);
      }
    }
  }
}

const NO_ROWS: ReadonlyMap<string, Row> = new Map();

/** As many changes of a map take well below a millisecond. */
const FEW = 1000;

interface UpdatedRow {
  name: string;
  table: ReplicaTable;
  uuid: string;
  row: Json;
}

type RowMaps = ReadonlyMap<string, Map<string, Row>>;

/** A map by UUID for each table. */
class Maps<T> {
  readonly byTable = new Map<string, Map<string, T>>();
  size = 0;

  of(table: string): Map<string, T> {
    const map = this.byTable.get(table) ?? new Map<string, T>();
    this.byTable.set(table, map);
    return map;
  }

  set(table: string, uuid: string, value: T): void {
    this.of(table).set(uuid, value);
    this.size++;
  }
}

/** Unless nothing changes. */
function addChange(changes: Maps<RowChange>, table: string, uuid: string, change: RowChange): void {
  if (change.old !== change.new) changes.set(table, uuid, change);
}

function members(json: Json, what: string): Iterable<[string, Json]> {
  if (isObject(json)) return membersOf(json);
  throw syntaxError(json, `${what} is not an object`);
}

/** The old object where the row holds what it held: after a reconnect most do. */
function unlessSame(old: Row | undefined, row: Row): Row {
  return old?.schema === row.schema && old.equals(row) ? old : row;
}
