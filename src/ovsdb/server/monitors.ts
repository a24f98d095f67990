/**
 * The monitors of one database. Those that tell the same form a group, and an
 * update to them is put into text once.
 *
 *     group   [ set: no changes    ] <- monitors that were told everything
 *             [ set: changes 8, 9  ] <- monitors that were told up to 7
 *             [ set: changes 3 - 9 ] <- a client that does not read
 *
 * A commit is merged into each set: of a row's changes only the first old and
 * the last new row stay. So what waits for a client that does not read is at
 * most one entry for each row of the database, however long it does not.
 */
import type { JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-format.ts';
import type { RowChange, TransactionChanges } from '../database/changes.ts';
import type { Row } from '../database/row.ts';
import {
  formatChanges,
  formatConditionChange,
  formatInitial,
  isModified,
} from './monitor-format.ts';
import {
  type Conditions,
  isAlwaysTrue,
  type MonitoredTable,
  type MonitorRequest,
  monitorKey,
  type UpdateFormat,
} from './monitor-request.ts';

/** The rows of a table, as clients may know of them. */
export type RowSource = (table: string) => Iterable<Row>;

export class Monitors {
  readonly #rowsOf: RowSource;
  readonly #groups = new Map<string, Group>();

  constructor(rowsOf: RowSource) {
    this.#rowsOf = rowsOf;
  }

  add(request: MonitorRequest, format: UpdateFormat): Monitor {
    return new Monitor(this, this.#rowsOf, request, format);
  }

  get count(): number {
    return [...this.#groups.values()].reduce((sum, group) => sum + group.count, 0);
  }

  /** @returns whether a monitor has something to tell */
  publish(changes: TransactionChanges): boolean {
    let hasNews = false;
    for (const group of this.#groups.values()) if (group.merge(changes)) hasNews = true;
    return hasNews;
  }

  /** For monitors. */
  join(request: MonitorRequest, format: UpdateFormat): Group {
    const key = monitorKey(request.tables, request.conditions, format);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group(request, format, () => this.#groups.delete(key));
      this.#groups.set(key, group);
    }
    return group;
  }
}

/** What one client asked for, and where it stands. */
export class Monitor {
  readonly format: UpdateFormat;
  readonly #monitors: Monitors;
  readonly #rowsOf: RowSource;
  #request: MonitorRequest;
  #group: Group;
  #set: ChangeSet;

  constructor(
    monitors: Monitors,
    rowsOf: RowSource,
    request: MonitorRequest,
    format: UpdateFormat,
  ) {
    this.format = format;
    this.#monitors = monitors;
    this.#rowsOf = rowsOf;
    this.#request = request;
    this.#group = monitors.join(request, format);
    this.#set = this.#group.enter();
  }

  get tables(): MonitorRequest['tables'] {
    return this.#request.tables;
  }

  /** All that there is, for the reply. */
  initial(): JsonObject {
    const { tables, conditions } = this.#request;
    return formatInitial(this.#rowsOf, tables, conditions, this.format);
  }

  /** What has changed since it was asked last, as JSON text. */
  takeUpdate(): string | undefined {
    if (this.#set.changes.size === 0) return undefined;
    const told = this.#set;
    // Before it leaves: a group that has no monitor ends.
    this.#set = this.#group.enter();
    this.#group.leave(told);
    return this.#group.textOf(told);
  }

  /** @returns what the client has to be told of. Take the update before. */
  changeConditions(changed: Conditions): JsonObject | undefined {
    const { tables, conditions: before } = this.#request;
    const conditions = new Map([...before, ...changed]);
    this.close();
    this.#request = { tables, conditions };
    this.#group = this.#monitors.join(this.#request, this.format);
    this.#set = this.#group.enter();
    return formatConditionChange(this.#rowsOf, tables, before, conditions, this.format);
  }

  close(): void {
    this.#group.leave(this.#set);
  }
}

interface ChangeSet {
  readonly changes: Map<string, Map<string, RowChange>>;
  monitors: number;
  /** Null if none of it concerns the monitors. */
  text: string | null | undefined;
}

class Group {
  readonly #request: MonitorRequest;
  readonly #format: UpdateFormat;
  readonly #ended: () => void;
  readonly #sets = new Set<ChangeSet>();
  /** That without changes. */
  #latest: ChangeSet | undefined;

  constructor(request: MonitorRequest, format: UpdateFormat, ended: () => void) {
    this.#request = request;
    this.#format = format;
    this.#ended = ended;
  }

  get count(): number {
    return [...this.#sets].reduce((sum, { monitors }) => sum + monitors, 0);
  }

  enter(): ChangeSet {
    this.#latest ??= { changes: new Map(), monitors: 0, text: undefined };
    this.#latest.monitors++;
    this.#sets.add(this.#latest);
    return this.#latest;
  }

  leave(set: ChangeSet): void {
    if (--set.monitors > 0) return;
    this.#sets.delete(set);
    if (set === this.#latest) this.#latest = undefined;
    if (this.#sets.size === 0) this.#ended();
  }

  merge(changes: TransactionChanges): boolean {
    const relevant = this.#relevant(changes);
    if (relevant.length === 0) return false;
    for (const set of this.#sets) mergeInto(set, relevant);
    this.#latest = undefined;
    return true;
  }

  textOf(set: ChangeSet): string | undefined {
    if (set.text === undefined) {
      const { tables, conditions } = this.#request;
      const updates = formatChanges(set.changes, tables, conditions, this.#format);
      set.text = updates === undefined ? null : formatJson(updates);
    }
    return set.text ?? undefined;
  }

  #relevant(changes: TransactionChanges): TableChange[] {
    const relevant: TableChange[] = [];
    for (const [name, table] of this.#request.tables) {
      for (const [uuid, change] of changes.get(name) ?? []) {
        if (this.#concerns(name, table, change)) relevant.push({ name, uuid, change });
      }
    }
    return relevant;
  }

  #concerns(name: string, table: MonitoredTable, change: RowChange): boolean {
    const condition = this.#request.conditions.get(name);
    // The columns that a condition is about need not be among those told.
    if (condition !== undefined && !isAlwaysTrue(condition)) return true;
    return isModified(change, table);
  }
}

interface TableChange {
  readonly name: string;
  readonly uuid: string;
  readonly change: RowChange;
}

function mergeInto(set: ChangeSet, changes: readonly TableChange[]): void {
  set.text = undefined;
  for (const { name, uuid, change } of changes) {
    let rows = set.changes.get(name);
    if (rows === undefined) {
      rows = new Map();
      set.changes.set(name, rows);
    }
    const before = rows.get(uuid);
    const merged = before === undefined ? change : { old: before.old, new: change.new };
    if (merged.old === undefined && merged.new === undefined) rows.delete(uuid);
    else rows.set(uuid, merged);
  }
}
