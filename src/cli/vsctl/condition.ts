/** `COLUMN[:KEY]{OPERATOR}VALUE`, as a condition on a record: for find and wait-until. */
import { type ColumnType, isMap } from '../../ovsdb/data/column-type.ts';
import { compareDatums, type Datum } from '../../ovsdb/data/datum.ts';
import { excludesAll, includesAll } from '../../ovsdb/data/datum-sets.ts';
import type { TableSchema } from '../../ovsdb/data/schema.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { parseAtomText } from './atom-text.ts';
import type { Attempt } from './attempt.ts';
import { parseComparison } from './column-argument.ts';
import { parseDatumText } from './datum-text.ts';
import { VsctlError } from './failure.ts';
import { NOTHING, valueAt } from './values.ts';

/** @throws VsctlError */
export function matches(attempt: Attempt, table: TableSchema, row: Row, argument: string): boolean {
  const { column, key, operator, value } = parseComparison(argument, table, OPERATORS);
  const have = attempt.read(row, column.name);
  const { test, isForSets } = TESTS[operator];
  if (key === undefined) {
    const want = parseDatumText(value, column.type, attempt.symbols);
    return test(have, want, column.type);
  }
  const type = typeOfValues(column.type, column.name);
  const found = valueAt(have, parseAtomText(key, column.type.key, attempt.symbols));
  const want = parseDatumText(value, type, attempt.symbols);
  if (found === undefined) return isForSets && test(NOTHING, want, type);
  return test({ keys: [found], values: undefined }, want, type);
}

/** What a map has as values, as a set of any size. */
function typeOfValues(type: ColumnType, column: string): ColumnType {
  if (isMap(type)) return { ...type, key: type.value ?? type.key, value: undefined };
  throw new VsctlError(`cannot specify key to check for non-map column ${column}`);
}

type Test = (have: Datum, want: Datum, type: ColumnType) => boolean;

const OPERATORS = [
  '=',
  '!=',
  '<',
  '>',
  '<=',
  '>=',
  '{=}',
  '{!=}',
  '{<}',
  '{>}',
  '{<=}',
  '{>=}',
  '{in}',
  '{not-in}',
] as const;

/** Those for sets take a key that is missing as an empty set, the others never match then. */
interface Operator {
  readonly test: Test;
  readonly isForSets: boolean;
}

const byOrder = (accepts: (order: number) => boolean): Operator => ({
  test: (have, want, type) => accepts(compareDatums(have, want, type)),
  isForSets: false,
});

const bySets = (test: Test): Operator => ({ test, isForSets: true });

const isSubset: Test = (have, want, type) => includesAll(want, have, type);
const isSuperset: Test = (have, want, type) => includesAll(have, want, type);

const TESTS: Readonly<Record<(typeof OPERATORS)[number], Operator>> = {
  '=': byOrder((order) => order === 0),
  '!=': byOrder((order) => order !== 0),
  '<': byOrder((order) => order < 0),
  '>': byOrder((order) => order > 0),
  '<=': byOrder((order) => order <= 0),
  '>=': byOrder((order) => order >= 0),
  '{=}': bySets((have, want, type) => compareDatums(have, want, type) === 0),
  '{!=}': bySets((have, want, type) => compareDatums(have, want, type) !== 0),
  '{<}': bySets((a, b, type) => a.keys.length < b.keys.length && isSubset(a, b, type)),
  '{>}': bySets((a, b, type) => a.keys.length > b.keys.length && isSuperset(a, b, type)),
  '{<=}': bySets(isSubset),
  '{>=}': bySets(isSuperset),
  '{in}': bySets(isSubset),
  '{not-in}': bySets((have, want, type) => excludesAll(want, have, type)),
};
