/**
 * Transactions that are carried out in memory but not acknowledged by the log:
 * in a line, since each saw what those before it did.
 *
 *     log      ... [ t5 ][ t6 ]  <- being written, or synced
 *     line         [ t5 ][ t6 ][ t7: reads ][ t8 ]
 *     clients  know of all up to t4: answers and updates wait for the head
 *
 * When the log refuses one, all behind it have seen what is not to be: the
 * whole line is undone, last first, and answered with the error. Nobody has
 * been told of any of it.
 */
import type { TransactionChanges } from '../database/changes.ts';
import type { Database } from '../database/database.ts';
import type { Row } from '../database/row.ts';

export interface Commit {
  readonly changes: TransactionChanges | undefined;
  /** Undefined for what the log need not know. */
  readonly written: Promise<void> | undefined;
  /** Called when it is acknowledged, in order; or undone. */
  done(failure?: unknown): void;
}

interface Entry extends Commit {
  isWritten: boolean;
}

export class CommitLine {
  readonly #database: Database;
  readonly #undone: (failure: unknown) => void;
  #entries: Entry[] = [];

  /** @param undone called when all that waited has been undone, and told so */
  constructor(database: Database, undone: (failure: unknown) => void) {
    this.#database = database;
    this.#undone = undone;
  }

  add(commit: Commit): void {
    const entry = { ...commit, isWritten: commit.written === undefined };
    this.#entries.push(entry);
    commit.written?.then(
      () => this.#written(entry),
      (error) => this.#failed(entry, error),
    );
    this.#advance();
  }

  /** The rows of a table after the last acknowledged transaction. */
  acknowledgedRows(table: string): Iterable<Row> {
    const rows = this.#database.rows(table);
    const before = this.#before(table);
    return before.size === 0 ? rows.values() : withOverlay(rows, before);
  }

  #written(entry: Entry): void {
    entry.isWritten = true;
    this.#advance();
  }

  #advance(): void {
    while (this.#entries[0]?.isWritten) this.#entries.shift()?.done();
  }

  /**
   * For the first one that fails: all behind it fail with it. The log tells each of its own; what
   * has joined the line since then is none of theirs.
   */
  #failed(entry: Entry, error: unknown): void {
    const entries = this.#entries;
    if (!entries.includes(entry)) return;
    this.#entries = [];
    for (const { changes } of entries.toReversed()) {
      if (changes !== undefined) this.#database.revert(changes);
    }
    for (const { done } of entries) done(error);
    this.#undone(error);
  }

  /** What the rows that changed in the line were before it. */
  #before(table: string): Map<string, Row | undefined> {
    const before = new Map<string, Row | undefined>();
    for (const { changes } of this.#entries) {
      for (const [uuid, { old }] of changes?.get(table) ?? []) {
        if (!before.has(uuid)) before.set(uuid, old);
      }
    }
    return before;
  }
}

function* withOverlay(
  rows: ReadonlyMap<string, Row>,
  overlay: ReadonlyMap<string, Row | undefined>,
): Generator<Row> {
  for (const [uuid, row] of rows) if (!overlay.has(uuid)) yield row;
  for (const row of overlay.values()) if (row !== undefined) yield row;
}
