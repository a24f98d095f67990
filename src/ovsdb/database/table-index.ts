/** An index: which row has given values in the index's columns, as no two may (RFC 7047 3.2). */
import type { ColumnSchema } from '../data/schema.ts';
import { keyOf, type Row } from './row.ts';

export class TableIndex {
  readonly columns: readonly ColumnSchema[];
  /** By keyOf(), a row's UUID. */
  readonly #owners = new Map<string, string>();

  constructor(columns: readonly ColumnSchema[]) {
    this.columns = columns;
  }

  keyOf(row: Row): string {
    return keyOf(row, this.columns);
  }

  /** The UUID of the row that has the values of this key. */
  owner(key: string): string | undefined {
    return this.#owners.get(key);
  }

  /** Forgets a row that is changed or gone. Call it for all such before add(). */
  remove(row: Row): void {
    const key = this.keyOf(row);
    if (this.#owners.get(key) === row.uuid) this.#owners.delete(key);
  }

  add(row: Row): void {
    this.#owners.set(this.keyOf(row), row.uuid);
  }
}
