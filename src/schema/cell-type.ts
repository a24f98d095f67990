/**
 * The types of OVSDB's cells, as small values that the tables beside this file
 * are declared with. Each knows three things about itself, so that none of them
 * can drift from the others:
 *
 *     json   as a schema writes it (RFC 7047, 3.2), in the shortest form
 *     text   for the reference page
 *     read   what a cell becomes in TypeScript, and by that the row's type:
 *            one -> T, optional -> T | undefined, set -> readonly T[], map -> ReadonlyMap
 *
 * An integer whose range a double holds exactly is a number; any other may
 * come as a bigint. A uuid is a string of 36 characters.
 */
import { TapflowError } from '../lib/error.ts';
import type { Json, JsonObject } from '../lib/json.ts';

/** One value in a cell. */
export type Atom = number | bigint | string | boolean;

/** A cell as the database has it: keys in OVSDB's order; values, for maps only, parallel to them. */
export interface Cell {
  readonly keys: readonly Atom[];
  readonly values?: readonly Atom[];
}

/** What one atom may be. */
export interface AtomType<T extends Atom> {
  readonly json: string | JsonObject;
  readonly text: string;
  readonly accepts: (atom: Atom) => atom is T;
}

/** What a cell may be. */
export interface CellType<T> {
  readonly json: Json;
  readonly text: string;
  /** @throws TapflowError BAD_CELL when the cell is of another type */
  readonly read: (cell: Cell) => T;
}

export const string: AtomType<string> = {
  json: 'string',
  text: 'string',
  accepts: (atom) => typeof atom === 'string',
};

export const boolean: AtomType<boolean> = {
  json: 'boolean',
  text: 'boolean',
  accepts: (atom) => typeof atom === 'boolean',
};

/** Any of 64 bits, with sign. */
export const integer: AtomType<number | bigint> = {
  json: 'integer',
  text: 'integer',
  accepts: isInteger,
};

/** From `min` on. */
export function integerFrom(min: number): AtomType<number | bigint> {
  return {
    json: { type: 'integer', minInteger: min },
    text: `integer from ${min} on`,
    accepts: (atom): atom is number | bigint => isInteger(atom) && atom >= min,
  };
}

/** From `min` to `max`, both within what a double holds exactly. */
export function integerIn(min: number, max: number): AtomType<number> {
  return {
    json: { type: 'integer', minInteger: min, maxInteger: max },
    text: `integer from ${min} to ${max}`,
    accepts: (atom): atom is number =>
      typeof atom === 'number' && Number.isInteger(atom) && atom >= min && atom <= max,
  };
}

/** One of at least two strings. */
export function oneOf<const T extends string>(...names: readonly T[]): AtomType<T> {
  const known: ReadonlySet<Atom> = new Set(names);
  return {
    json: { type: 'string', enum: ['set', names.toSorted()] },
    text: `one of ${names.map((name) => `\`${name}\``).join(', ')}`,
    accepts: (atom): atom is T => known.has(atom),
  };
}

/** A row of that table, which lives as long as it is referred to. */
export const reference = (table: string): AtomType<string> => ({
  json: { type: 'uuid', refTable: table },
  text: `reference to ${table}`,
  accepts: string.accepts,
});

/** A row of that table; when it is deleted, the database removes it from the cell. */
export const weakReference = (table: string): AtomType<string> => ({
  json: { type: 'uuid', refTable: table, refType: 'weak' },
  text: `weak reference to ${table}`,
  accepts: string.accepts,
});

export const one = <T extends Atom>(type: AtomType<T>): CellType<T> => ({
  json: typeof type.json === 'string' ? type.json : { key: type.json },
  text: type.text,
  read(cell) {
    const [atom] = atomsOf(type, cell.keys);
    if (atom === undefined) throw badCell(type.text, 'nothing');
    return atom;
  },
});

export const optional = <T extends Atom>(type: AtomType<T>): CellType<T | undefined> => ({
  json: { key: type.json, min: 0 },
  text: `${type.text}, optional`,
  read: (cell) => atomsOf(type, cell.keys)[0],
});

/** Without bounds: any number of elements, none included. */
export function set<T extends Atom>(
  type: AtomType<T>,
  { min = 0, max = 'unlimited' }: { min?: number; max?: number | 'unlimited' } = {},
): CellType<readonly T[]> {
  const bounds = max === 'unlimited' ? `${min} or more` : `${min} to ${max}`;
  return {
    json: members({ key: type.json, min: min === 1 ? undefined : min, max }),
    text: `${type.text}, ${bounds} of them`,
    read: (cell) => atomsOf(type, cell.keys),
  };
}

export const map = <K extends Atom, V extends Atom>(
  key: AtomType<K>,
  value: AtomType<V>,
): CellType<ReadonlyMap<K, V>> => ({
  json: { key: key.json, value: value.json, min: 0, max: 'unlimited' },
  text: `map from ${key.text} to ${value.text}`,
  read(cell) {
    const keys = atomsOf(key, cell.keys);
    const values = atomsOf(value, cell.values ?? []);
    if (keys.length !== values.length) throw badCell('a value for each key', 'a set');
    return new Map(keys.map((atom, at) => [atom, values[at]]));
  },
});

/** A JSON object of the members that are not undefined. */
export function members(all: Readonly<Record<string, Json | undefined>>): JsonObject {
  const entries = Object.entries(all);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

function isInteger(atom: Atom): atom is number | bigint {
  return typeof atom === 'bigint' || Number.isInteger(atom);
}

function atomsOf<T extends Atom>(type: AtomType<T>, atoms: readonly Atom[]): readonly T[] {
  if (atoms.every(type.accepts)) return atoms;
  throw badCell(type.text, atoms.map(String).join(', '));
}

const badCell = (expected: string, found: string): TapflowError =>
  new TapflowError('BAD_CELL', `${expected} was expected, not ${found}`);
