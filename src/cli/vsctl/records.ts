/** Finds the record that a user names: by UUID, by what record-names.ts says, by the beginning of its UUID. */
import { parseUuid } from '../../ovsdb/data/atom.ts';
import type { TableSchema } from '../../ovsdb/data/schema.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import type { Attempt } from './attempt.ts';
import { VsctlError } from './failure.ts';
import { type Identifier, identifiersOf } from './record-names.ts';

/** @throws VsctlError when there is none, or when the name fits several */
export function getRecord(attempt: Attempt, table: TableSchema, name: string): Row {
  const row = findRecord(attempt, table, name);
  if (row === undefined) throw new VsctlError(`no row "${name}" in table ${table.name}`);
  return row;
}

/** @throws VsctlError when the name fits several */
export function findRecord(attempt: Attempt, table: TableSchema, name: string): Row | undefined {
  const uuid = parseUuid(name);
  return (
    (uuid === undefined ? undefined : attempt.edit.get(table.name, uuid)) ??
    findByIdentifier(attempt, table.name, name) ??
    findByBeginning(attempt, table.name, name)
  );
}

function findByIdentifier(attempt: Attempt, table: string, name: string): Row | undefined {
  for (const identifier of identifiersOf(table)) {
    const named = findNamed(attempt, identifier, table, name);
    const row = named && follow(attempt, table, named, identifier);
    if (row !== undefined) return row;
  }
  return undefined;
}

function findNamed(
  attempt: Attempt,
  { name: column, via }: Identifier,
  table: string,
  name: string,
): Row | undefined {
  if (column === undefined) {
    return name === '.' ? onlyRow(attempt.edit.rows(via?.table ?? table)) : undefined;
  }
  let found: Row | undefined;
  for (const row of attempt.edit.rows(column.table)) {
    const { keys } = row.get(column.column);
    if (keys.length !== 1 || String(keys[0]) !== name) continue;
    if (found !== undefined) throw ambiguous(column.table, name);
    found = row;
  }
  return found;
}

function ambiguous(table: string, name: string): VsctlError {
  return new VsctlError(`multiple rows in ${table} match "${name}"`);
}

function onlyRow(rows: Iterable<Row>): Row | undefined {
  const [first, ...others] = rows;
  return others.length === 0 ? first : undefined;
}

function follow(attempt: Attempt, table: string, row: Row, { via }: Identifier): Row | undefined {
  if (via === undefined) return row;
  attempt.edit.verify(via.table, row.uuid, via.column);
  const { keys } = row.get(via.column);
  return keys.length === 1 ? attempt.edit.get(table, String(keys[0])) : undefined;
}

/** So many digits of a UUID are needed at least. */
const SHORTEST_BEGINNING = 4;

function findByBeginning({ edit }: Attempt, table: string, name: string): Row | undefined {
  if (name.length < SHORTEST_BEGINNING) return undefined;
  const [first, second] = [...edit.rows(table)].filter(({ uuid }) => uuid.startsWith(name));
  if (second === undefined) return first;
  throw new VsctlError(
    `${table} contains 2 or more rows whose UUIDs begin with ${name}: at least ${first.uuid} and ${second.uuid}`,
  );
}
