/**
 * Atoms: the single values that columns are made of (RFC 7047 3.1). An integer
 * is a number when it is safe, else a bigint, so `===` compares any two of one
 * type; a uuid is a string of 36 characters in lower case, which only the
 * column's type tells from a string.
 */
import { compareBytes } from '../../lib/byte-order.ts';
import type { Json } from '../../lib/json.ts';
import { formatNumber } from '../../lib/json-number.ts';

export type Atom = number | bigint | string | boolean;

export type AtomicType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

export const ATOMIC_TYPES: readonly AtomicType[] = ['integer', 'real', 'boolean', 'string', 'uuid'];

export const ZERO_UUID = '00000000-0000-0000-0000-000000000000';

/** The one form of an integer of which all equal ones are `===`. */
export function canonicalInteger(integer: number | bigint): number | bigint {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

/** @returns undefined if the text is no UUID */
export function parseUuid(text: string): string | undefined {
  return UUID.test(text) ? text.toLowerCase() : undefined;
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** RFC 7047 5.2.1: the value of what an insert leaves out. */
export function defaultAtom(type: AtomicType): Atom {
  switch (type) {
    case 'integer':
    case 'real':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return ZERO_UUID;
  }
}

/** The order in which sets and maps are kept: negative if a comes before b. */
export type AtomOrder = (a: Atom, b: Atom) => number;

export function atomOrder(type: AtomicType): AtomOrder {
  return type === 'string' ? compareStrings : compareValues;
}

/** Numbers by value, false before true; the text of UUIDs orders as their 128 bits do. */
function compareValues(a: Atom, b: Atom): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const compareStrings: AtomOrder = (a, b) => compareBytes(String(a), String(b));

export function atomToJson(atom: Atom, type: AtomicType): Json {
  return type === 'uuid' ? ['uuid', atom] : atom;
}

/** How messages show an atom: a string is quoted when it needs to be. */
export function atomToText(atom: Atom, type: AtomicType): string {
  if (typeof atom === 'number') return formatNumber(atom);
  const isQuoted = type === 'string' && typeof atom === 'string' && needsQuotes(atom);
  return isQuoted ? JSON.stringify(atom) : String(atom);
}

const needsQuotes = (text: string): boolean =>
  !/^[a-z_][\w.-]*$/i.test(text) || text === 'true' || text === 'false' || UUID.test(text);
