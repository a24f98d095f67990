/**
 * Weak references to rows that are not there (RFC 7047 3.2, "refType"): a
 * commit takes them out of their columns, if those may do without.
 */
import { type Atom, ZERO_UUID } from '../data/atom.ts';
import { filterDatum } from '../data/datum-sets.ts';
import { constraintViolation, type OvsdbError } from '../data/ovsdb-error.ts';
import type { ColumnSchema } from '../data/schema.ts';
import { countReferences, type ReferenceCounts } from './strong-references.ts';
import type { TouchedIn, Transaction } from './transaction.ts';

/**
 * @returns whether strong references went with them, as in a map
 * @throws OvsdbError "constraint violation" if a column must not be empty
 */
export function dropDangling(transaction: Transaction, counts: ReferenceCounts): boolean {
  touchHolders(transaction);
  let hasDroppedStrong = false;
  for (const row of transaction.touchedRows()) {
    const { table, touched } = row;
    const before = touched.new;
    if (before === undefined) continue;
    for (const { column } of table.weak) dropIn(column, row, transaction);
    if (touched.new === before || table.strong.length === 0) continue;
    countReferences(counts, table, before, touched.new);
    hasDroppedStrong = true;
  }
  return hasDroppedStrong;
}

/** Those who refer to a row that was deleted have to be looked at, too. */
function touchHolders(transaction: Transaction): void {
  for (const { table, uuid, touched } of transaction.touchedRows()) {
    if (touched.new !== undefined) continue;
    for (const references of table.weakFrom) {
      for (const holder of references.holdersOf(uuid)) {
        if (references.from.rows.has(holder)) transaction.touch(references.from, holder);
      }
    }
  }
}

function dropIn(column: ColumnSchema, row: TouchedIn, transaction: Transaction): void {
  const { table, touched } = row;
  const before = touched.new;
  if (before === undefined) return;
  const datum = before.at(column.index);
  const references = table.weak.filter((weak) => weak.column === column);
  const left = filterDatum(datum, (i) =>
    references.every(({ part, to }) => to.rows.has(String(datum[part]?.[i]))),
  );
  if (left === datum) return;
  if (left.keys.length < column.type.min) {
    const targets = references.flatMap(({ part }) => datum[part] ?? []);
    throw emptied(column, row, datum.keys.length, targets);
  }
  transaction.put(table, before.with(new Map([[column, left]])));
}

/** @param targets what the column referred to, none of which is there */
function emptied(
  column: ColumnSchema,
  row: TouchedIn,
  count: number,
  targets: readonly Atom[],
): OvsdbError {
  const { table, uuid, touched } = row;
  const isNew = touched.old === undefined;
  const place = `column "${column.name}" in "${table.schema.name}" row ${uuid}`;
  const inserted = isNew ? '(inserted within this transaction) ' : '';
  if (isNew && targets.includes(ZERO_UUID)) {
    return constraintViolation(
      `Weak reference ${place} ${inserted}contained all-zeros UUID (probably as the default value ` +
        'for this column) but deleting this value caused a constraint volation because this ' +
        'column is not allowed to be empty.',
    );
  }
  return constraintViolation(
    `Deletion of ${count} weak reference(s) to deleted (or never-existing) rows from ` +
      `${place} ${inserted}caused this column to become empty, but constraints on this column ` +
      'disallow an empty column.',
  );
}
