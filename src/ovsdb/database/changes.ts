/**
 * What a transaction changed: what monitors tell their clients, and what the
 * database file records.
 */
import type { Row } from './row.ts';

export interface RowChange {
  /** Undefined for an inserted row. */
  readonly old: Row | undefined;
  /** Undefined for a deleted row. */
  readonly new: Row | undefined;
}

/** By the table's name and the row's UUID. Rows that did not change in the end are not in it. */
export type TransactionChanges = ReadonlyMap<string, ReadonlyMap<string, RowChange>>;
