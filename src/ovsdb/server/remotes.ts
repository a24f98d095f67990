/**
 * The server's connection methods: those that it was told of, which may be
 * columns of a database (db-column.ts), and what is open because of them. What
 * they come to is compared with what is open whenever either may have changed.
 *
 *     told     punix:db.sock   db:Open_vSwitch,Open_vSwitch,manager_options
 *     wanted   punix:db.sock   ptcp:6640   ssl:10.0.0.1:6640     (wantedRemotes)
 *     open     a listener      a listener  a client              (OpenRemote)
 */
import { TapflowError } from '../../lib/error.ts';
import type { TransactionChanges } from '../database/changes.ts';
import type { Row } from '../database/row.ts';
import {
  type DbColumn,
  findDbColumn,
  isDbColumn,
  referredTable,
  rowsReferred,
  stringsIn,
} from './db-column.ts';
import type { HostedDatabase } from './hosted-database.ts';
import { OpenRemote, type RemoteContext, type RemoteOptions } from './open-remote.ts';

/** A remote that a row of a table such as Manager configures. */
export interface ConfiguredRow {
  readonly database: HostedDatabase;
  readonly row: Row;
  readonly target: string;
}

export class Remotes {
  readonly #context: RemoteContext;
  readonly #told = new Set<string>();
  readonly #open = new Map<string, OpenRemote>();
  /** What was said last about a column that is not there. */
  #complaint = '';

  constructor(context: RemoteContext) {
    this.#context = context;
  }

  /** As told, in order. */
  get names(): string[] {
    return [...this.#told].sort();
  }

  /** @throws TapflowError BAD_DB_COLUMN */
  async add(text: string): Promise<void> {
    if (isDbColumn(text)) findDbColumn(text, this.#context.server.databases);
    this.#told.add(text);
    await this.update();
  }

  /** @throws TapflowError NO_REMOTE */
  async remove(text: string): Promise<void> {
    if (!this.#told.delete(text)) throw new TapflowError('NO_REMOTE', 'no such remote');
    await this.update();
  }

  /** Whether a change of the database may be one of remotes. */
  concerns(database: HostedDatabase, changes: TransactionChanges): boolean {
    return this.#columns().some(
      (place) =>
        place.database === database &&
        (changes.has(place.table) || changes.has(referredTable(place) ?? '')),
    );
  }

  /** Opens and closes, until what is wanted is open. What fails is tried again at the next time. */
  async update(): Promise<void> {
    const wanted = this.#wanted();
    for (const [name, remote] of this.#open) {
      if (wanted.has(name)) continue;
      this.#context.log('info', `${name}: remote deconfigured`);
      this.#open.delete(name);
      remote.close();
    }
    const opening = [...wanted].map(([name, options]) => {
      const remote = this.#open.get(name) ?? new OpenRemote(name, this.#context);
      this.#open.set(name, remote);
      return remote.configure(options);
    });
    await Promise.all(opening);
  }

  /** The rows that configure remotes, for their status. */
  configuredRows(): ConfiguredRow[] {
    return this.#columns().flatMap((place) =>
      rowsReferred(place).map((row) => ({
        database: place.database,
        row,
        target: stringOf(row, 'target') ?? '',
      })),
    );
  }

  openRemote(target: string): OpenRemote | undefined {
    return this.#open.get(target);
  }

  /** For peers from now on. */
  replaceTls(): void {
    for (const remote of this.#open.values()) remote.replaceTls();
  }

  /** For good: an update that was planned finds nothing to open. */
  close(): void {
    this.#told.clear();
    for (const remote of this.#open.values()) remote.close();
    this.#open.clear();
  }

  #wanted(): Map<string, RemoteOptions> {
    const wanted = new Map<string, RemoteOptions>();
    for (const text of this.#told) if (!isDbColumn(text)) wanted.set(text, {});
    for (const place of this.#columns()) {
      for (const target of stringsIn(place)) wanted.set(target, {});
      for (const row of rowsReferred(place)) {
        const target = stringOf(row, 'target');
        if (target) wanted.set(target, optionsOf(row));
      }
    }
    return wanted;
  }

  /** Those that are there: a database may have been taken away. */
  #columns(): DbColumn[] {
    const complaints: string[] = [];
    const columns = [...this.#told].filter(isDbColumn).flatMap((text) => {
      try {
        return [findDbColumn(text, this.#context.server.databases)];
      } catch (error) {
        complaints.push((error as Error).message);
        return [];
      }
    });
    const complaint = complaints.join('\n');
    if (complaint !== '' && complaint !== this.#complaint) this.#context.log('warn', complaint);
    this.#complaint = complaint;
    return columns;
  }
}

function optionsOf(row: Row): RemoteOptions {
  return {
    maxBackoff: numberOf(row, 'max_backoff'),
    probeInterval: numberOf(row, 'inactivity_probe'),
    isReadOnly: atomOf(row, 'read_only', 'boolean') === true,
  };
}

function stringOf(row: Row, column: string): string | undefined {
  const atom = atomOf(row, column, 'string');
  return atom === undefined ? undefined : String(atom);
}

function numberOf(row: Row, column: string): number | undefined {
  const atom = atomOf(row, column, 'integer');
  return atom === undefined ? undefined : Number(atom);
}

/** @returns undefined if the column is not there, of another type, or empty */
function atomOf(row: Row, name: string, type: string) {
  const column = row.schema.columns.get(name);
  if (column?.type.key.type !== type || column.type.value !== undefined) return undefined;
  return row.at(column.index).keys[0];
}
