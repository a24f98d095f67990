/**
 * Conditions: which rows an operation or a monitor is about (RFC 7047 5.1,
 * <condition>, with the extensions of ovsdb-server(7) 5.1). A condition is a
 * list of clauses, parsed and checked once, then asked for each row.
 */
import type { Json } from '../../lib/json.ts';
import { type ColumnType, isComposite, isScalar, typeToEnglish, UNLIMITED } from './column-type.ts';
import { type Datum, datumsEqual, parseDatum } from './datum.ts';
import { excludesAll, includesAll } from './datum-sets.ts';
import { isArray, isBoolean, isString } from './json-kinds.ts';
import { OvsdbError, syntaxError } from './ovsdb-error.ts';
import { type ColumnSchema, findColumn, type TableSchema, UUID_INDEX } from './schema.ts';
import type { Symbols } from './symbols.ts';

/** A comparison of a column with a value; or true, or false. */
type Clause = boolean | Comparison;

interface Comparison {
  readonly column: ColumnSchema;
  readonly test: Test;
  readonly arg: Datum;
}

export type Condition = readonly Clause[];

/** A row, for what it holds: @see Row */
interface Values {
  at(index: number): Datum;
}

/** @throws OvsdbError */
export function parseCondition(
  json: readonly Json[],
  table: TableSchema,
  symbols?: Symbols,
): Condition {
  return json.map((clause) => parseClause(clause, table, symbols));
}

/** As a transaction's "where": an empty condition is true of all rows. */
export function matchesAll(condition: Condition, row: Values): boolean {
  return condition.every((clause) => matches(clause, row));
}

/**
 * As a monitor's "where": an empty condition is true of no row here.
 */
export function matchesAny(condition: Condition, row: Values): boolean {
  return condition.some((clause) => matches(clause, row));
}

/** The UUID of the only row that can match, if the condition demands one. */
export function demandedUuid(condition: Condition): string | undefined {
  for (const clause of condition) {
    if (typeof clause === 'boolean' || clause.column.index !== UUID_INDEX) continue;
    if (clause.test === TESTS['==']) return String(clause.arg.keys[0]);
  }
  return undefined;
}

function matches(clause: Clause, row: Values): boolean {
  if (typeof clause === 'boolean') return clause;
  return clause.test(row.at(clause.column.index), clause.arg, clause.column.type);
}

type Test = (field: Datum, arg: Datum, type: ColumnType) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  '==': datumsEqual,
  '!=': (field, arg) => !datumsEqual(field, arg),
  includes: includesAll,
  excludes: excludesAll,
  // Of an empty field none of these is true.
  '<': ({ keys: [field] }, { keys: [arg] }) => field < arg,
  '<=': ({ keys: [field] }, { keys: [arg] }) => field <= arg,
  '>': ({ keys: [field] }, { keys: [arg] }) => field > arg,
  '>=': ({ keys: [field] }, { keys: [arg] }) => field >= arg,
};

function parseClause(json: Json, table: TableSchema, symbols?: Symbols): Clause {
  if (isBoolean(json)) return json;
  const [name, symbol, arg] = isArray(json) && json.length === 3 ? json : NOTHING;
  if (!isString(name) || !isString(symbol)) throw syntaxError(json, 'Parse error in condition.');
  const column = findColumn(json, name, table);
  if (!Object.hasOwn(TESTS, symbol)) {
    throw new OvsdbError('unknown function', `No function named ${symbol}.`);
  }
  if (/[<>]/.test(symbol)) checkOrdered(json, symbol, column);
  const argType = typeOfArgument(symbol, column.type);
  return { column, test: TESTS[symbol], arg: parseDatum(arg, argType, symbols) };
}

const NOTHING: readonly Json[] = [];

function checkOrdered(json: Json, symbol: string, column: ColumnSchema): void {
  const { key, value } = column.type;
  const isNumeric = key.type === 'integer' || key.type === 'real';
  if (value === undefined && isNumeric && !isComposite(column.type)) return;
  throw typeMismatch(json, symbol, column);
}

/** For operators of conditions and of mutations. */
export function typeMismatch(json: Json, operator: string, column: ColumnSchema): OvsdbError {
  const type = typeToEnglish(column.type);
  const details = `"${operator}" operator may not be applied to column ${column.name} of type ${type}`;
  return syntaxError(json, `Type mismatch: ${details}.`);
}

/** What is included may be less than a value, what is excluded also more; an order takes two. */
function typeOfArgument(symbol: string, type: ColumnType): ColumnType {
  if (isScalar(type)) return type;
  if (/[<>]/.test(symbol)) return { ...type, min: 1 };
  if (symbol === 'includes') return { ...type, min: 0 };
  return symbol === 'excludes' ? { ...type, min: 0, max: UNLIMITED } : type;
}
