/** Database commands that make records and do away with them: create, destroy. */
import { parseUuid } from '../../../ovsdb/data/atom.ts';
import type { TableSchema } from '../../../ovsdb/data/schema.ts';
import type { Attempt } from '../attempt.ts';
import type { CommandSyntax, Context } from '../command.ts';
import { VsctlError } from '../failure.ts';
import { findTable } from '../names.ts';
import { setColumn } from '../set-column.ts';
import { findRow } from './modifications.ts';

export const create: CommandSyntax = {
  name: 'create',
  min: 2,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE +COLUMN?:KEY=VALUE',
  options: ['--id='],
  writes: true,
  prepare({ args, options }, { needs, logs }) {
    const table = needs.table(args[0]);
    if (!options.has('--id') && !table.isRoot) {
      logs.database.warn(
        `applying "create" command to table ${table.name} without --id option will have no effect`,
      );
    }
  },
  run(context) {
    const { attempt, args } = context;
    const table = findTable(attempt.schema, args[0]);
    const uuid = insertRow(context, table);
    for (const setting of args.slice(1)) setColumn(context, table, uuid, setting);
    attempt.forgetModel();
    context.output = uuid;
  },
  finish(context, uuidOf) {
    const uuid = context.output;
    context.output = '';
    context.print(uuidOf(uuid) ?? uuid);
  },
};

export const destroy: CommandSyntax = {
  name: 'destroy',
  min: 1,
  max: Number.POSITIVE_INFINITY,
  usage: '!TABLE *RECORD',
  options: ['--if-exists', '--all'],
  writes: true,
  prepare({ args }, { needs }) {
    needs.table(args[0]);
  },
  run(context) {
    const { attempt, args } = context;
    checkDestroy(context);
    const table = findTable(attempt.schema, args[0]);
    const rows = context.has('--all') ? [...attempt.edit.rows(table.name)] : [];
    for (const { uuid } of rows) attempt.edit.remove(table.name, uuid);
    for (const name of args.slice(1)) {
      const row = findRow(context, table, name);
      if (row !== undefined) attempt.edit.remove(table.name, row.uuid);
    }
    attempt.forgetModel();
  },
};

function insertRow(context: Context, table: TableSchema): string {
  const { attempt } = context;
  const id = context.option('--id');
  if (id === undefined) return attempt.edit.insert(table.name);
  const uuid = parseUuid(id);
  if (uuid !== undefined) return insertAs(attempt, table, uuid);
  const symbol = attempt.symbols.create(id);
  if (table.isRoot) symbol.isStronglyReferenced = true;
  return attempt.edit.insert(table.name, {}, { uuid: symbol.uuid });
}

/** That the database has no such row the server checks. */
function insertAs(attempt: Attempt, { name }: TableSchema, uuid: string): string {
  if (attempt.edit.get(name, uuid) !== undefined && !attempt.isStored(name, uuid)) {
    throw new VsctlError(`row id "${uuid}" may only be specified on one --id option`);
  }
  return attempt.edit.insert(name, {}, { uuid, isFinal: true });
}

function checkDestroy(context: Context): void {
  const isAll = context.has('--all');
  const isNamed = context.args.length > 1;
  if (isAll && isNamed) {
    throw new VsctlError('--all and records argument should not be specified together');
  }
  if (isAll && context.has('--if-exists')) {
    throw new VsctlError('--all and --if-exists should not be specified together');
  }
  if (isAll || isNamed) return;
  context.attempt.logs.database.warn('either --all or records argument should be specified');
}
