/** Tables for people: aligned columns, two spaces between them, numbers to the right. */

export type Cell = string | number;

/** @returns lines that end in a newline; the header alone when there are no rows */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(cellText));
  const widths = header.map((name, column) =>
    Math.max(name.length, ...texts.map((row) => row[column].length)),
  );
  const numeric = header.map((_, column) => rows.some((row) => typeof row[column] === 'number'));
  const line = (cells: readonly string[]) =>
    `${cells
      .map((text, column) =>
        numeric[column] ? text.padStart(widths[column]) : text.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd()}\n`;
  return [header, ...texts].map(line).join('');
}

/** 1234567 as "1,234,567"; the tables' numbers are read, not parsed (`--json` is for that). */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A share as "97.2%", of nothing as "-". */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`;
}

const cellText = (cell: Cell): string => (typeof cell === 'number' ? grouped(cell) : cell);
