/**
 * Datums as sets: union, subtraction, inclusion, and the differences that
 * monitors send and the database file stores. All walk two sorted lists side by
 * side, so they take time in proportion to the two datums' sizes.
 */
import { type Atom, type AtomicType, atomOrder } from './atom.ts';
import { type ColumnType, isComposite } from './column-type.ts';
import type { Datum } from './datum.ts';

/** All of a, and of b what has no key in a. @returns a itself if that is all */
export function union(a: Datum, b: Datum, type: ColumnType): Datum {
  const result = merge(a, b, type, () => 'left');
  return result.keys.length === a.keys.length ? a : result;
}

/**
 * @param b of the type of a; or, without values, keys to remove from a map
 * @returns a without the members that are in b
 */
export function subtract(a: Datum, b: Datum, type: ColumnType): Datum {
  const isSame = (i: number, j: number) => b.values === undefined || a.values?.[i] === b.values[j];
  return pick(a, (i, j) => j === undefined || !isSame(i, j), b, type);
}

/** Whether each member of `part` is in `whole`. */
export function includesAll(whole: Datum, part: Datum, type: ColumnType): boolean {
  return subtract(part, whole, type).keys.length === 0;
}

/** Whether no member of `part` is in `whole`. */
export function excludesAll(whole: Datum, part: Datum, type: ColumnType): boolean {
  return subtract(part, whole, type).keys.length === part.keys.length;
}

/**
 * ovsdb-server(7) 4.1.14: what turns `before` into `after`: members of just one
 * of them, and pairs with their new value; the whole of what holds at most one
 * member.
 */
export function difference(before: Datum, after: Datum, type: ColumnType): Datum {
  if (!isComposite(type)) return after;
  return merge(before, after, type, (i, j) =>
    before.values?.[i] === after.values?.[j] ? 'neither' : 'right',
  );
}

/** The inverse of difference(): `after`, from `before` and the difference. */
export function applyDifference(before: Datum, change: Datum, type: ColumnType): Datum {
  // A key in both with the same value was removed, as a set's member is.
  return difference(before, change, type);
}

/** Which member stands for a key that both have, at i in a and j in b. */
type Choice = (i: number, j: number) => 'left' | 'right' | 'neither';

function merge(a: Datum, b: Datum, type: ColumnType, choose: Choice): Datum {
  const keys: Atom[] = [];
  const values: Atom[] = [];
  const add = (datum: Datum, at: number): void => {
    keys.push(datum.keys[at]);
    if (datum.values !== undefined) values.push(datum.values[at]);
  };
  walk(a.keys, b.keys, type.key.type, (i, j) => {
    const choice = i < 0 ? 'right' : j < 0 ? 'left' : choose(i, j);
    if (choice === 'left') add(a, i);
    if (choice === 'right') add(b, j);
  });
  return { keys, values: type.value && values };
}

/** @param keep is asked for each member of a, with the place of its key in b, if it is there */
function pick(
  a: Datum,
  keep: (i: number, j: number | undefined) => boolean,
  b: Datum,
  type: ColumnType,
): Datum {
  const kept: number[] = [];
  walk(a.keys, b.keys, type.key.type, (i, j) => {
    if (i >= 0 && keep(i, j < 0 ? undefined : j)) kept.push(i);
  });
  return kept.length === a.keys.length ? a : at(a, kept);
}

const at = ({ keys, values }: Datum, places: readonly number[]): Datum => ({
  keys: places.map((i) => keys[i]),
  values: values && places.map((i) => values[i]),
});

/** Visits the keys of both in order: where a key stands in each list, or -1. */
export function walk(
  a: readonly Atom[],
  b: readonly Atom[],
  type: AtomicType,
  visit: (i: number, j: number) => void,
): void {
  const order = atomOrder(type);
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const side = i === a.length ? 1 : j === b.length ? -1 : order(a[i], b[j]);
    visit(side > 0 ? -1 : i, side < 0 ? -1 : j);
    if (side <= 0) i++;
    if (side >= 0) j++;
  }
}

/** The members that `keep` accepts. @returns the datum itself if that is all */
export function filterDatum(datum: Datum, keep: (i: number) => boolean): Datum {
  const kept = [...datum.keys.keys()].filter(keep);
  return kept.length === datum.keys.length ? datum : at(datum, kept);
}
