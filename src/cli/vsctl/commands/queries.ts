/** Database commands that read: list, find, get, wait-until. */
import { isMap } from '../../../ovsdb/data/column-type.ts';
import { datumToText } from '../../../ovsdb/data/datum.ts';
import type { ColumnSchema, TableSchema } from '../../../ovsdb/data/schema.ts';
import type { Row } from '../../../ovsdb/database/row.ts';
import { Table } from '../../ovs-table/table.ts';
import { parseAtomText } from '../atom-text.ts';
import { columnOf, parseColumnAndKey } from '../column-argument.ts';
import type { Command, CommandSyntax, Context } from '../command.ts';
import { matches } from '../condition.ts';
import { VsctlError } from '../failure.ts';
import { findColumn, findTable, sortedColumns } from '../names.ts';
import type { Needs } from '../needs.ts';
import { findRecord, getRecord } from '../records.ts';
import { one, valueAt } from '../values.ts';

export const list: CommandSyntax = {
  name: 'list',
  min: 1,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE *RECORD',
  options: ['--if-exists', '--columns='],
  writes: false,
  prepare: (command, { needs }) => prepareListing(command, needs),
  run(context) {
    const { attempt, args } = context;
    const table = findTable(attempt.schema, args[0]);
    const names = args.slice(1);
    const rows = names.length === 0 ? [...attempt.edit.rows(table.name)] : [];
    for (const name of names) {
      const row = findUnlessOptional(context, table, name);
      if (row !== undefined) rows.push(row);
    }
    context.table = tableOf(context, table, rows);
  },
};

export const find: CommandSyntax = {
  name: 'find',
  min: 1,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE *COLUMN?:KEY=VALUE',
  options: ['--columns='],
  writes: false,
  prepare(command, { needs }) {
    const table = prepareListing(command, needs);
    for (const condition of command.args.slice(1)) {
      needs.add(table.name, columnOf(condition, table).name);
    }
  },
  run(context) {
    const { attempt, args } = context;
    const table = findTable(attempt.schema, args[0]);
    const rows = [...attempt.edit.rows(table.name)].filter((row) =>
      args.slice(1).every((condition) => matches(attempt, table, row, condition)),
    );
    context.table = tableOf(context, table, rows);
  },
};

export const get: CommandSyntax = {
  name: 'get',
  min: 2,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE !RECORD *COLUMN?:KEY',
  options: ['--if-exists', '--id='],
  writes: false,
  prepare({ args, options }, { needs, logs, isTerminal }) {
    if (isTerminal && args.length <= 2 && !options.has('--id')) {
      logs.database.warn('"get" command without row arguments or "--id" is possibly erroneous');
    }
    const table = needs.table(args[0]);
    for (const argument of args.slice(2)) {
      if (!isUuidColumn(argument)) needs.add(table.name, columnOf(argument, table).name);
    }
  },
  run(context) {
    const { attempt, args } = context;
    const id = context.option('--id');
    if (id !== undefined && context.has('--if-exists')) {
      throw new VsctlError('--if-exists and --id may not be specified together');
    }
    const table = findTable(attempt.schema, args[0]);
    const row = findUnlessOptional(context, table, args[1]);
    if (row === undefined) return;
    if (id !== undefined) nameRow(context, id, row);
    for (const argument of args.slice(2)) context.print(valueText(context, table, row, argument));
  },
};

export const waitUntil: CommandSyntax = {
  name: 'wait-until',
  min: 2,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE !RECORD *COLUMN?:KEY=VALUE',
  options: [],
  writes: false,
  prepare({ args }, { needs }) {
    const table = needs.table(args[0]);
    for (const condition of args.slice(2)) {
      needs.add(table.name, columnOf(condition, table).name);
    }
  },
  run(context) {
    const { attempt, args } = context;
    const table = findTable(attempt.schema, args[0]);
    const row = findRecord(attempt, table, args[1]);
    const holds = (condition: string) =>
      row !== undefined && matches(attempt, table, row, condition);
    context.mustWait = row === undefined || !args.slice(2).every(holds);
  },
};

function prepareListing({ args, options }: Command, needs: Needs): TableSchema {
  const table = needs.table(args[0]);
  for (const column of columnsOf(table, options.get('--columns'))) {
    if (column !== undefined) needs.add(table.name, column.name);
  }
  return table;
}

/** Undefined stands for _uuid. */
type ListedColumn = ColumnSchema | undefined;

function columnsOf(table: TableSchema, names: string | undefined): readonly ListedColumn[] {
  if (names === undefined) return [undefined, ...sortedColumns(table)];
  const columns = names
    .split(/[, ]/)
    .filter((name) => name !== '')
    .map((name) => (name.toLowerCase() === '_uuid' ? undefined : findColumn(table, name)));
  if (columns.length === 0) throw new VsctlError('must specify at least one column name');
  return columns;
}

function tableOf(context: Context, schema: TableSchema, rows: readonly Row[]): Table {
  const { attempt } = context;
  const columns = columnsOf(schema, context.option('--columns'));
  const table = new Table(columns.map((column) => column?.name ?? '_uuid'));
  for (const row of rows) {
    const cells = columns.map((column) =>
      column === undefined
        ? { datum: one(row.uuid), type: UUID_TYPE }
        : { datum: attempt.read(row, column.name), type: column.type },
    );
    table.add(cells);
  }
  return table;
}

const UUID_TYPE = { key: { type: 'uuid' }, min: 1, max: 1 } as const;

function findUnlessOptional(context: Context, table: TableSchema, name: string): Row | undefined {
  const look = context.has('--if-exists') ? findRecord : getRecord;
  return look(context.attempt, table, name);
}

/** A row that exists already does not vanish for want of references. */
function nameRow({ attempt }: Context, name: string, row: Row): void {
  const wasUsed = attempt.symbols.has(name);
  const symbol = attempt.symbols.create(name);
  if (wasUsed) {
    throw new VsctlError(
      `row id "${name}" specified on "get" command was used before it was defined`,
    );
  }
  symbol.uuid = row.uuid;
  symbol.isStronglyReferenced = true;
}

const isUuidColumn = (argument: string): boolean => /^[_-]uuid$/i.test(argument);

function valueText(context: Context, table: TableSchema, row: Row, argument: string): string {
  if (isUuidColumn(argument)) return row.uuid;
  const { attempt, args } = context;
  const { column, key } = parseColumnAndKey(argument, table);
  attempt.edit.verify(table.name, row.uuid, column.name);
  const datum = attempt.read(row, column.name);
  if (key === undefined) return datumToText(datum, column.type);
  if (!isMap(column.type)) {
    throw new VsctlError(`cannot specify key to get for non-map column ${column.name}`);
  }
  const value = valueAt(datum, parseAtomText(key, column.type.key, attempt.symbols));
  if (value !== undefined) {
    const type = { key: column.type.value ?? column.type.key, min: 1, max: 1 } as const;
    return datumToText(one(value), type);
  }
  if (context.has('--if-exists')) return '';
  throw new VsctlError(
    `no key "${key}" in ${table.name} record "${args[1]}" column ${column.name}`,
  );
}
