/**
 * `ovsdb-client monitor`, `monitor-cond` and `monitor-cond-since`: prints
 * what there is, then each change, until the connection ends. With --detach
 * it goes to the background when the first part is printed; then `ovs-appctl`
 * reaches it.
 */
import { TapflowError } from '../../lib/error.ts';
import { isArray, type Json } from '../../lib/json.ts';
import { parseUuid, ZERO_UUID } from '../../ovsdb/data/atom.ts';
import type { DatabaseSchema } from '../../ovsdb/data/schema.ts';
import type { Command as UnixctlCommand } from '../../unixctl/command-table.ts';
import { type Context, type Handler, parseArgument } from './command.ts';
import { type MonitoredTable, monitorTable } from './monitor-request.ts';
import { updateTables } from './monitor-table.ts';
import { stayConnected } from './stay-connected.ts';

type Method = 'monitor' | 'monitor_cond' | 'monitor_cond_since';

export const monitor: Handler = async (context) => {
  const { server, database, args } = context;
  const schema = await server.schema(database);
  const [name, ...groups] = args;
  const names = name === 'ALL' ? [...schema.tables.keys()].sort() : [name];
  const tables = names.map((each) => {
    const table = schema.tables.get(each);
    if (table === undefined) throw noTable(`${server.remote}: `, schema, each);
    return monitorTable(schema, table, groups, server.remote);
  });
  return await new Monitor(context, 'monitor', tables).run();
};

export const monitorCond: Handler = (context) => monitorOne(context, 'monitor_cond', context.args);

export const monitorCondSince: Handler = (context) => {
  const [first, ...rest] = context.args;
  const lastId = context.args.length > 2 ? parseUuid(first) : undefined;
  const args = lastId === undefined ? context.args : rest;
  return monitorOne(context, 'monitor_cond_since', args, lastId);
};

async function monitorOne(
  context: Context,
  method: Method,
  [condition, name, ...groups]: readonly string[],
  lastId?: string,
): Promise<number> {
  const { server, database } = context;
  const schema = await server.schema(database);
  const table = schema.tables.get(name);
  if (table === undefined) throw noTable('', schema, name);
  const tables = [monitorTable(schema, table, groups, server.remote, condition)];
  return await new Monitor(context, method, tables, lastId).run();
}

function noTable(prefix: string, { name }: DatabaseSchema, table: string): TapflowError {
  return new TapflowError('NO_TABLE', `${prefix}${name} does not have a table named "${table}"`);
}

class Monitor {
  readonly #context: Context;
  readonly #method: Method;
  readonly #tables: readonly MonitoredTable[];
  readonly #lastId: string;
  /** What came while printing was put off by `ovsdb-client/block`; undefined: it is not. */
  #held: (() => void)[] | undefined;

  constructor(
    context: Context,
    method: Method,
    tables: readonly MonitoredTable[],
    lastId: string = ZERO_UUID,
  ) {
    this.#context = context;
    this.#method = method;
    this.#tables = tables;
    this.#lastId = lastId;
  }

  run(): Promise<number> {
    return stayConnected(this.#context, this.#commands(), async (failed) => {
      const { server, database } = this.#context;
      server.onNotification = (method, params) => {
        try {
          this.#notified(method, params);
        } catch (error) {
          failed(error as Error);
        }
      };
      const requests = this.#tables.map(({ schema, requests }) => [schema.name, requests]);
      const params: Json[] = [database, null, Object.fromEntries(requests)];
      if (this.#method === 'monitor_cond_since') params.push(this.#lastId);
      const isAware = this.#context.options.isChangeAware;
      // An older server does not know of it, which is no harm.
      await server.request('set_db_change_aware', [isAware]).catch(() => {});
      this.#started(await server.request(this.#method, params));
    });
  }

  #started(reply: Json): void {
    if (this.#method === 'monitor_cond_since') {
      const [isFound, lastId, updates = null] = isArray(reply) ? reply : [];
      this.#context.print(`found: ${isFound === true}, last_id: ${lastId}\n`);
      this.#print(updates, true);
    } else {
      this.#print(reply, true);
    }
  }

  #notified(method: string, params: readonly Json[]): void {
    if (method === 'monitor_canceled') {
      const { server, database } = this.#context;
      throw new TapflowError('REMOVED', `${server.remote}: ${database} database was removed`);
    }
    if (!UPDATES.includes(method)) return;
    const print = () => {
      if (method === 'update3') this.#context.print(`\nlast_id: ${params[1]}`);
      this.#print(params[method === 'update3' ? 2 : 1], false);
    };
    if (this.#held === undefined) print();
    else this.#held.push(print);
  }

  #print(updates: Json, isInitial: boolean): void {
    for (const table of updateTables(this.#tables, updates, isInitial)) {
      if (this.#context.options.timestamp) table.timestamp = new Date();
      this.#context.printTable(table);
    }
  }

  #commands(): UnixctlCommand[] {
    const none = { usage: '', minArgs: 0, maxArgs: 0 };
    return [
      { name: 'ovsdb-client/block', ...none, run: () => this.#block() },
      { name: 'ovsdb-client/unblock', ...none, run: () => this.#unblock() },
      {
        name: 'ovsdb-client/cond_change',
        usage: 'TABLE COND',
        minArgs: 2,
        maxArgs: 2,
        run: ([table, condition]) => this.#changeCondition(table, condition),
      },
    ];
  }

  #block(): string {
    this.#held ??= [];
    return '';
  }

  #unblock(): string {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const print of held) print();
    return '';
  }

  #changeCondition(table: string, condition: string): string {
    const requests = { [table]: [{ where: parseArgument(condition) }] };
    // The answer says no more than that the updates that it causes are here.
    this.#context.server.request('monitor_cond_change', [null, null, requests]).catch(() => {});
    return 'condition changed\n';
  }
}

const UPDATES: readonly string[] = ['update', 'update2', 'update3'];
