/**
 * A database of our own in memory in a replica's place: what is transacted is
 * there at once, and told to whoever listens.
 */
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { parseSchema } from '../../../src/ovsdb/data/schema.ts';
import type { TransactionChanges } from '../../../src/ovsdb/database/changes.ts';
import { Database } from '../../../src/ovsdb/database/database.ts';
import type { Row } from '../../../src/ovsdb/database/row.ts';
import { openVswitchSchema } from '../../../src/schema/schema.ts';

export class MemoryReplica {
  hasLock = true;
  isLockContended = false;
  /** Operations of each transaction of the one under test. */
  readonly written: Json[][] = [];
  changed: (changes: TransactionChanges) => void = () => undefined;
  readonly #database = new Database(parseSchema(openVswitchSchema));

  get schema() {
    return this.#database.schema;
  }

  rows(table: string): ReadonlyMap<string, Row> {
    return this.#database.rows(table);
  }

  async transact(operations: readonly Json[]): Promise<readonly Json[]> {
    this.written.push([...operations]);
    return this.change(...operations);
  }

  /** By somebody else. @throws Error with what is wrong with it */
  change(...operations: readonly Json[]): readonly Json[] {
    const { results, changes } = this.#database.transact(operations);
    const failed = results.find((result) => (result as JsonObject | null)?.error !== undefined);
    if (failed !== undefined) throw new Error(JSON.stringify(failed));
    if (changes !== undefined) this.changed(changes);
    return results;
  }

  /** The one of this name. */
  row(table: string, name: string): Row {
    const found = [...this.rows(table).values()].find((row) => row.get('name').keys[0] === name);
    if (found === undefined) throw new Error(`no ${name} in ${table}`);
    return found;
  }

  get root(): Row {
    const [root] = this.rows('Open_vSwitch').values();
    if (root === undefined) throw new Error('the database is empty');
    return root;
  }
}

export interface PortColumns {
  port?: JsonObject;
  /** By name; by default one of the port's name. */
  interfaces?: Record<string, JsonObject>;
}

/** What makes a database of bridges and their ports. */
export function bridgeOperations(
  bridges: Record<string, { bridge?: JsonObject; ports?: Record<string, PortColumns> }>,
  root: JsonObject = {},
): Json[] {
  const operations: Json[] = [];
  const insert = (table: string, row: JsonObject): Json => {
    const name = `row${operations.length}`;
    operations.push({ op: 'insert', table, 'uuid-name': name, row });
    return ['named-uuid', name];
  };
  const bridgeIds = Object.entries(bridges).map(([name, { bridge = {}, ports = {} }]) => {
    const portIds = Object.entries(ports).map(([portName, columns]) => {
      const interfaces = Object.entries(columns.interfaces ?? { [portName]: {} });
      const ids = interfaces.map(([iface, row]) => insert('Interface', { name: iface, ...row }));
      return insert('Port', { name: portName, interfaces: ['set', ids], ...columns.port });
    });
    return insert('Bridge', { name, ports: ['set', portIds], ...bridge });
  });
  insert('Open_vSwitch', { bridges: ['set', bridgeIds], ...root });
  return operations;
}

export const mapJson = (entries: Record<string, string>): Json => ['map', Object.entries(entries)];
