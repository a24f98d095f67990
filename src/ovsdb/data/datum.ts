/**
 * Datums: the values of columns. A datum is immutable and in one canonical
 * form, so comparing two of one column takes no sorting: keys in order, none
 * twice, and for a map its values beside them. A scalar has one key.
 */
import type { Json } from '../../lib/json.ts';
import {
  type Atom,
  type AtomicType,
  atomOrder,
  atomToJson,
  atomToText,
  defaultAtom,
} from './atom.ts';
import { notWrapped, parseAtom, unwrap } from './atom-json.ts';
import { checkAtom } from './base-type.ts';
import { type ColumnType, isMap } from './column-type.ts';
import { isArray } from './json-kinds.ts';
import { OvsdbError, syntaxError } from './ovsdb-error.ts';
import type { Symbols } from './symbols.ts';

export interface Datum {
  /** In the order of atomOrder(). */
  readonly keys: readonly Atom[];
  /** Of a map: parallel to the keys. */
  readonly values?: readonly Atom[];
}

/**
 * RFC 7047 5.1, <value>.
 * @param symbols resolves named-uuids, which are else an error
 * @throws OvsdbError
 */
export function parseDatum(json: Json, type: ColumnType, symbols?: Symbols): Datum {
  if (type.value !== undefined) return parseMap(json, type, symbols);
  if (isArray(json) && json[0] === 'set') return parseSet(json, type, symbols);
  return { keys: [parseAtom(json, type.key, symbols)], values: undefined };
}

export function datumToJson(datum: Datum, type: ColumnType): Json {
  const { keys, values } = datum;
  const key = type.key.type;
  if (type.value === undefined) {
    return keys.length === 1
      ? atomToJson(keys[0], key)
      : ['set', keys.map((atom) => atomToJson(atom, key))];
  }
  const value = type.value.type;
  const pairs = keys.map((atom, i) => [
    atomToJson(atom, key),
    atomToJson(values?.[i] ?? '', value),
  ]);
  return ['map', pairs];
}

/** How messages show it: `7`, `[a, b]`, `{a=1, b=2}`. */
export function datumToText({ keys, values }: Datum, type: ColumnType): string {
  const texts = keys.map((key, i) => {
    const text = atomToText(key, type.key.type);
    return type.value ? `${text}=${atomToText(values?.[i] ?? '', type.value.type)}` : text;
  });
  if (type.max === 1 && keys.length > 0) return texts[0];
  return isMap(type) ? `{${texts.join(', ')}}` : `[${texts.join(', ')}]`;
}

/** RFC 7047 5.2.1: empty if that is allowed, whatever the constraints on its atoms. */
export function defaultDatum({ key, value, min }: ColumnType): Datum {
  if (min === 0) return { keys: [], values: value && [] };
  return { keys: [defaultAtom(key.type)], values: value && [defaultAtom(value.type)] };
}

/** @throws OvsdbError "constraint violation" */
export function checkDatum({ keys, values = [] }: Datum, { key, value }: ColumnType): void {
  for (const atom of keys) checkAtom(atom, key);
  if (value !== undefined) for (const atom of values) checkAtom(atom, value);
}

/** For two datums of one column. */
export function datumsEqual(a: Datum, b: Datum): boolean {
  return a === b || (atomsEqual(a.keys, b.keys) && atomsEqual(a.values, b.values));
}

function atomsEqual(a: readonly Atom[] | undefined, b: readonly Atom[] | undefined): boolean {
  if (a === b) return true;
  return a?.length === b?.length && a?.every((atom, i) => atom === b?.[i]) === true;
}

/** Negative if a comes before b: by size, then by keys, then by values. */
export function compareDatums(a: Datum, b: Datum, type: ColumnType): number {
  if (a.keys.length !== b.keys.length) return a.keys.length - b.keys.length;
  const byKeys = compareAtoms(a.keys, b.keys, type.key.type);
  if (byKeys !== 0 || type.value === undefined) return byKeys;
  return compareAtoms(a.values ?? [], b.values ?? [], type.value.type);
}

function compareAtoms(a: readonly Atom[], b: readonly Atom[], type: AtomicType): number {
  const order = atomOrder(type);
  const i = a.findIndex((atom, at) => atom !== b[at]);
  return i < 0 ? 0 : order(a[i], b[i]);
}

function parseSet(json: readonly Json[], type: ColumnType, symbols?: Symbols): Datum {
  const members = unwrap(json, 'set', isArray);
  if (members === undefined) throw notWrapped(json, 'set', 'array');
  checkSize(json, 'set', members.length, type);
  const keys = members.map((member) => parseAtom(member, type.key, symbols));
  return sortSet(keys, type.key.type);
}

function parseMap(json: Json, type: ColumnType, symbols?: Symbols): Datum {
  const { key, value = key } = type;
  const members = unwrap(json, 'map', isArray);
  if (members === undefined) throw notWrapped(json, 'map', 'array');
  checkSize(json, 'map', members.length, type);
  const pairs = members.map((pair): [Atom, Atom] => {
    if (!isArray(pair) || pair.length !== 2) throw syntaxError(pair, 'expected 2-element array');
    return [parseAtom(pair[0], key, symbols), parseAtom(pair[1], value, symbols)];
  });
  return sortMap(pairs, key.type);
}

function checkSize(json: Json, kind: string, size: number, { min, max }: ColumnType): void {
  if (size >= min && size <= max) return;
  const expected = min === 1 && max === 1 ? 'exactly one member' : `${min} to ${max} members`;
  throw syntaxError(json, `${kind} must have ${expected} but ${size} are present`);
}

/** @throws OvsdbError if there is a duplicate */
export function sortSet(atoms: Atom[], type: AtomicType): Datum {
  const keys = atoms.sort(atomOrder(type));
  if (hasDuplicate(keys)) throw new OvsdbError('ovsdb error', 'set contains duplicate');
  return { keys, values: undefined };
}

/** @throws OvsdbError if a key is there twice */
export function sortMap(pairs: [Atom, Atom][], type: AtomicType): Datum {
  const order = atomOrder(type);
  pairs.sort((a, b) => order(a[0], b[0]));
  const keys = pairs.map(([key]) => key);
  if (hasDuplicate(keys)) throw new OvsdbError('ovsdb error', 'map contains duplicate key');
  return { keys, values: pairs.map(([, value]) => value) };
}

const hasDuplicate = (sorted: readonly Atom[]): boolean =>
  sorted.some((atom, i) => i > 0 && atom === sorted[i - 1]);
