/** Mutations of single values: RFC 7047 5.1, <mutation>. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/lib/json.ts';
import { datumToJson, parseDatum } from '../../../src/ovsdb/data/datum.ts';
import { parseMutation } from '../../../src/ovsdb/data/mutation.ts';
import { parseSchema } from '../../../src/ovsdb/data/schema.ts';
import { Symbols } from '../../../src/ovsdb/data/symbols.ts';

const INT64_MAX = 9223372036854775807n;
const set = (...members: Json[]): Json => ['set', members];
const map = (...pairs: [Json, Json][]): Json => ['map', pairs];

const COLUMNS = {
  i: { type: 'integer' },
  small: { type: { key: { type: 'integer', maxInteger: 10 } } },
  r: { type: 'real' },
  s: { type: 'string' },
  imm: { type: 'integer', mutable: false },
  is: { type: { key: 'integer', min: 0, max: 3 } },
  one: { type: { key: 'integer', min: 1, max: 2 } },
  m: { type: { key: 'string', value: 'integer', min: 0, max: 'unlimited' } },
};
const table = parseSchema({ name: 'D', tables: { T: { columns: COLUMNS } } }).tables.get('T');

function mutate(column: string, mutator: Json, arg: Json, before: Json): Json {
  const schema = table?.columns.get(column);
  if (table === undefined || schema === undefined) throw new Error(`no column ${column}`);
  const mutation = parseMutation([column, mutator, arg], table, new Symbols());
  const after = mutation.apply(parseDatum(before, schema.type));
  return datumToJson(after, schema.type);
}

const RESULTS: readonly [column: string, mutator: string, arg: Json, before: Json, after: Json][] =
  [
    ['i', '+=', 2, 3, 5],
    ['i', '-=', 2, 3, 1],
    ['i', '*=', -2, 3, -6],
    ['i', '/=', 2, -7, -3],
    ['i', '%=', 3, -7, -1],
    ['i', '+=', 1, INT64_MAX - 1n, INT64_MAX],
    ['i', '-=', INT64_MAX, INT64_MAX, 0],
    ['r', '/=', 4, 1, 0.25],
    ['is', '*=', -1, set(1, 2), set(-2, -1)],
    ['is', 'insert', set(2, 3), set(1, 2), set(1, 2, 3)],
    ['is', 'delete', set(2, 9, 10, 11), set(1, 2), 1],
    ['m', 'insert', map(['a', 2], ['b', 2]), map(['a', 1]), map(['a', 1], ['b', 2])],
    ['m', 'delete', map(['a', 1], ['b', 9]), map(['a', 1], ['b', 2]), map(['b', 2])],
    ['m', 'delete', set('a', 'c'), map(['a', 1], ['b', 2]), map(['b', 2])],
    ['m', 'delete', 'a', map(['a', 1]), map()],
  ];

const FAULTS: readonly [column: string, mutator: Json, arg: Json, before: Json, message: string][] =
  [
    ['i', '+=', 1, INT64_MAX, 'range error: Result of "+=" operation is out of range.'],
    ['i', '*=', 2n ** 62n, 2, 'range error: Result of "*=" operation is out of range.'],
    ['i', '/=', -1, -INT64_MAX - 1n, 'range error: Result of "/=" operation is out of range.'],
    ['i', '%=', -1, -INT64_MAX - 1n, 'range error: Result of "%=" operation is out of range.'],
    ['r', '*=', 1e200, 1e200, 'range error: Result of "*=" operation is out of range.'],
    ['i', '/=', 0, 1, 'domain error: Division by zero.'],
    ['i', '%=', 0, 1, 'domain error: Division by zero.'],
    ['r', '/=', 0, 1, 'domain error: Division by zero.'],
    ['small', '+=', 9, 2, 'constraint violation: 11 is greater than maximum allowed value 10'],
    [
      'is',
      '*=',
      0,
      set(1, 2),
      'constraint violation: Result of "*=" operation contains duplicates.',
    ],
    [
      'is',
      'insert',
      set(3, 4),
      set(1, 2),
      'constraint violation: Attempted to store 4 elements in set of up to 3 integers.',
    ],
    [
      'one',
      'delete',
      1,
      1,
      'constraint violation: Attempted to store 0 elements in set of 1 to 2 integers.',
    ],
    [
      'r',
      '%=',
      1,
      1,
      'syntax error: Type mismatch: "%=" operator may not be applied to column r of type real.',
    ],
    [
      's',
      'insert',
      'a',
      'b',
      'syntax error: Type mismatch: "insert" operator may not be applied to column s of type string.',
    ],
    [
      'm',
      '+=',
      1,
      map(),
      'syntax error: Type mismatch: "+=" operator may not be applied to column m of type map of (string, integer) pairs.',
    ],
    ['imm', '+=', 1, 1, 'constraint violation: Cannot mutate immutable column imm in table T.'],
    ['i', '^=', 1, 1, 'unknown mutator: No mutator named ^=.'],
    ['i', 7, 1, 1, 'syntax error: Parse error in mutation.'],
    ['m', 'delete', map(['a', 'x']), map(), 'syntax error: expected string'],
  ];

describe('a mutation', () => {
  it.each(RESULTS)('of %s by %s %s makes %s into %s', (column, mutator, arg, before, after) => {
    expect(mutate(column, mutator, arg, before)).toEqual(after);
  });

  it.each(FAULTS)('of %s by %s %s of %s fails', (column, mutator, arg, before, message) => {
    expect(() => mutate(column, mutator, arg, before)).toThrow(message);
  });
});
