/** Database commands that change records: set, add, remove, clear; and comment. */
import { type Atom, atomToJson } from '../../../ovsdb/data/atom.ts';
import { type ColumnType, isMap, isScalar, UNLIMITED } from '../../../ovsdb/data/column-type.ts';
import type { Datum } from '../../../ovsdb/data/datum.ts';
import { subtract, union } from '../../../ovsdb/data/datum-sets.ts';
import { type OvsdbError, syntaxError } from '../../../ovsdb/data/ovsdb-error.ts';
import type { ColumnSchema, TableSchema } from '../../../ovsdb/data/schema.ts';
import type { Row } from '../../../ovsdb/database/row.ts';
import type { Attempt } from '../attempt.ts';
import { columnOf } from '../column-argument.ts';
import type { Command, CommandSyntax, Context } from '../command.ts';
import { parseDatumText } from '../datum-text.ts';
import { VsctlError } from '../failure.ts';
import { findColumn, findTable } from '../names.ts';
import type { Needs } from '../needs.ts';
import { findRecord, getRecord } from '../records.ts';
import { checkMutable, setColumn } from '../set-column.ts';
import { SwitchModel } from '../switch-model.ts';
import type { RowSymbols } from '../symbols.ts';

export const set: CommandSyntax = {
  name: 'set',
  min: 3,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE !RECORD +COLUMN?:KEY=VALUE',
  options: ['--if-exists'],
  writes: true,
  prepare: ({ args }, { needs }) => needSettings(needs, needs.table(args[0]), args.slice(2)),
  run(context) {
    const { attempt, args } = context;
    const { table, row } = findTarget(context);
    if (row === undefined) return;
    for (const setting of args.slice(2)) {
      forgetModel(attempt, table, setColumn(context, table, row.uuid, setting));
    }
  },
};

export const add: CommandSyntax = {
  name: 'add',
  min: 4,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE !RECORD !COLUMN +?KEY=VALUE',
  options: ['--if-exists'],
  writes: true,
  prepare: (command, { needs }) => needColumn(command, needs),
  run(context) {
    const target = findColumnTarget(context);
    if (target === undefined) return;
    const { attempt } = context;
    const { column } = target;
    const type: ColumnType = { ...column.type, min: 1, max: UNLIMITED };
    const texts = context.args.slice(3);
    const added = texts.map((text) => parseDatumText(text, type, attempt.symbols));
    if (context.isLast) insertMembers(attempt, target, added);
    else addMembers(attempt, target, added);
    forgetModel(attempt, target.table, column);
  },
};

export const remove: CommandSyntax = {
  name: 'remove',
  min: 4,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE !RECORD !COLUMN +KEY|VALUE|KEY=VALUE',
  options: ['--if-exists'],
  writes: true,
  prepare: (command, { needs }) => needColumn(command, needs),
  run(context) {
    const target = findColumnTarget(context);
    if (target === undefined) return;
    const { attempt } = context;
    const { table, row, column, datum } = target;
    let rest = datum;
    for (const text of context.args.slice(3)) {
      rest = subtract(rest, parseRemoved(text, column.type, attempt.symbols), column.type);
    }
    if (rest.keys.length < column.type.min) {
      throw wrongSize('remove', rest, table, column, `minimum number is ${column.type.min}`);
    }
    attempt.edit.verify(table.name, row.uuid, column.name);
    attempt.edit.set(table.name, row.uuid, column.name, rest);
    forgetModel(attempt, table, column);
  },
};

export const clear: CommandSyntax = {
  name: 'clear',
  min: 3,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE !RECORD +COLUMN',
  options: ['--if-exists'],
  writes: true,
  prepare({ args }, { needs }) {
    const table = needs.table(args[0]);
    for (const name of args.slice(2)) needs.add(table.name, findColumn(table, name).name);
  },
  run(context) {
    const { attempt, args } = context;
    const { table, row } = findTarget(context);
    if (row === undefined) return;
    for (const name of args.slice(2)) clearColumn(attempt, table, row, findColumn(table, name));
  },
};

export const comment: CommandSyntax = {
  name: 'comment',
  min: 0,
  max: Number.POSITIVE_INFINITY,
  usage: '*ARG',
  options: [],
  writes: false,
  // What it says is part of the command line, which goes into the database's log.
  run() {},
};

