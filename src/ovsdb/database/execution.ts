/** What the operations of one transaction share, and how they find tables and columns. */
import type { Json, JsonObject } from '../../lib/json.ts';
import { isId } from '../data/json-kinds.ts';
import type { MemberParser } from '../data/member-parser.ts';
import { type ColumnSchema, parseColumnSet } from '../data/schema.ts';
import type { Symbols } from '../data/symbols.ts';
import type { Table, Tables } from './table.ts';
import type { Transaction } from './transaction.ts';

export interface Execution {
  readonly tables: Tables;
  readonly transaction: Transaction;
  readonly symbols: Symbols;
  readonly ownsLock: (name: string) => boolean;
  /** Milliseconds since the transaction was first tried. */
  readonly elapsed: number;
  readonly comments: string[];
  /** Set by "commit". */
  isDurable: boolean;
}

/**
 * Carries an operation out.
 * @throws OvsdbError, Blocked
 */
export type Operation = (execution: Execution, parser: MemberParser) => JsonObject;

export function parseTable({ tables }: Execution, parser: MemberParser): Table {
  const name = parser.member('table', isId);
  const table = tables.get(name);
  if (table === undefined) throw parser.raise(`No table named ${name}.`);
  return table;
}

/** The columns named, or all. */
export function parseColumns(json: Json | undefined, { schema }: Table): ColumnSchema[] {
  return json === undefined ? [...schema.columns.values()] : parseColumnSet(json, schema.columns);
}
