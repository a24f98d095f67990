/**
 * What of the database a run has to copy from the server: each command says
 * before the connection is made, so that a run on a large database takes no
 * more than it reads.
 */
import type { DatabaseSchema, TableSchema } from '../../ovsdb/data/schema.ts';
import { findTable } from './names.ts';
import { identifiersOf } from './record-names.ts';

export class Needs {
  readonly schema: DatabaseSchema;
  readonly tables = new Map<string, string[]>();

  constructor(schema: DatabaseSchema) {
    this.schema = schema;
  }

  add(table: string, ...columns: readonly string[]): void {
    const wanted = this.tables.get(table) ?? [];
    this.tables.set(table, [...new Set([...wanted, ...columns])]);
  }

  /** A table by the name that the user gave, and what its records can be named by. @throws VsctlError */
  table(name: string): TableSchema {
    const table = findTable(this.schema, name);
    this.add(table.name);
    for (const { name, via } of identifiersOf(table.name)) {
      if (name !== undefined) this.add(name.table, name.column);
      if (via !== undefined) this.add(via.table, via.column);
    }
    return table;
  }
}
