/** Datums out of plain values, for commands that know their columns. */
import type { Atom } from '../../ovsdb/data/atom.ts';
import { type Datum, sortMap, sortSet } from '../../ovsdb/data/datum.ts';

export const NOTHING: Datum = { keys: [], values: undefined };
export const EMPTY_MAP: Datum = { keys: [], values: [] };

export const one = (atom: Atom): Datum => ({ keys: [atom], values: undefined });

export const rows = (uuids: readonly string[]): Datum => sortSet([...uuids], 'uuid');

/** Of strings. */
export const map = (pairs: Iterable<readonly [Atom, Atom]>): Datum =>
  sortMap(
    [...pairs].map(([key, value]): [Atom, Atom] => [key, value]),
    'string',
  );

/** Of a map: a key's value. */
export function valueAt(datum: Datum, key: Atom): Atom | undefined {
  const i = datum.keys.indexOf(key);
  return i < 0 ? undefined : datum.values?.[i];
}

export function pairsOf({ keys, values = [] }: Datum): (readonly [Atom, Atom])[] {
  return keys.map((key, i) => [key, values[i]]);
}
