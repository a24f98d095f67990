/**
 * The monitors of one client, by the ids that it gave them, and the
 * notifications that carry their updates.
 */
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-format.ts';
import { ZERO_UUID } from '../data/atom.ts';
import { syntaxError } from '../data/ovsdb-error.ts';
import type { Request } from '../rpc/message.ts';
import type { HostedDatabase } from './hosted-database.ts';
import {
  parseConditionChange,
  parseLastTransaction,
  parseMonitorRequest,
  type UpdateFormat,
} from './monitor-request.ts';
import type { Monitor } from './monitors.ts';
import { checkCount, checkLimit } from './requests.ts';

interface Entry {
  readonly id: Json;
  readonly database: HostedDatabase;
  readonly monitor: Monitor;
}

export class MonitorTable {
  readonly #send: (text: string) => void;
  /** By the id as text. */
  readonly #entries = new Map<string, Entry>();

  /** @param send takes the text of a notification */
  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** @returns the reply. @throws OvsdbError */
  add(request: Request, database: HostedDatabase, format: UpdateFormat): Json {
    checkCount(request, format === 'update3' ? 4 : 3);
    const [, id, json, last] = request.params;
    if (!isObject(json)) throw syntaxError(json, 'monitor-requests must be object');
    this.#checkNew(id);
    if (format === 'update3') parseLastTransaction(last);
    checkLimit(this.#entries.size, 'monitors');
    const parsed = parseMonitorRequest(json, database.database.schema, format);
    const monitor = database.monitors.add(parsed, format);
    this.#entries.set(keyOf(id), { id, database, monitor });
    const initial = monitor.initial();
    return format === 'update3' ? [false, ZERO_UUID, initial] : initial;
  }

  /** "monitor_cond_change". @throws OvsdbError */
  change(request: Request): JsonObject {
    checkCount(request, 3);
    const [id, newId, json] = request.params;
    const entry = this.#entries.get(keyOf(id));
    if (entry === undefined) throw syntaxError(id, 'unknown monitor session');
    if (keyOf(newId) !== keyOf(id)) this.#checkNew(newId);
    const { database, monitor } = entry;
    const conditions = parseConditionChange(json, database.database.schema, monitor.tables);
    this.#flushOne(entry);
    this.#entries.delete(keyOf(id));
    this.#entries.set(keyOf(newId), { id: newId, database, monitor });
    if (monitor.format === 'update') return {};
    const updates = monitor.changeConditions(conditions);
    if (updates !== undefined) this.#send(updateText(newId, monitor, formatJson(updates)));
    return {};
  }

  /** @returns false if there is none with this id */
  cancel(id: Json): boolean {
    this.#entries.get(keyOf(id))?.monitor.close();
    return this.#entries.delete(keyOf(id));
  }

  /** @returns the ids of monitors that ended because they were of this database */
  forget(database: HostedDatabase): Json[] {
    const ids = [...this.#entries.values()].flatMap((each) =>
      each.database === database ? [each.id] : [],
    );
    for (const id of ids) this.cancel(id);
    return ids;
  }

  clear(): void {
    for (const { monitor } of this.#entries.values()) monitor.close();
    this.#entries.clear();
  }

  /** Sends what there is to tell. @returns whether there was anything */
  flush(): boolean {
    let hasSent = false;
    for (const entry of this.#entries.values()) if (this.#flushOne(entry)) hasSent = true;
    return hasSent;
  }

  #flushOne({ id, monitor }: Entry): boolean {
    const text = monitor.takeUpdate();
    if (text === undefined) return false;
    this.#send(updateText(id, monitor, text));
    return true;
  }

  #checkNew(id: Json): void {
    if (this.#entries.has(keyOf(id))) throw syntaxError(id, 'duplicate monitor ID');
  }
}

/** @param updates put into text once for all monitors that tell the same */
function updateText(id: Json, { format }: Monitor, updates: string): string {
  const last = format === 'update3' ? `"${ZERO_UUID}",` : '';
  return `{"id":null,"method":"${format}","params":[${formatJson(id)},${last}${updates}]}`;
}

const keyOf = (id: Json): string => formatJson(id, { sorted: true });
