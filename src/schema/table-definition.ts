/**
 * Columns and tables, put together from the cell types of cell-type.ts: what a
 * table's module declares, and what schema.ts gathers.
 */
import type { JsonObject } from '../lib/json.ts';
import { type Cell, type CellType, map, members, string } from './cell-type.ts';

export interface Column<T> extends CellType<T> {
  /** One sentence for the reference page. */
  readonly about: string;
  readonly isMutable: boolean;
  /** Not written to the database's file: status, gone after a restart. */
  readonly isEphemeral: boolean;
}

interface TableSettings {
  /** Rows are kept though nothing refers to them. */
  isRoot?: boolean;
  maxRows?: number;
  /** Sets of columns whose values, together, are unique in the table. */
  indexes?: readonly (readonly string[])[];
}

export interface Table<Row extends object> {
  readonly about: string;
  readonly settings: TableSettings;
  readonly columns: Columns<Row>;
  /**
   * A row as TypeScript has it.
   * @throws TypeError when a column is missing
   * @throws TapflowError BAD_CELL when one is of another type
   */
  readonly read: (cells: ReadonlyMap<string, Cell>) => Readonly<Row>;
}

/** What all tables have in common, whatever their rows. */
export interface AnyTable {
  readonly about: string;
  readonly settings: TableSettings;
  readonly columns: Readonly<Record<string, Column<unknown>>>;
}

type Columns<Row> = { readonly [Name in keyof Row]: Column<Row[Name]> };

export const column = <T>(type: CellType<T>, about: string): Column<T> => ({
  ...type,
  about,
  isMutable: true,
  isEphemeral: false,
});

/** A column that is set when the row is inserted and never again. */
export const immutable = <T>(type: CellType<T>, about: string): Column<T> => ({
  ...column(type, about),
  isMutable: false,
});

/** A column that the database keeps in memory only. */
export const ephemeral = <T>(type: CellType<T>, about: string): Column<T> => ({
  ...column(type, about),
  isEphemeral: true,
});

/** The column of most tables that is free for whoever manages the switch. */
export const externalIds = column(
  map(string, string),
  'Keys of whoever manages the switch, which does not read them itself.',
);

export function table<Row extends object>(
  about: string,
  settings: TableSettings,
  columns: Columns<Row>,
): Table<Row> {
  return { about, settings, columns, read: (cells) => readRow(columns, cells) };
}

/** As a schema has it, with the members that differ from their defaults. */
export function tableToJson({ settings, columns }: AnyTable): JsonObject {
  const { isRoot, maxRows, indexes } = settings;
  return members({ columns: mapValues(columns, columnToJson), isRoot, maxRows, indexes });
}

/** The same names, other values. */
export const mapValues = <From, To>(
  object: Readonly<Record<string, From>>,
  convert: (value: From) => To,
): Readonly<Record<string, To>> =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, convert(value)]));

const columnToJson = ({ json, isMutable, isEphemeral }: Column<unknown>): JsonObject =>
  members({
    type: json,
    mutable: isMutable ? undefined : false,
    ephemeral: isEphemeral ? true : undefined,
  });

function readRow<Row extends object>(columns: Columns<Row>, cells: ReadonlyMap<string, Cell>): Row {
  const all: [string, Column<unknown>][] = Object.entries(columns);
  const values = all.map(([name, column]) => {
    const cell = cells.get(name);
    if (cell === undefined) throw new TypeError(`the row has no column ${name}`);
    return [name, column.read(cell)];
  });
  return Object.fromEntries(values) as Row;
}
