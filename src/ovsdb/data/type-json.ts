/** Base and column types from and to the JSON of schemas: RFC 7047 3.2, <type>. */
import type { Json, JsonObject } from '../../lib/json.ts';
import { ATOMIC_TYPES, type AtomicType, atomToJson, canonicalInteger } from './atom.ts';
import type { BaseType } from './base-type.ts';
import { type ColumnType, isScalar, UNLIMITED } from './column-type.ts';
import { parseDatum } from './datum.ts';
import { isAny, isId, isInteger, isNumber, isObject, isString } from './json-kinds.ts';
import { MemberParser } from './member-parser.ts';
import { syntaxError } from './ovsdb-error.ts';

/** @throws OvsdbError "syntax error" */
export function parseColumnType(json: Json): ColumnType {
  if (isString(json)) return { key: { type: parseAtomicType(json) }, min: 1, max: 1 };
  if (!isObject(json)) throw syntaxError(json, 'ovsdb type expected');
  const parser = new MemberParser(json, 'ovsdb type');
  const key = parseBaseType(parser.member('key', isTypeJson));
  const valueJson = parser.optional('value', isTypeJson);
  const value = valueJson === undefined ? undefined : parseBaseType(valueJson);
  const min = parseSize(parser.optional('min', isInteger));
  const maxJson = parser.optional('max', isSizeJson);
  const max = maxJson === 'unlimited' ? UNLIMITED : parseSize(maxJson);
  parser.finish();
  if ((min !== 0 && min !== 1) || max < 1) {
    throw syntaxError(json, 'ovsdb type fails constraint checks');
  }
  return { key, value, min, max };
}

export function columnTypeToJson(type: ColumnType): Json {
  const key = baseTypeToJson(type.key);
  if (isScalar(type) && isString(key)) return key;
  return {
    key,
    ...(type.value && { value: baseTypeToJson(type.value) }),
    ...(type.min !== 1 && { min: type.min }),
    ...(type.max !== 1 && { max: type.max === UNLIMITED ? 'unlimited' : type.max }),
  };
}

export const isTypeJson = (json: Json): json is string | JsonObject =>
  isString(json) || isObject(json);

const isSizeJson = (json: Json): json is string | number | bigint =>
  isString(json) || isInteger(json);

function parseSize(json: string | number | bigint = 1): number {
  const isSize = typeof json === 'number' && json >= 0 && json < UNLIMITED;
  if (!isSize) throw syntaxError(json, 'bad min or max value');
  return json;
}

function parseBaseType(json: string | JsonObject): BaseType {
  if (isString(json)) return { type: parseAtomicType(json) };
  const parser = new MemberParser(json, 'ovsdb type');
  const type = parseAtomicType(parser.member('type', isString));
  const choices = parser.optional('enum', isAny);
  const base = choices === undefined ? parseBounds(type, parser) : parseEnum(type, choices);
  parser.finish();
  return base;
}

function parseAtomicType(name: string): AtomicType {
  const type = ATOMIC_TYPES.find((type) => type === name);
  if (type === undefined) throw syntaxError(name, `"${name}" is not an atomic-type`);
  return type;
}

function parseEnum(type: AtomicType, json: Json): BaseType {
  return { type, enum: parseDatum(json, { key: { type }, min: 1, max: UNLIMITED }).keys };
}

function parseBounds(type: AtomicType, parser: MemberParser): BaseType {
  switch (type) {
    case 'integer':
      return parseIntegerBounds(parser);
    case 'real':
      return parseRealBounds(parser);
    case 'string':
      return parseLengths(parser);
    case 'uuid':
      return parseReference(parser);
    case 'boolean':
      return { type };
  }
}

function parseIntegerBounds(parser: MemberParser): BaseType {
  const min = parser.optional('minInteger', isInteger);
  const max = parser.optional('maxInteger', isInteger);
  if (min !== undefined && max !== undefined && min > max) {
    throw parser.raise('minInteger exceeds maxInteger');
  }
  return {
    type: 'integer',
    minInteger: min && canonicalInteger(min),
    maxInteger: max && canonicalInteger(max),
  };
}

function parseRealBounds(parser: MemberParser): BaseType {
  const min = parser.optional('minReal', isNumber);
  const max = parser.optional('maxReal', isNumber);
  if (min !== undefined && max !== undefined && min > max) {
    throw parser.raise('minReal exceeds maxReal');
  }
  return {
    type: 'real',
    minReal: min === undefined ? undefined : Number(min),
    maxReal: max === undefined ? undefined : Number(max),
  };
}

function parseLengths(parser: MemberParser): BaseType {
  const minLength = parseLength(parser, 'minLength');
  const maxLength = parseLength(parser, 'maxLength');
  if (minLength !== undefined && maxLength !== undefined && minLength > maxLength) {
    throw parser.raise('minLength exceeds maxLength');
  }
  return { type: 'string', minLength, maxLength };
}

function parseLength(parser: MemberParser, name: string): number | undefined {
  const json = parser.optional(name, isInteger);
  if (json === undefined) return undefined;
  if (json >= 0 && json <= UNLIMITED) return Number(json);
  throw syntaxError(json, `${name} out of valid range 0 to ${UNLIMITED}`);
}

function parseReference(parser: MemberParser): BaseType {
  const refTable = parser.optional('refTable', isId);
  if (refTable === undefined) return { type: 'uuid' };
  const refType = parser.optional('refType', isId) ?? 'strong';
  if (refType === 'strong' || refType === 'weak') return { type: 'uuid', refTable, refType };
  throw parser.raise(`refType must be "strong" or "weak" (not "${refType}")`);
}

function baseTypeToJson(base: BaseType): string | JsonObject {
  const { type, enum: choices, refType, ...bounds } = base;
  const json: Record<string, Json> = {};
  for (const [name, bound] of Object.entries(bounds)) {
    if (bound !== undefined && !(name === 'minLength' && bound === 0)) json[name] = bound;
  }
  if (choices !== undefined) json.enum = enumToJson(choices, type);
  if (refType === 'weak') json.refType = refType;
  return Object.keys(json).length === 0 ? type : { type, ...json };
}

function enumToJson(choices: NonNullable<BaseType['enum']>, type: AtomicType): Json {
  const atoms = choices.map((atom) => atomToJson(atom, type));
  return atoms.length === 1 ? atoms[0] : ['set', atoms];
}
