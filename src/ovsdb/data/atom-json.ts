/** Atoms from JSON (RFC 7047 5.1, <atom>), checked against their base type. */
import type { Json } from '../../lib/json.ts';
import { type Atom, canonicalInteger, parseUuid } from './atom.ts';
import { type BaseType, checkAtom } from './base-type.ts';
import { isArray, isBoolean, isId, isInteger, isNumber, isString } from './json-kinds.ts';
import { type OvsdbError, syntaxError } from './ovsdb-error.ts';
import type { Symbols } from './symbols.ts';

/**
 * @param symbols resolves named-uuids, which are else an error
 * @throws OvsdbError
 */
export function parseAtom(json: Json, base: BaseType, symbols?: Symbols): Atom {
  const atom = base.type === 'uuid' ? uuidAtom(json, symbols) : plainAtom(json, base);
  if (atom === undefined) throw syntaxError(json, `expected ${base.type}`);
  checkAtom(atom, base);
  return atom;
}

function plainAtom(json: Json, { type }: BaseType): Atom | undefined {
  if (type === 'integer') return isInteger(json) ? canonicalInteger(json) : undefined;
  if (type === 'real') return isNumber(json) ? Number(json) : undefined;
  if (type === 'boolean') return isBoolean(json) ? json : undefined;
  return isString(json) ? json : undefined;
}

function uuidAtom(json: Json, symbols: Symbols | undefined): Atom {
  const text = unwrap(json, 'uuid', isString);
  if (text !== undefined) {
    const uuid = parseUuid(text);
    if (uuid === undefined) throw syntaxError(json, `"${text}" is not a valid UUID`);
    return uuid;
  }
  const name = symbols && unwrap(json, 'named-uuid', isString);
  if (symbols === undefined || name === undefined) throw notWrapped(json, 'uuid', 'string');
  if (!isId(name)) throw syntaxError(json, 'named-uuid string is not a valid <id>');
  return symbols.resolve(name);
}

/** @returns what stands in ["TAG", ...], undefined if the JSON is not that */
export function unwrap<T extends Json>(
  json: Json,
  tag: string,
  accepts: (json: Json) => json is T,
): T | undefined {
  const isWrapped = isArray(json) && json.length === 2 && json[0] === tag;
  return isWrapped && accepts(json[1]) ? json[1] : undefined;
}

/** @param kind what should stand beside the tag */
export function notWrapped(json: Json, tag: string, kind: 'string' | 'array'): OvsdbError {
  return syntaxError(json, `expected ["${tag}", <${kind}>]`);
}
