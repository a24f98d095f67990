/**
 * Mutations: changes to a column that depend on what it holds (RFC 7047 5.1,
 * <mutation>): arithmetic on each member, members inserted and deleted. Parsed
 * and checked once, then applied to each row.
 */
import type { Json } from '../../lib/json.ts';
import { calculate, OPERATORS, type Operator } from './arithmetic.ts';
import { checkAtom } from './base-type.ts';
import {
  type ColumnType,
  isMap,
  isScalar,
  isSet,
  typeToEnglish,
  UNLIMITED,
} from './column-type.ts';
import { typeMismatch } from './condition.ts';
import { type Datum, parseDatum, sortSet } from './datum.ts';
import { subtract, union } from './datum-sets.ts';
import { isArray, isString } from './json-kinds.ts';
import { constraintViolation, OvsdbError, syntaxError } from './ovsdb-error.ts';
import { type ColumnSchema, findColumn, type TableSchema } from './schema.ts';
import type { Symbols } from './symbols.ts';

export interface Mutation {
  readonly column: ColumnSchema;
  /**
   * @returns the new value, the old one itself if nothing changes
   * @throws OvsdbError if there is none that the column may hold
   */
  apply(datum: Datum): Datum;
}

/** @throws OvsdbError */
export function parseMutation(json: Json, table: TableSchema, symbols: Symbols): Mutation {
  const [name, mutator, arg] = isArray(json) && json.length === 3 ? json : NOTHING;
  if (!isString(name) || !isString(mutator)) throw syntaxError(json, 'Parse error in mutation.');
  const column = findColumn(json, name, table);
  if (!column.mutable) {
    const details = `Cannot mutate immutable column ${name} in table ${table.name}.`;
    throw syntaxError(json, details, 'constraint violation');
  }
  const operator = OPERATORS.find((operator) => operator === mutator);
  if (operator !== undefined) return parseArithmetic(json, column, operator, arg, symbols);
  if (mutator !== 'insert' && mutator !== 'delete') {
    throw new OvsdbError('unknown mutator', `No mutator named ${mutator}.`);
  }
  if (isScalar(column.type)) throw typeMismatch(json, mutator, column);
  return mutator === 'insert'
    ? parseInsertion(column, arg, symbols)
    : parseDeletion(column, arg, symbols);
}

const NOTHING: readonly Json[] = [];

function parseArithmetic(
  json: Json,
  column: ColumnSchema,
  operator: Operator,
  argJson: Json,
  symbols: Symbols,
): Mutation {
  const { key } = column.type;
  const { type } = key;
  const isNumeric = type === 'integer' || (type === 'real' && operator !== '%=');
  if (isMap(column.type) || !isNumeric) throw typeMismatch(json, operator, column);
  const arg = parseDatum(argJson, { key: { type }, min: 1, max: 1 }, symbols).keys[0];
  return {
    column,
    apply({ keys }) {
      const results = keys.map((atom) => calculate(operator, type, atom, arg));
      for (const result of results) checkAtom(result, key);
      if (new Set(results).size < results.length) {
        throw constraintViolation(`Result of "${operator}" operation contains duplicates.`);
      }
      return sortSet(results, type);
    },
  };
}

function parseInsertion(column: ColumnSchema, argJson: Json, symbols: Symbols): Mutation {
  const { type } = column;
  const arg = parseDatum(argJson, { ...type, min: 0 }, symbols);
  return { column, apply: (datum) => withinSize(union(datum, arg, type), type) };
}

/** From a map, pairs can be deleted, or keys whatever their value. */
function parseDeletion(column: ColumnSchema, argJson: Json, symbols: Symbols): Mutation {
  const { type } = column;
  const argType = { ...type, min: 0, max: UNLIMITED } as const;
  const arg =
    (isSet(type) ? undefined : parsePairs(argJson, argType, symbols)) ??
    parseDatum(argJson, { ...argType, value: undefined }, symbols);
  return { column, apply: (datum) => withinSize(subtract(datum, arg, type), type) };
}

/** @returns undefined if these are no pairs for a map of that type */
function parsePairs(json: Json, type: ColumnType, symbols: Symbols): Datum | undefined {
  if (!isArray(json) || json[0] !== 'map') return undefined;
  try {
    return parseDatum(json, type, symbols);
  } catch (error) {
    if (error instanceof OvsdbError) return undefined;
    throw error;
  }
}

function withinSize(datum: Datum, type: ColumnType): Datum {
  const size = datum.keys.length;
  if (size >= type.min && size <= type.max) return datum;
  throw constraintViolation(`Attempted to store ${size} elements in ${typeToEnglish(type)}.`);
}
