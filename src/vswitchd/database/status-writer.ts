/**
 * From cells that rows are to have to the operations that give them those:
 * only what differs is written. Transactions are of a bounded size, so that no
 * single message is long in the making; what comes last is in force last.
 */
import type { Json } from '../../lib/json.ts';
import type { Slices } from '../../lib/slices.ts';
import { datumsEqual, datumToJson } from '../../ovsdb/data/datum.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import type { Cells } from './cells.ts';

/** Messages of about 50 KB. */
const MAX_OPERATIONS = 100;

export interface WantedRow {
  /** The row as it is in the replica now. */
  row: Row | undefined;
  cells: Cells;
}

/** Rows that had these very cells when they were last compared. */
const WRITTEN = new WeakMap<Row, Cells>();

/** @param rows in the order in which they are to be written */
export async function statusTransactions(
  rows: Iterable<WantedRow>,
  slices: Slices,
): Promise<Json[][]> {
  const transactions: Json[][] = [];
  let last: Json[] = [];
  for (const { row, cells } of rows) {
    const update = row && updateOf(row, cells);
    if (update !== undefined) {
      if (last.length % MAX_OPERATIONS === 0) {
        last = [];
        transactions.push(last);
      }
      last.push(update);
    }
    await slices.breathe();
  }
  return transactions;
}

/** @returns undefined where the row has these cells */
function updateOf(row: Row, cells: Cells): Json | undefined {
  if (WRITTEN.get(row) === cells) return undefined;
  const { name, columns } = row.schema;
  const changed = Object.entries(cells).flatMap(([column, datum]) => {
    const schema = columns.get(column);
    // A server with an older schema lacks some.
    if (schema === undefined || datumsEqual(row.at(schema.index), datum)) return [];
    return [[column, datumToJson(datum, schema.type)] as const];
  });
  if (changed.length === 0) {
    WRITTEN.set(row, cells);
    return undefined;
  }
  const where: Json = [['_uuid', '==', ['uuid', row.uuid]]];
  return { op: 'update', table: name, where, row: Object.fromEntries(changed) };
}
