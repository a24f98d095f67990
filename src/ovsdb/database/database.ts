/**
 * An OVSDB database in memory: a schema, the tables, and transactions that
 * change them whole or not at all. It knows nothing of connections and files:
 * the server hands it requests, writes its changes to the file, and tells them
 * to monitors.
 *
 * Everything is synchronous, so transactions never overlap.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { isId } from '../data/json-kinds.ts';
import { MemberParser } from '../data/member-parser.ts';
import { OvsdbError } from '../data/ovsdb-error.ts';
import type { DatabaseSchema } from '../data/schema.ts';
import { Symbols } from '../data/symbols.ts';
import type { RowChange, TransactionChanges } from './changes.ts';
import { commitUnchecked, prepareCommit } from './commit.ts';
import type { Execution } from './execution.ts';
import { stageRecord } from './file-record.ts';
import { OPERATIONS, WRITING } from './operations.ts';
import type { Row } from './row.ts';
import { createTables, type Tables } from './table.ts';
import { Transaction } from './transaction.ts';
import { Blocked } from './wait.ts';

export interface TransactOptions {
  /** Milliseconds since this transaction was first tried: for its "wait"s. */
  readonly elapsed?: number;
  /** Whether the client holds a lock, for "assert". Without it, it holds none. */
  readonly ownsLock?: (name: string) => boolean;
  /** What the client may change: a database named _... is reserved to the server itself. */
  readonly access?: 'all' | 'reads' | 'reserved';
  /**
   * Called when all checks have passed, before anything is final: to write the
   * changes to a file. An OvsdbError that it throws fails the transaction.
   */
  readonly beforeCommit?: (changes: TransactionChanges, comment: string) => void;
}

export interface TransactReply {
  /** RFC 7047 4.1.3. One element more than operations if the commit failed. */
  readonly results: Json[];
  /** Undefined if nothing changed, or the transaction failed. */
  readonly changes: TransactionChanges | undefined;
  /** Whether the answer has to wait until the changes are on disk. */
  readonly durable: boolean;
  /** Empty if there was none. */
  readonly comment: string;
  /**
   * Defined if a "wait" waits: then nothing else counts, and the transaction is
   * to be tried again after the next change, and last at this time, in
   * milliseconds after the first try.
   */
  readonly blockedUntil: number | undefined;
}

export class Database {
  readonly schema: DatabaseSchema;
  readonly #tables: Tables;

  constructor(schema: DatabaseSchema) {
    this.schema = schema;
    this.#tables = createTables(schema);
  }

  /**
   * The rows of a table, by UUID, as they are now and change later.
   * @throws TypeError for a table that the schema does not have
   */
  rows(table: string): ReadonlyMap<string, Row> {
    const rows = this.#tables.get(table)?.rows;
    if (rows === undefined) throw new TypeError(`no table named ${table}`);
    return rows;
  }

  /** All rows as if just inserted: what a new monitor and a compacted file begin with. */
  contents(): TransactionChanges {
    const changes = new Map<string, ReadonlyMap<string, RowChange>>();
    for (const [name, { rows }] of this.#tables) {
      const inserts = new Map<string, RowChange>();
      for (const [uuid, row] of rows) inserts.set(uuid, { old: undefined, new: row });
      if (inserts.size > 0) changes.set(name, inserts);
    }
    return changes;
  }

  /** @param operations RFC 7047 5.2, as the client sent them. Errors go into the results. */
  transact(operations: readonly Json[], options: TransactOptions = {}): TransactReply {
    const execution: Execution = {
      tables: this.#tables,
      transaction: new Transaction(),
      symbols: new Symbols(),
      ownsLock: options.ownsLock ?? (() => false),
      elapsed: options.elapsed ?? 0,
      comments: [],
      isDurable: false,
    };
    const results: Json[] = [];
    try {
      operations.forEach((operation, i) => {
        const name = `ovsdb operation ${i + 1} of ${operations.length}`;
        results.push(execute(operation, name, execution, options.access ?? 'all', this.schema));
      });
      const changes = this.#commit(execution, options.beforeCommit);
      return replyOf(execution, results, { changes });
    } catch (error) {
      execution.transaction.undo();
      if (error instanceof Blocked) return replyOf(execution, [], { blockedUntil: error.until });
      if (!(error instanceof OvsdbError)) throw error;
      results.push(error.toJson());
      while (results.length < operations.length) results.push(null);
      return replyOf(execution, results, {});
    }
  }

  /**
   * Applies a record of the database file, without the checks that it passed
   * when it was first committed. On an error, nothing of it.
   * @throws OvsdbError if it does not fit the schema or what is there
   */
  replay(record: Json): void {
    const transaction = new Transaction();
    try {
      stageRecord(record, this.#tables, transaction);
    } catch (error) {
      transaction.undo();
      throw error;
    }
    commitUnchecked(transaction, this.#tables);
  }

  /**
   * Takes back what the last transaction changed, when it could not be kept. Of
   * several transactions, the last comes first.
   */
  revert(changes: TransactionChanges): void {
    const transaction = new Transaction();
    for (const [name, rows] of changes) {
      const table = this.#tables.get(name);
      if (table === undefined) continue;
      for (const [uuid, { old }] of rows) {
        if (old === undefined) transaction.remove(table, uuid);
        else transaction.put(table, old);
      }
    }
    commitUnchecked(transaction, this.#tables);
  }

  #commit(
    { transaction, comments }: Execution,
    beforeCommit: TransactOptions['beforeCommit'],
  ): TransactionChanges | undefined {
    const { changes, finish } = prepareCommit(transaction, this.#tables);
    if (changes.size === 0) return undefined;
    beforeCommit?.(changes, comments.join('\n'));
    finish();
    return changes;
  }
}

function replyOf(
  { isDurable, comments }: Execution,
  results: Json[],
  rest: Partial<TransactReply>,
): TransactReply {
  const comment = comments.join('\n');
  const none = { changes: undefined, blockedUntil: undefined };
  return { results, durable: isDurable, comment, ...none, ...rest };
}

/** A fault in the operation's form outdoes any error in carrying it out. */
function execute(
  json: Json,
  name: string,
  execution: Execution,
  access: NonNullable<TransactOptions['access']>,
  schema: DatabaseSchema,
): JsonObject {
  const parser = new MemberParser(json, name);
  const op = parser.member('op', isId);
  const operation = OPERATIONS.get(op);
  if (operation === undefined) throw parser.raise(`No operation "${op}"`);
  if (WRITING.has(op)) checkAccess(op, access, schema);
  try {
    return operation(execution, parser);
  } finally {
    parser.finish();
  }
}

function checkAccess(
  op: string,
  access: NonNullable<TransactOptions['access']>,
  schema: DatabaseSchema,
): void {
  if (access === 'all') return;
  const reason =
    access === 'reads'
      ? 'when database server is in read only mode'
      : `on table in reserved database ${schema.name}`;
  throw new OvsdbError('not allowed', `${op} operation not allowed ${reason}`);
}
