/** Which rows of a table a "where" selects: all but one by looking at each. */
import { type Condition, demandedUuid, matchesAll } from '../data/condition.ts';
import type { Row } from './row.ts';
import type { Table } from './table.ts';

/** Rows may be replaced and removed while this is walked. */
export function* findRows(table: Table, condition: Condition): Iterable<Row> {
  const uuid = demandedUuid(condition);
  const row = uuid === undefined ? undefined : table.rows.get(uuid);
  const candidates = uuid === undefined ? table.rows.values() : row === undefined ? [] : [row];
  for (const candidate of candidates) if (matchesAll(condition, candidate)) yield candidate;
}
