/** Conditions on single rows: RFC 7047 5.1, <condition>, and ovsdb-server(7) 5.1. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/lib/json.ts';
import { matchesAll, matchesAny, parseCondition } from '../../../src/ovsdb/data/condition.ts';
import { parseSchema } from '../../../src/ovsdb/data/schema.ts';
import { parseRow, type Row } from '../../../src/ovsdb/database/row.ts';
import { createTables } from '../../../src/ovsdb/database/table.ts';

const set = (...members: Json[]): Json => ['set', members];
const map = (...pairs: [Json, Json][]): Json => ['map', pairs];

const COLUMNS = {
  i: { type: 'integer' },
  s: { type: 'string' },
  io: { type: { key: 'integer', min: 0, max: 1 } },
  is: { type: { key: 'integer', min: 0, max: 3 } },
  m: { type: { key: 'string', value: 'integer', min: 0, max: 'unlimited' } },
};
const schema = parseSchema({ name: 'D', tables: { T: { columns: COLUMNS } } });
const table = createTables(schema).get('T');

function row(json: Record<string, Json>): Row {
  if (table === undefined) throw new Error('no table');
  return table.emptyRow('').with(parseRow(json, table.schema));
}

function parse(...clauses: Json[]) {
  if (table === undefined) throw new Error('no table');
  return parseCondition(clauses, table.schema);
}

const TRUE: readonly [clause: Json, row: Record<string, Json>][] = [
  [['i', '<', 4], { i: 3 }],
  [['i', '>=', 3], { i: 3 }],
  [['io', '<=', 3], { io: 3 }],
  [['io', '==', 3], { io: 3 }],
  [['io', '==', set()], {}],
  [['io', '!=', 3], {}],
  [['is', '==', set(2, 1)], { is: set(1, 2) }],
  [['is', 'includes', set(1)], { is: set(1, 2) }],
  [['is', 'includes', set()], {}],
  [['is', 'excludes', set(3, 4, 5, 6)], { is: set(1, 2) }],
  [['m', 'includes', map(['a', 1])], { m: map(['a', 1], ['b', 2]) }],
  [['m', 'excludes', map(['a', 2])], { m: map(['a', 1]) }],
  [['s', 'includes', 'x'], { s: 'x' }],
  [['s', 'excludes', 'y'], { s: 'x' }],
];

const FALSE: readonly [clause: Json, row: Record<string, Json>][] = [
  [['i', '>', 3], { i: 3 }],
  [['io', '<', 3], {}],
  [['io', '>=', 3], {}],
  [['is', 'includes', set(1, 3)], { is: set(1, 2) }],
  [['is', 'excludes', set(1, 3)], { is: set(1, 2) }],
  [['m', 'includes', map(['a', 2])], { m: map(['a', 1]) }],
];

const FAULTS: readonly [clause: Json, message: string][] = [
  [['s', '<', 'x'], 'Type mismatch: "<" operator may not be applied to column s of type string.'],
  [
    ['is', '<', 1],
    'Type mismatch: "<" operator may not be applied to column is of type set of up to 3 integers.',
  ],
  [['i', '~', 1], 'unknown function: No function named ~.'],
  [['i', 'toString', 1], 'unknown function: No function named toString.'],
  [['j', '==', 1], 'unknown column: No column j in table T.'],
  [['i', '=='], 'syntax error: Parse error in condition.'],
  [7, 'syntax error: Parse error in condition.'],
  [['i', '==', 'x'], 'syntax error: expected integer'],
  [['io', '<', set()], 'set must have exactly one member but 0 are present'],
];

describe('a condition', () => {
  it.each(TRUE)('%j is true of %j', (clause, values) => {
    expect(matchesAll(parse(clause), row(values))).toBe(true);
  });

  it.each(FALSE)('%j is false of %j', (clause, values) => {
    expect(matchesAll(parse(clause), row(values))).toBe(false);
  });

  it.each(FAULTS)('%j is refused', (clause, message) => {
    expect(() => parse(clause)).toThrow(message);
  });

  it('takes all clauses of a transaction, any of a monitor', () => {
    const condition = parse(['i', '==', 1], ['s', '==', 'x']);
    expect(matchesAll(condition, row({ i: 1 }))).toBe(false);
    expect(matchesAny(condition, row({ i: 1 }))).toBe(true);
    expect(matchesAll(parse(), row({}))).toBe(true);
    expect(matchesAny(parse(), row({}))).toBe(false);
    expect(matchesAll(parse(true), row({}))).toBe(true);
    expect(matchesAny(parse(false), row({}))).toBe(false);
  });
});