function needSettings(needs: Needs, table: TableSchema, settings: readonly string[]): void {
  for (const setting of settings) needs.add(table.name, columnOf(setting, table).name);
}

function needColumn({ args }: Command, needs: Needs): void {
  const table = needs.table(args[0]);
  needs.add(table.name, findColumn(table, args[2]).name);
}

function forgetModel(attempt: Attempt, table: TableSchema, column: ColumnSchema): void {
  if (SwitchModel.has(table.name, column.name)) attempt.forgetModel();
}

interface Target {
  readonly table: TableSchema;
  readonly row: Row;
}

interface ColumnTarget extends Target {
  readonly column: ColumnSchema;
  /** What it holds. */
  readonly datum: Datum;
}

function findTarget(context: Context): { table: TableSchema; row: Row | undefined } {
  const { attempt, args } = context;
  const table = findTable(attempt.schema, args[0]);
  return { table, row: findRow(context, table, args[1]) };
}

export function findRow(context: Context, table: TableSchema, name: string): Row | undefined {
  const look = context.has('--if-exists') ? findRecord : getRecord;
  return look(context.attempt, table, name);
}

function findColumnTarget(context: Context): ColumnTarget | undefined {
  const { attempt, args } = context;
  const { table, row } = findTarget(context);
  if (row === undefined) return undefined;
  const column = findColumn(table, args[2]);
  checkMutable(attempt, table, row.uuid, column);
  return { table, row, column, datum: attempt.read(row, column.name) };
}

function addMembers(attempt: Attempt, target: ColumnTarget, added: readonly Datum[]): void {
  const { table, row, column, datum } = target;
  const sum = added.reduce((all, each) => union(all, each, column.type), datum);
  if (sum.keys.length > column.type.max) {
    throw wrongSize('add', sum, table, column, `maximum number is ${column.type.max}`);
  }
  attempt.edit.verify(table.name, row.uuid, column.name);
  attempt.edit.set(table.name, row.uuid, column.name, sum);
}

/**
 * What the last command adds is added to what the column holds by then, as
 * nobody reads the sum. A pair whose key is there takes its place: so does
 * stock, but for other commands than the last, though the manual rules it out.
 */
function insertMembers(attempt: Attempt, target: ColumnTarget, added: readonly Datum[]): void {
  const { table, row, column } = target;
  const all = added.reduce((sum, each) => union(sum, each, column.type));
  attempt.edit.mutate(table.name, row.uuid, column.name, 'insert', all);
  if (isScalar(column.type)) attempt.refuse(notInsertable(column, all.keys));
}

/** As the server answers stock, which asks even for what is there already. */
function notInsertable({ name, type }: ColumnSchema, keys: readonly Atom[]): OvsdbError {
  const members = keys.map((key) => atomToJson(key, type.key.type));
  const details = `"insert" operator may not be applied to column ${name} of type ${type.key.type}`;
  return syntaxError([name, 'insert', ['set', members]], `Type mismatch: ${details}.`);
}

/** From a map pairs can be removed, or keys whatever their value. */
function parseRemoved(text: string, type: ColumnType, symbols: RowSymbols): Datum {
  const some: ColumnType = { ...type, min: 1, max: UNLIMITED };
  if (!isMap(type)) return parseDatumText(text, some, symbols);
  try {
    return parseDatumText(text, some, symbols);
  } catch (error) {
    if (!(error instanceof VsctlError)) throw error;
    return parseDatumText(text, { ...some, value: undefined }, symbols);
  }
}

function clearColumn(
  attempt: Attempt,
  table: TableSchema,
  { uuid }: Row,
  column: ColumnSchema,
): void {
  checkMutable(attempt, table, uuid, column);
  if (column.type.min > 0) {
    throw new VsctlError(
      `"clear" operation cannot be applied to column ${column.name} of table ${table.name}, which is not allowed to be empty`,
    );
  }
  const values = isMap(column.type) ? [] : undefined;
  attempt.edit.set(table.name, uuid, column.name, { keys: [], values });
  forgetModel(attempt, table, column);
}

function wrongSize(
  operation: string,
  { keys }: Datum,
  table: TableSchema,
  column: ColumnSchema,
  bound: string,
): VsctlError {
  const what = isMap(column.type) ? 'pairs' : 'values';
  return new VsctlError(
    `"${operation}" operation would put ${keys.length} ${what} in column ${column.name} of table ${table.name} but the ${bound}`,
  );
}
