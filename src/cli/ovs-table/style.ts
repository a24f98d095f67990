/** Options for printing tables: "Table Formatting Options" of ovs-vsctl(8). */
import type { OptionSpec, ParsedOption } from '../../daemon/getopt.ts';
import { TapflowError } from '../../lib/error.ts';

const FORMATS = ['table', 'list', 'html', 'csv', 'json'] as const;
const CELL_FORMATS = ['string', 'bare', 'json'] as const;

export interface TableStyle {
  format: (typeof FORMATS)[number];
  /** Of cells; in a json table they are JSON anyway. */
  data: (typeof CELL_FORMATS)[number];
  headings: boolean;
  /** JSON on many lines. */
  pretty: boolean;
  /** In bytes, for format `table`; 0: as wide as need be. */
  maxColumnWidth: number;
}

export const TABLE_OPTIONS: readonly OptionSpec[] = [
  { name: 'format', short: 'f', argument: 'required' },
  { name: 'data', short: 'd', argument: 'required' },
  { name: 'no-headings', argument: 'none' },
  { name: 'pretty', argument: 'none' },
  { name: 'bare', argument: 'none' },
  { name: 'max-column-width', argument: 'required' },
];

/** @param format the program's default */
export function tableStyle(format: TableStyle['format']): TableStyle {
  return { format, data: 'string', headings: true, pretty: false, maxColumnWidth: 0 };
}

/**
 * @returns false when the option is not about tables
 * @throws TapflowError USAGE
 */
export function takeTableOption(style: TableStyle, { name, value = '' }: ParsedOption): boolean {
  if (name === 'format') style.format = oneOf(FORMATS, value, 'output');
  else if (name === 'data') style.data = oneOf(CELL_FORMATS, value, 'data');
  else if (name === 'no-headings') style.headings = false;
  else if (name === 'pretty') style.pretty = true;
  else if (name === 'max-column-width') style.maxColumnWidth = widthOf(value);
  else if (name !== 'bare') return false;
  else Object.assign(style, { format: 'list', data: 'bare', headings: false });
  return true;
}

function oneOf<T extends string>(known: readonly T[], name: string, what: string): T {
  const found = known.find((each) => each === name);
  if (found !== undefined) return found;
  throw new TapflowError('USAGE', `unknown ${what} format "${name}"`);
}

/** As atoi(3) reads it. */
function widthOf(text: string): number {
  return Math.max(0, Number.parseInt(text, 10) || 0);
}
