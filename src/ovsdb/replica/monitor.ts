/**
 * How a replica asks for its rows: by monitor_cond_since (ovsdb-server(7)
 * 4.1.15), which can go on where an earlier connection was lost; a server that
 * does not know it is asked by monitor_cond (4.1.12), or by monitor (RFC 7047
 * 4.1.5). Each has updates of its own kind, which are read here too.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { parseUuid } from '../data/atom.ts';
import { isArray, isBoolean, isString } from '../data/json-kinds.ts';
import { syntaxError } from '../data/ovsdb-error.ts';
import type { DatabaseSchema } from '../data/schema.ts';
import { type RpcClient, RpcError } from '../rpc/client.ts';
import { applyUpdate, applyUpdate2, type RowUpdate } from './row-update.ts';

/** Columns by table. */
export type MonitoredTables = ReadonlyMap<string, readonly string[]>;

/** What a monitor's first reply, or an update, has to say. */
export interface TableUpdates {
  /** <table-updates> */
  readonly json: Json;
  readonly update: RowUpdate;
  /** Whether rows that are not named are gone. */
  readonly isWhole: boolean;
  /** The transaction that this is as of, if the server keeps count. */
  readonly lastId: string | undefined;
}

/**
 * @param lastId of the last transaction that is known
 * @returns the reply of the first method that the server knows
 * @throws RpcError, TapflowError DISCONNECTED
 */
export async function startMonitor(
  client: RpcClient,
  database: string,
  requests: JsonObject,
  lastId: string,
): Promise<TableUpdates> {
  const params = [database, MONITOR_ID, requests];
  const since = await unlessUnknown(client.request('monitor_cond_since', [...params, lastId]));
  if (since !== undefined) return readSince(since);
  const rest = { isWhole: true, lastId: undefined };
  const cond = await unlessUnknown(client.request('monitor_cond', params));
  if (cond !== undefined) return { json: cond, update: applyUpdate2, ...rest };
  return { json: await client.request('monitor', params), update: applyUpdate, ...rest };
}

/** @returns undefined for a notification that is no update. @throws OvsdbError */
export function readNotification(
  method: string,
  params: readonly Json[],
): TableUpdates | undefined {
  const rest = { isWhole: false, lastId: undefined };
  if (method === 'update') return { json: params[1], update: applyUpdate, ...rest };
  if (method === 'update2') return { json: params[1], update: applyUpdate2, ...rest };
  if (method !== 'update3') return undefined;
  return { json: params[2], update: applyUpdate2, isWhole: false, lastId: idOf(params[1]) };
}

/** What to monitor: of what is wanted, what the server has; undefined: all. */
export function monitorRequests(
  schema: DatabaseSchema,
  wanted: MonitoredTables | undefined,
): JsonObject {
  const requests: Record<string, Json> = {};
  for (const [name, { columns }] of schema.tables) {
    const stored = [...columns.values()].filter(({ index }) => index >= 0);
    const all = stored.map((column) => column.name);
    const some =
      wanted === undefined ? all : wanted.get(name)?.filter((each) => all.includes(each));
    if (some !== undefined) requests[name] = [{ columns: some }];
  }
  return requests;
}

/** There is one monitor a connection. */
const MONITOR_ID = 'replica';

/** [found, last-txn-id, <table-updates2>]; when it is found, these are updates since then. */
function readSince(reply: Json): TableUpdates {
  const [isFound, lastId, json] = isArray(reply) ? reply : [];
  if (!isBoolean(isFound)) throw syntaxError(reply, 'not the reply to monitor_cond_since');
  return { json, update: applyUpdate2, isWhole: !isFound, lastId: idOf(lastId) };
}

const idOf = (json: Json): string | undefined => (isString(json) ? parseUuid(json) : undefined);

async function unlessUnknown(reply: Promise<Json>): Promise<Json | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof RpcError && error.isUnknownMethod) return undefined;
    throw error;
  }
}
