/**
 * Tables of text and OVSDB values, as `ovs-vsctl list` and `ovsdb-client`
 * print them. What a cell looks like, and what stands around it, is chosen by
 * a style (style.ts) when the table is printed (formatter.ts).
 */
import type { Json } from '../../lib/json.ts';
import type { ColumnType } from '../../ovsdb/data/column-type.ts';
import type { Datum } from '../../ovsdb/data/datum.ts';

/** Text, an OVSDB value, JSON that every style but json's prints as it is, or nothing. */
export type Cell =
  | string
  | { readonly datum: Datum; readonly type: ColumnType }
  | { readonly json: Json }
  | undefined;

export class Table {
  readonly columns: readonly string[];
  readonly rows: (readonly Cell[])[] = [];
  caption: string | undefined;
  /** When what it shows happened. */
  timestamp: Date | undefined;

  constructor(columns: readonly string[], caption?: string) {
    this.columns = columns;
    this.caption = caption;
  }

  /** @param cells one for each column */
  add(cells: readonly Cell[]): void {
    this.rows.push(cells);
  }
}
