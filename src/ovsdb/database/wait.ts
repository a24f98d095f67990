/**
 * "wait" (RFC 7047 5.2.6): goes on only while a table holds what the client
 * expects. When it does not, the transaction fails or, if it has time left, has
 * to be tried again after another one changed something: see Blocked.
 */
import type { JsonObject } from '../../lib/json.ts';
import { ZERO_UUID } from '../data/atom.ts';
import { parseCondition } from '../data/condition.ts';
import { isArray, isNumber, isString } from '../data/json-kinds.ts';
import type { MemberParser } from '../data/member-parser.ts';
import { OvsdbError, syntaxError } from '../data/ovsdb-error.ts';
import { type Execution, parseColumns, parseTable } from './execution.ts';
import { findRows } from './query.ts';
import { keyOf, parseRow, type Row, type RowValues } from './row.ts';
import type { Table } from './table.ts';

/** Thrown by a "wait" that may still come true. */
export class Blocked {
  /** Milliseconds after the first try; Infinity without a "timeout". */
  readonly until: number;

  constructor(until: number) {
    this.until = until;
  }
}

/** @throws OvsdbError, Blocked */
export function wait(execution: Execution, parser: MemberParser): JsonObject {
  const { symbols, elapsed } = execution;
  const table = parseTable(execution, parser);
  const timeoutJson = parser.optional('timeout', isNumber);
  const where = parser.member('where', isArray);
  const columnsJson = parser.optional('columns', isArray);
  const until = parser.member('until', isString);
  const rows = parser.member('rows', isArray);
  const condition = parseCondition(where, table.schema, symbols);
  const columns = parseColumns(columnsJson, table);
  const timeout = parseTimeout(timeoutJson);
  if (until !== '==' && until !== '!=') {
    throw syntaxError(until, '"until" must be "==" or "!="');
  }
  const expected = new Set<string>();
  for (const json of rows) {
    const row = expectedRow(parseRow(json, table.schema, symbols), table);
    expected.add(keyOf(row, columns));
  }
  const actual = new Set<string>();
  for (const row of findRows(table, condition)) actual.add(keyOf(row, columns));
  if (setsEqual(actual, expected) === (until === '==')) return {};
  throw notYet(timeout, elapsed);
}

/** Unlike a row of a table, it may say what its _uuid and _version are. */
function expectedRow(values: RowValues, table: Table): Pick<Row, 'at'> {
  const blank = table.emptyRow(ZERO_UUID);
  const given = new Map([...values].map(([{ index }, datum]) => [index, datum] as const));
  return { at: (index) => given.get(index) ?? blank.at(index) };
}

function parseTimeout(json: number | bigint = Infinity): number {
  if (json < 0) throw syntaxError(json, 'timeout must be nonnegative');
  return Math.floor(Number(json));
}

const setsEqual = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((key) => b.has(key));

function notYet(timeout: number, elapsed: number): OvsdbError | Blocked {
  if (elapsed < timeout) return new Blocked(timeout);
  const details =
    elapsed === 0 ? '"where" clause test failed' : `"wait" timed out after ${elapsed} ms`;
  return new OvsdbError('timed out', details);
}
