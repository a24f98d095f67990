/**
 * Prints tables in the five formats of ovs-vsctl(8), to the character. Widths
 * are in bytes, as in stock: the columns behind a letter that is not ASCII are
 * as crooked as there.
 */
import { strftime } from '../../daemon/strftime.ts';
import { formatJson } from '../../lib/json-text.ts';
import { cellJson, cellText } from './cell-text.ts';
import type { TableStyle } from './style.ts';
import type { Cell, Table } from './table.ts';

/** Knows what it has printed before: some formats set tables apart by a blank line. */
export class TableFormatter {
  readonly #style: TableStyle;
  #isFirst = true;

  constructor(style: TableStyle) {
    this.#style = style;
  }

  /** @returns the table's lines, each with its newline */
  format(table: Table): string {
    const { format } = this.#style;
    if (format === 'json') return jsonText(table, this.#style);
    if (format === 'html') return headText(table, false) + htmlText(table, this.#style);
    const blank = this.#isFirst ? '' : '\n';
    this.#isFirst = false;
    return blank + headText(table, true) + TEXTS[format](table, this.#style);
  }
}

function headText({ timestamp, caption }: Table, hasCaption: boolean): string {
  const time = timestamp === undefined ? '' : `${timeText(timestamp)}\n`;
  return hasCaption && caption !== undefined ? `${time}${caption}\n` : time;
}

const timeText = (time: Date): string => strftime('%Y-%m-%d %H:%M:%S.###', time, true);

type Text = (table: Table, style: TableStyle) => string;

const TEXTS: Readonly<Record<'table' | 'list' | 'csv', Text>> = {
  table: (table, style) => {
    const { columns } = table;
    const rows = textRows(table, style);
    const widths = columns.map((column, i) => widthOf(column, i, rows, style));
    const rules = widths.map((width) => '-'.repeat(width));
    const lines = style.headings ? [columns, rules, ...rows] : rows;
    return lines.map((cells) => tableLine(cells, widths)).join('');
  },
  list: ({ columns, rows }, { headings, data }) => {
    const names = columns.map((column) => (headings ? `${column.padEnd(NAME_WIDTH)}: ` : ''));
    const records = rows.map((row) =>
      row.map((cell, i) => `${names[i]}${cellText(cell, data)}\n`).join(''),
    );
    return records.join('\n');
  },
  csv: (table, style) => {
    const rows = textRows(table, style);
    const lines = style.headings ? [table.columns, ...rows] : rows;
    return lines.map((cells) => `${cells.map(csvCell).join()}\n`).join('');
  },
};

/** Of names in a list: longer ones stick out. */
const NAME_WIDTH = 20;

const textRows = ({ rows }: Table, { data }: TableStyle): string[][] =>
  rows.map((row) => row.map((cell) => cellText(cell, data)));

function widthOf(
  column: string,
  index: number,
  rows: readonly string[][],
  { headings, maxColumnWidth }: TableStyle,
): number {
  let width = 0;
  for (const row of rows) width = Math.max(width, Buffer.byteLength(row[index]));
  if (maxColumnWidth > 0) width = Math.min(width, maxColumnWidth);
  return headings ? Math.max(width, Buffer.byteLength(column)) : width;
}

function tableLine(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, i) => {
    const size = Buffer.byteLength(cell);
    if (size > widths[i]) return Buffer.from(cell).toString('utf8', 0, widths[i]);
    return cell + ' '.repeat(widths[i] - size);
  });
  return `${trimSpaces(padded.join(' '))}\n`;
}

/** Loops, as the pattern / +$/ takes quadratic time on a wide table's line. */
function trimSpaces(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ') end--;
  return line.slice(0, end);
}

/** RFC 4180 */
const csvCell = (text: string): string =>
  /[\n\r",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

function htmlText({ columns, rows, caption }: Table, { headings, data }: TableStyle): string {
  const headingCells = columns.map((column) => `    <th>${escapeHtml(column)}</th>\n`);
  const lines = rows.map((row) =>
    htmlRow(row.map((cell, i) => `    <td>${htmlCell(cell, columns[i], data)}</td>\n`)),
  );
  return [
    '<table border=1>\n',
    caption === undefined ? '' : `    <caption>${escapeHtml(caption)}</caption>\n`,
    headings ? htmlRow(headingCells) : '',
    ...lines,
    '</table>\n',
  ].join('');
}

const htmlRow = (cells: readonly string[]): string => `  <tr>\n${cells.join('')}  </tr>\n`;

/** A row's UUID is an anchor, others are links to it; both are shown short. */
function htmlCell(cell: Cell, column: string, data: TableStyle['data']): string {
  const text = cellText(cell, data);
  if (column === '_uuid')
    return `<a name="${escapeHtml(text)}">${escapeHtml(text.slice(0, 8))}</a>`;
  return escapeHtml(text).replace(UUID, (uuid) => `<a href="#${uuid}">${uuid.slice(0, 8)}</a>`);
}

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi;

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => ESCAPES[character]);

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function jsonText({ caption, columns, rows, timestamp }: Table, { pretty }: TableStyle): string {
  const json = {
    ...(caption !== undefined && { caption }),
    data: rows.map((row) => row.map(cellJson)),
    headings: columns,
    ...(timestamp && { time: timeText(timestamp) }),
  };
  return `${formatJson(json, { sorted: true, pretty })}\n`;
}
