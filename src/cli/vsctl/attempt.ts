/**
 * One try to carry out all commands, on the database as it is now: what they
 * share. A try that cannot be sent, or that the server refuses because the
 * database has changed, leaves nothing behind: the next one begins anew.
 */
import { type Datum, defaultDatum } from '../../ovsdb/data/datum.ts';
import type { OvsdbError } from '../../ovsdb/data/ovsdb-error.ts';
import type { ColumnSchema, DatabaseSchema } from '../../ovsdb/data/schema.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { Edit, type ReplicaRows } from '../../ovsdb/replica/edit.ts';
import { VsctlError } from './failure.ts';
import type { Logs } from './logs.ts';
import { PairsToSet } from './pairs-to-set.ts';
import { ROOT_TABLE } from './record-names.ts';
import { SwitchModel } from './switch-model.ts';
import { RowSymbols } from './symbols.ts';

export class Attempt {
  readonly schema: DatabaseSchema;
  readonly edit: Edit;
  readonly logs: Logs;
  readonly symbols = new RowSymbols();
  /** Interfaces that vswitchd has to set up. */
  readonly newInterfaces: string[] = [];
  /** Why the server would refuse the transaction, where it is known beforehand. */
  refusal: OvsdbError | undefined;
  readonly #replica: ReplicaRows;
  readonly #root: string;
  readonly #pairs = new PairsToSet();
  #model: SwitchModel | undefined;

  /** @param schema the one that names are looked up in */
  constructor(schema: DatabaseSchema, replica: ReplicaRows, logs: Logs) {
    this.schema = schema;
    this.logs = logs;
    this.#replica = replica;
    this.edit = new Edit(replica);
    const [first] = replica.rows(ROOT_TABLE).keys();
    this.#root = first ?? this.edit.insert(ROOT_TABLE);
  }

  /** The UUID of the row in Open_vSwitch. @throws VsctlError when a command has destroyed it */
  get root(): string {
    if (this.hasRoot) return this.#root;
    throw new VsctlError(`the record in ${ROOT_TABLE} was destroyed by an earlier command`);
  }

  get hasRoot(): boolean {
    return this.edit.get(ROOT_TABLE, this.#root) !== undefined;
  }

  /** As the edit has it up to now. */
  get model(): SwitchModel {
    this.#model ??= new SwitchModel(this.edit, this.root, this.logs.vsctl);
    return this.#model;
  }

  /** After a change by a command that knows nothing of it. */
  forgetModel(): void {
    this.#model = undefined;
  }

  /** @throws TypeError when there is no such row */
  row(table: string, uuid: string): Row {
    const row = this.edit.get(table, uuid);
    if (row === undefined) throw new TypeError(`there is no row ${uuid} in ${table}`);
    return row;
  }

  /** Whether the database has the row already. */
  isStored(table: string, uuid: string): boolean {
    return this.#replica.rows(table).has(uuid);
  }

  /** A column that the server's older schema lacks has its default. */
  read(row: Row, column: string): Datum {
    if (row.schema.columns.has(column)) return row.get(column);
    const type = this.schema.tables.get(row.schema.name)?.columns.get(column)?.type;
    if (type === undefined) throw new TypeError(`${row.schema.name} has no column ${column}`);
    return defaultDatum(type);
  }

  /** Sets a key of a map, behind all that the last command does. */
  setPairLast(table: string, uuid: string, column: ColumnSchema, pair: Datum): void {
    this.#pairs.add(this, table, uuid, column, pair);
  }

  /** When all commands have run. */
  finish(): void {
    this.#pairs.apply(this);
  }

  refuse(error: OvsdbError): void {
    this.refusal ??= error;
  }

  /** For vswitchd to set up. */
  insertInterface(values: Readonly<Record<string, Datum>>): string {
    const uuid = this.edit.insert('Interface', values);
    this.newInterfaces.push(uuid);
    return uuid;
  }
}
