/** Cells to write: datums in their canonical form, from what TypeScript has. */
import { compareBytes } from '../../lib/byte-order.ts';
import type { Atom } from '../../ovsdb/data/atom.ts';
import type { Datum } from '../../ovsdb/data/datum.ts';

/** New values of a row's columns. */
export type Cells = Readonly<Record<string, Datum>>;

/** An optional column without a value. */
export const NOTHING: Datum = { keys: [], values: undefined };

export const scalar = (atom: Atom): Datum => ({ keys: [atom], values: undefined });

export const optional = (atom: Atom | undefined): Datum =>
  atom === undefined ? NOTHING : scalar(atom);

/** Without duplicates. */
export function stringSet(texts: readonly string[]): Datum {
  return { keys: texts.toSorted(compareBytes), values: undefined };
}

export function map(entries: Readonly<Record<string, Atom>>): Datum {
  const sorted = Object.entries(entries).sort(([a], [b]) => compareBytes(a, b));
  return { keys: sorted.map(([key]) => key), values: sorted.map(([, value]) => value) };
}
