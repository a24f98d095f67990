/**
 * What kind of JSON a value is, as type guards: the second argument of
 * MemberParser, and used wherever a request is taken apart.
 */
import type { Json } from '../../lib/json.ts';

export { isArray, isObject } from '../../lib/json.ts';

export const isAny = (_json: Json): _json is Json => true;

export const isString = (json: Json): json is string => typeof json === 'string';

export const isBoolean = (json: Json): json is boolean => typeof json === 'boolean';

export const isNumber = (json: Json): json is number | bigint =>
  typeof json === 'number' || typeof json === 'bigint';

/** An int64. A number beyond the safe integers is a real: see Json. */
export const isInteger = (json: Json): json is number | bigint =>
  typeof json === 'bigint' ? BigInt.asIntN(64, json) === json : Number.isSafeInteger(json);

/** RFC 7047 3.1, <id>: the name of a table, column, lock or new row. */
export const isId = (json: Json): json is string =>
  typeof json === 'string' && /^[a-z_]\w*$/i.test(json);
