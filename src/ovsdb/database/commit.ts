/**
 * What a commit does, in the order in which stock does it, so that of several
 * violations the same one is reported. All checks come before the first change
 * to what outlives the transaction.
 */
import { UNLIMITED } from '../data/column-type.ts';
import { constraintViolation } from '../data/ovsdb-error.ts';
import type { RowChange, TransactionChanges } from './changes.ts';
import { dropDangling } from './dangling.ts';
import {
  checkReferences,
  collectGarbage,
  countReferences,
  ReferenceCounts,
} from './strong-references.ts';
import type { Table, Tables } from './table.ts';
import type { Transaction } from './transaction.ts';
import { checkIndexes, differIn } from './uniqueness.ts';

/** What is left to do when a transaction has passed all checks. */
export interface Commit {
  readonly changes: TransactionChanges;
  /** Makes the changes those of the database. */
  finish(): void;
}

/**
 * Checks the constraints on the database as a whole and removes what they do
 * not let live on. The caller undoes the transaction if this throws.
 * @throws OvsdbError
 */
export function prepareCommit(transaction: Transaction, tables: Tables): Commit {
  const counts = new ReferenceCounts();
  checkReferences(transaction, counts);
  do {
    collectGarbage(transaction, counts);
    checkMaxRows(transaction);
  } while (dropDangling(transaction, counts));
  checkIndexes(transaction);
  return commitOf(transaction, counts, tables);
}

/** For what was checked when it was committed first: a record of the database file. */
export function commitUnchecked(transaction: Transaction, tables: Tables): void {
  const counts = new ReferenceCounts();
  for (const { table, touched } of transaction.touchedRows()) {
    countReferences(counts, table, touched.old, touched.new);
  }
  commitOf(transaction, counts, tables).finish();
}

function commitOf(transaction: Transaction, counts: ReferenceCounts, tables: Tables): Commit {
  const changes = realChanges(transaction);
  return {
    changes,
    finish() {
      counts.commit();
      for (const [name, rows] of changes) {
        const table = tables.get(name);
        if (table !== undefined) updateIndexes(table, [...rows.values()]);
      }
    },
  };
}

function checkMaxRows(transaction: Transaction): void {
  for (const { rows, schema } of transaction.touchedTables()) {
    if (schema.maxRows === UNLIMITED || rows.size <= schema.maxRows) continue;
    throw constraintViolation(
      `transaction causes "${schema.name}" table to contain ${rows.size} rows, ` +
        `greater than the schema-defined limit of ${schema.maxRows} row(s)`,
    );
  }
}

/** A row that got back what it had, or that lost a reference which did not hold, has not changed. */
function realChanges(transaction: Transaction): TransactionChanges {
  const changes = new Map<string, Map<string, RowChange>>();
  for (const row of transaction.touchedRows()) {
    const { old, new: after } = row.touched;
    if (old !== undefined && after?.equals(old)) {
      transaction.restore(row);
      continue;
    }
    const name = row.table.schema.name;
    const rows = changes.get(name) ?? new Map<string, RowChange>();
    changes.set(name, rows.set(row.uuid, { old, new: after }));
  }
  return changes;
}

function updateIndexes(table: Table, changes: readonly RowChange[]): void {
  for (const weak of table.weak) {
    for (const { old, new: row } of changes) weak.update(old, row);
  }
  for (const index of table.indexes) {
    const moved = changes.filter(
      ({ old, new: row }) => !old || !row || differIn(index.columns, old, row),
    );
    for (const { old } of moved) if (old !== undefined) index.remove(old);
    for (const { new: row } of moved) if (row !== undefined) index.add(row);
  }
}
