/** The text of a table's cells. */
import type { Json } from '../../lib/json.ts';
import { formatNumber } from '../../lib/json-number.ts';
import { formatJson } from '../../lib/json-text.ts';
import type { Atom } from '../../ovsdb/data/atom.ts';
import type { ColumnType } from '../../ovsdb/data/column-type.ts';
import { type Datum, datumToJson, datumToText } from '../../ovsdb/data/datum.ts';
import type { TableStyle } from './style.ts';
import type { Cell } from './table.ts';

export function cellText(cell: Cell, data: TableStyle['data']): string {
  if (cell === undefined) return '';
  if (typeof cell === 'string') return cell;
  if ('json' in cell) return formatJson(cell.json, { sorted: true });
  return formatDatum(cell.datum, cell.type, data);
}

export function cellJson(cell: Cell): Json {
  if (cell === undefined) return null;
  if (typeof cell === 'string') return cell;
  return 'json' in cell ? cell.json : datumToJson(cell.datum, cell.type);
}

/** `{a=b, "x y"=c}` as string, `a=b x y=c` as bare. */
export function formatDatum(datum: Datum, type: ColumnType, data: TableStyle['data']): string {
  if (data === 'string') return datumToText(datum, type);
  return data === 'bare' ? bareText(datum) : formatJson(datumToJson(datum, type));
}

function bareText({ keys, values }: Datum): string {
  const members = keys.map((key, i) =>
    values === undefined ? atomText(key) : `${atomText(key)}=${atomText(values[i])}`,
  );
  return members.join(' ');
}

const atomText = (atom: Atom): string =>
  typeof atom === 'number' ? formatNumber(atom) : String(atom);
