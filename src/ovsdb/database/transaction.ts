/**
 * A transaction that is under way: which rows it has touched, and what they
 * were before. It works on the tables' rows in place, and undo() puts back what
 * was there. One at a time in a database.
 */
import type { Row } from './row.ts';
import type { Table } from './table.ts';

export interface TouchedRow {
  readonly old: Row | undefined;
  new: Row | undefined;
}

export class Transaction {
  readonly #touched = new Map<Table, Map<string, TouchedRow>>();

  /** Whether a row may get this UUID: none in the table has it, and none had it before. */
  mayCreate(table: Table, uuid: string): boolean {
    return !table.rows.has(uuid) && !this.isTouched(table, uuid);
  }

  /** Inserts or replaces a row. */
  put(table: Table, row: Row): void {
    const touched = this.touch(table, row.uuid);
    touched.new = row;
    table.rows.set(row.uuid, row);
  }

  remove(table: Table, uuid: string): void {
    const touched = this.touch(table, uuid);
    touched.new = undefined;
    table.rows.delete(uuid);
    // A row that came and went in one transaction was never there.
    if (touched.old === undefined) this.#touched.get(table)?.delete(uuid);
  }

  /** Notes the row as one to be checked, without changing it. */
  touch(table: Table, uuid: string): TouchedRow {
    let rows = this.#touched.get(table);
    if (rows === undefined) {
      rows = new Map();
      this.#touched.set(table, rows);
    }
    let touched = rows.get(uuid);
    if (touched === undefined) {
      const row = table.rows.get(uuid);
      touched = { old: row, new: row };
      rows.set(uuid, touched);
    }
    return touched;
  }

  isTouched(table: Table, uuid: string): boolean {
    return this.#touched.get(table)?.has(uuid) === true;
  }

  /** The row as it was before the transaction. */
  before(table: Table, uuid: string): Row | undefined {
    const touched = this.#touched.get(table)?.get(uuid);
    return touched === undefined ? table.rows.get(uuid) : touched.old;
  }

  /** A copy: rows may be touched while it is walked. */
  touchedRows(): TouchedIn[] {
    const all: TouchedIn[] = [];
    for (const [table, rows] of this.#touched) {
      for (const [uuid, touched] of rows) all.push({ table, uuid, touched });
    }
    return all;
  }

  touchedIn(table: Table): Iterable<TouchedRow> {
    return this.#touched.get(table)?.values() ?? [];
  }

  touchedTables(): Iterable<Table> {
    return this.#touched.keys();
  }

  /** Puts a row back that in the end did not change, so that it keeps its version. */
  restore({ table, uuid, touched }: TouchedIn): void {
    if (touched.old === undefined) table.rows.delete(uuid);
    else table.rows.set(uuid, touched.old);
    this.#touched.get(table)?.delete(uuid);
  }

  undo(): void {
    for (const touched of this.touchedRows()) this.restore(touched);
  }
}

export interface TouchedIn {
  readonly table: Table;
  readonly uuid: string;
  readonly touched: TouchedRow;
}
