/** The updates of a monitor as tables: what `ovsdb-client monitor` prints. */
import { isObject, type Json } from '../../lib/json.ts';
import { UNLIMITED } from '../../ovsdb/data/column-type.ts';
import { parseDatum } from '../../ovsdb/data/datum.ts';
import type { ColumnSchema } from '../../ovsdb/data/schema.ts';
import { type Cell, Table } from '../ovs-table/table.ts';
import type { MonitoredTable } from './monitor-request.ts';

/** One line of the table: what happened to a row, with the columns that are known. */
type AddLine = (uuid: string, action: string, row: Json | undefined) => void;

/**
 * @param updates <table-updates>, of `monitor` or of the later ones
 * @param isInitial whether rows are those of the first reply
 * @returns a table for each that has updates
 */
export function* updateTables(
  monitored: readonly MonitoredTable[],
  updates: Json,
  isInitial: boolean,
): Generator<Table, void, undefined> {
  for (const { schema, columns } of monitored) {
    const rows = isObject(updates) ? updates[schema.name] : undefined;
    if (!isObject(rows)) continue;
    const caption = monitored.length > 1 ? schema.name : undefined;
    const table = new Table(['row', 'action', ...columns.map(({ name }) => name)], caption);
    for (const [uuid, row] of Object.entries(rows)) {
      addRow(uuid, row, isInitial, (shown, action, values) =>
        table.add([shown, action, ...columns.map((column) => cellOf(values, column))]),
      );
    }
    yield table;
  }
}

function addRow(uuid: string, row: Json, isInitial: boolean, add: AddLine): void {
  if (!isObject(row)) return;
  const action = ACTIONS2.find((each) => row[each] !== undefined);
  if (action !== undefined) {
    add(uuid, action, row[action]);
  } else if (row.new === undefined) {
    add(uuid, 'delete', row.old);
  } else if (row.old === undefined) {
    add(uuid, isInitial ? 'initial' : 'insert', row.new);
  } else {
    add(uuid, 'old', row.old);
    add('', 'new', row.new);
  }
}

/** Of a <row-update2>. */
const ACTIONS2 = ['initial', 'insert', 'modify', 'delete'] as const;

/** A difference may have fewer or more members than the column. @throws OvsdbError */
function cellOf(row: Json | undefined, { name, type }: ColumnSchema): Cell {
  if (!isObject(row) || row[name] === undefined) return undefined;
  return { datum: parseDatum(row[name], { ...type, min: 0, max: UNLIMITED }), type };
}
