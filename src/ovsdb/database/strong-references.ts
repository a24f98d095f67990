/**
 * Strong references (RFC 7047 3.2, "refType"): how a transaction changes the
 * counts, that none leads to a row that is not there, and the end of rows that
 * are no longer referenced.
 */
import type { Atom } from '../data/atom.ts';
import { walk } from '../data/datum-sets.ts';
import { OvsdbError } from '../data/ovsdb-error.ts';
import type { Row } from './row.ts';
import type { StrongReferences, Table } from './table.ts';
import type { TouchedIn, Transaction } from './transaction.ts';

/** The counts after a transaction that is not committed yet. */
export class ReferenceCounts {
  readonly #deltas = new Map<Table, Map<string, number>>();

  of(table: Table, uuid: string): number {
    return (table.references.get(uuid) ?? 0) + (this.#deltas.get(table)?.get(uuid) ?? 0);
  }

  add(table: Table, uuid: string, count: number): void {
    let deltas = this.#deltas.get(table);
    if (deltas === undefined) {
      deltas = new Map();
      this.#deltas.set(table, deltas);
    }
    deltas.set(uuid, (deltas.get(uuid) ?? 0) + count);
  }

  /** The rows whose count may have changed. */
  *rows(): Iterable<[Table, string]> {
    for (const [table, deltas] of this.#deltas)
      for (const uuid of deltas.keys()) yield [table, uuid];
  }

  commit(): void {
    for (const [table, uuid] of this.rows()) {
      const count = this.of(table, uuid);
      if (count > 0) table.references.set(uuid, count);
      else table.references.delete(uuid);
    }
  }
}

/** Counts the references that a row has gained and lost. Those to itself do not keep it alive. */
export function countReferences(
  counts: ReferenceCounts,
  table: Table,
  before: Row | undefined,
  after: Row | undefined,
  onGain?: (references: StrongReferences, target: string) => void,
): void {
  for (const references of table.strong) {
    const { column, part, to } = references;
    const old = before?.at(column.index)[part] ?? NONE;
    const news = after?.at(column.index)[part] ?? NONE;
    if (old === news) continue;
    eachDifference(old, news, part === 'keys', (target, count) => {
      const uuid = String(target);
      if (to === table && uuid === (after ?? before)?.uuid) return;
      if (count > 0) onGain?.(references, uuid);
      counts.add(to, uuid, count);
    });
  }
}

const NONE: readonly Atom[] = [];

/** Keys are in order, values are not: those are all taken away, and counted anew. */
function eachDifference(
  old: readonly Atom[],
  news: readonly Atom[],
  isSorted: boolean,
  visit: (target: Atom, count: 1 | -1) => void,
): void {
  if (isSorted) {
    walk(old, news, 'uuid', (i, j) => {
      if (j < 0) visit(old[i], -1);
      else if (i < 0) visit(news[j], 1);
    });
  } else {
    for (const target of old) visit(target, -1);
    for (const target of news) visit(target, 1);
  }
}

/**
 * Counts what the transaction changes.
 * @throws OvsdbError if a reference leads nowhere, or a deleted row is still referenced
 */
export function checkReferences(transaction: Transaction, counts: ReferenceCounts): void {
  const touched = transaction.touchedRows();
  for (const row of touched) countTouched(row, transaction, counts);
  for (const { table, uuid, touched: row } of touched) {
    const count = counts.of(table, uuid);
    if (row.new !== undefined || count === 0) continue;
    const details = `cannot delete ${table.schema.name} row ${uuid} because of ${count} remaining reference(s)`;
    throw new OvsdbError('referential integrity violation', details);
  }
}

function countTouched(row: TouchedIn, transaction: Transaction, counts: ReferenceCounts): void {
  const { table, uuid, touched } = row;
  countReferences(counts, table, touched.old, touched.new, ({ column, to }, target) => {
    if (to.rows.has(target) || transaction.isTouched(to, target)) return;
    throw new OvsdbError(
      'referential integrity violation',
      `Table ${table.schema.name} column ${column.name} row ${uuid} ` +
        `references nonexistent row ${target} in table ${to.schema.name}.`,
    );
  });
}

/** Deletes the rows that live by references and have none left; then those that only they referred to. */
export function collectGarbage(transaction: Transaction, counts: ReferenceCounts): void {
  const suspects: [Table, string][] = [...counts.rows()];
  for (const { table, uuid } of transaction.touchedRows()) suspects.push([table, uuid]);
  for (let next = suspects.pop(); next !== undefined; next = suspects.pop()) {
    const [table, uuid] = next;
    const row = table.rows.get(uuid);
    if (row === undefined || table.schema.isRoot || counts.of(table, uuid) > 0) continue;
    transaction.remove(table, uuid);
    countReferences(counts, table, row, undefined);
    for (const target of targetsOf(table, row)) suspects.push(target);
  }
}

function targetsOf(table: Table, row: Row): [Table, string][] {
  return table.strong.flatMap(({ column, part, to }) =>
    (row.at(column.index)[part] ?? NONE).map((target): [Table, string] => [to, String(target)]),
  );
}
