/**
 * Requests, in form and out of it: what our server answers is what a stock one
 * answers, which is asked the same at the same time. Skipped where Open vSwitch
 * is not installed; TAPFLOW_REQUIRE_SYSTEM=1 forbids that.
 */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { formatJson } from '../../../src/lib/json-text.ts';
import { stockMissing } from '../database/stock-database.ts';
import { OurServer, type RawClient, StockServer } from './servers.ts';

const missing = stockMissing();
if (missing !== undefined && process.env.TAPFLOW_REQUIRE_SYSTEM === '1') {
  throw new Error(`TAPFLOW_REQUIRE_SYSTEM is set, but ${missing}`);
}

const SCHEMA: JsonObject = {
  name: 'Test',
  version: '1.0.0',
  cksum: '1 2',
  tables: {
    Bridge: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        kind: { type: 'string' },
        ids: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
        set: { type: { key: 'integer', min: 0, max: 'unlimited' } },
        up: { type: { key: 'boolean', min: 0, max: 1 } },
      },
      indexes: [['name']],
    },
    Port: { isRoot: true, columns: { name: { type: 'string' } } },
  },
};

const ZERO = '00000000-0000-0000-0000-000000000000';
const DB = 'Test';

const monitorRequests = (method: string): [string, Json[]][] => {
  const last = method === 'monitor_cond_since' ? [ZERO] : [];
  const of = (id: Json, request: Json): [string, Json[]] => [method, [DB, id, request, ...last]];
  return [
    [method, []],
    [method, ['Nope']],
    of(method, 2),
    of(method, [1]),
    of(method, { Nope: {} }),
    of(method, { Bridge: 3 }),
    of(method, { Bridge: [3] }),
    of(method, { Bridge: { columns: 3 } }),
    of(method, { Bridge: { columns: [3] } }),
    of(method, { Bridge: { columns: ['nope'] } }),
    of(method, { Bridge: { columns: ['name', 'name'] } }),
    of(method, { Bridge: [{ columns: ['name'] }, { columns: ['name'] }] }),
    of(method, { Bridge: { select: 3 } }),
    of(method, { Bridge: { select: { initial: 1 } } }),
    of(method, { Bridge: { select: { nope: 1 } } }),
    of(method, { Bridge: { nope: 1 } }),
    of(method, { Bridge: { where: 1 } }),
    of(method, { Bridge: { where: [1] } }),
    of(method, { Bridge: { where: [['name', '==', 1]] } }),
    of(method, { Bridge: { where: [['nope', '==', 1]] } }),
    of(method, { Bridge: { where: [['name', 'like', 'x']] } }),
    of([method, 1], { Bridge: { columns: ['_uuid', 'name'] } }),
    of([method, 1], { Bridge: {} }),
    of({ id: method }, { Bridge: { columns: [] }, Port: [] }),
    of(method, { Bridge: { columns: ['name', 'kind'], select: { initial: false } }, Port: {} }),
  ];
};

/** Asked in this order. Those of which stock dies are not in it. */
const REQUESTS: [string, Json[]][] = [
  ['list_dbs', []],
  ['list_dbs', [1]],
  ['get_schema', []],
  ['get_schema', [1]],
  ['get_schema', ['x']],
  ['get_schema', [DB, 2]],
  ['get_schema', ['_Server']],
  ['nonsense', []],
  ['echo', ['a', 1]],
  ['transact', []],
  ['transact', [1]],
  ['transact', ['nope']],
  ['transact', [DB]],
  ['transact', [DB, 1]],
  ['transact', [DB, { op: 'nope' }]],
  ['transact', ['_Server', { op: 'insert', table: 'Database', row: { model: 'standalone' } }]],
  ['transact', ['_Server', { op: 'delete', table: 'Database', where: [] }]],
  ['transact', ['_Server', { op: 'assert', lock: 'a' }]],
  [
    'monitor',
    ['_Server', 'srv', { Database: { columns: ['name', 'model', 'connected'], where: [] } }],
  ],
  ...monitorRequests('monitor'),
  ...monitorRequests('monitor_cond'),
  ...monitorRequests('monitor_cond_since'),
  ['monitor_cond_since', [DB, 'q', { Bridge: {} }, 'nope']],
  ['monitor_cond_since', [DB, 'q', { Bridge: {} }, 7]],
  ['monitor_cond_change', [1, 2, {}]],
  ['monitor_cond_change', ['monitor_cond', 'monitor', {}]],
  ['monitor_cond_change', ['monitor_cond', 'monitor_cond', 3]],
  ['monitor_cond_change', ['monitor_cond', 'monitor_cond', { Nope: [] }]],
  ['monitor_cond_change', [['monitor_cond', 1], 'other', { Port: [] }]],
  ['monitor_cond_change', ['monitor_cond', 'monitor_cond', { Bridge: 1 }]],
  ['monitor_cond_change', ['monitor_cond', 'monitor_cond', { Bridge: {} }]],
  ['monitor_cond_change', ['monitor_cond', 'monitor_cond', { Bridge: [1] }]],
  [
    'monitor_cond_change',
    ['monitor_cond', 'monitor_cond', { Bridge: [{ where: [['x', '==', 1]] }] }],
  ],
  ['monitor_cond_change', ['monitor_cond', 'renamed', { Bridge: [{ where: [false] }] }]],
  ['monitor_cond_change', ['monitor_cond', 'monitor_cond', {}]],
  ['monitor_cancel', []],
  ['monitor_cancel', ['renamed', 1]],
  ['monitor_cancel', ['monitor_cond']],
  ['monitor_cancel', [['monitor', 1]]],
  ['monitor_cancel', [['monitor', 1]]],
  ['lock', []],
  ['lock', [1]],
  ['lock', ['1x']],
  ['lock', ['a']],
  ['lock', ['a']],
  ['steal', ['a']],
  ['transact', [DB, { op: 'assert', lock: 'a' }]],
  ['transact', [DB, { op: 'assert', lock: 'b' }]],
  ['unlock', []],
  ['unlock', ['b']],
  ['unlock', ['a', 1]],
  ['unlock', ['a']],
  ['unlock', ['a']],
  ['set_db_change_aware', []],
  ['set_db_change_aware', [1]],
  ['set_db_change_aware', [true, 2]],
  ['set_db_change_aware', [true]],
  ['cancel', [1]],
];

describe.skipIf(missing !== undefined)(`requests, beside stock (${missing ?? 'installed'})`, () => {
  let servers: [OurServer, StockServer];
  let clients: [RawClient, RawClient];
  beforeAll(async () => {
    const schema = (sandbox: { file(name: string): string }) => {
      writeFileSync(sandbox.file('schema'), formatJson(SCHEMA));
      return sandbox.file('schema');
    };
    servers = [await OurServer.start(SCHEMA), await StockServer.start(schema)];
    clients = [await servers[0].connect(), await servers[1].connect()];
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  it('one by one are answered alike', async () => {
    for (const [method, params] of REQUESTS) {
      const [ours, theirs] = await Promise.all(clients.map((each) => each.ask(method, params)));
      expect(comparable(ours), `${method} ${formatJson(params)}`).toEqual(comparable(theirs));
    }
  });

  it('that steal, wait for and pass on locks tell the others alike', async () => {
    const talk = async (server: OurServer | StockServer) => {
      const [a, b, c] = [await server.connect(), await server.connect(), await server.connect()];
      return [
        await a.ask('lock', ['x']),
        await b.ask('lock', ['x']),
        await c.ask('steal', ['x']),
        await a.rest(),
        await b.ask('unlock', ['x']),
        await b.ask('lock', ['x']),
        // With two others waiting, stock tells a client that unlocks that it has the lock.
        (await c.ask('unlock', ['x'])).at(-1),
        await a.rest(),
        await a.ask('transact', [DB, { op: 'assert', lock: 'x' }]),
        a.close(),
        await b.until(({ method }) => method === 'locked'),
        await c.rest(),
      ];
    };
    expect(await talk(servers[0])).toEqual(await talk(servers[1]));
  });

  it('that wait are answered when they come true, or too late', async () => {
    const wait = (name: string, more: JsonObject = {}): Json[] => [
      DB,
      {
        op: 'wait',
        table: 'Port',
        where: [['name', '==', name]],
        until: '==',
        columns: ['name'],
        rows: [{ name }],
        ...more,
      },
      { op: 'insert', table: 'Port', row: { name: `${name}+` } },
    ];
    const talk = async (server: OurServer | StockServer) => {
      const [a, b] = [await server.connect(), await server.connect()];
      a.send({ id: 'two', method: 'transact', params: wait('one+') });
      a.send({ id: 'one', method: 'transact', params: wait('one') });
      a.send({ id: 'never', method: 'transact', params: wait('never') });
      a.send({ id: 'twice', method: 'transact', params: wait('never') });
      a.send({ id: 'twice', method: 'transact', params: wait('never') });
      const duplicate = await a.until(({ id }) => id === 'twice');
      await b.request('transact', [DB, { op: 'insert', table: 'Port', row: { name: 'one' } }]);
      const true1 = (await a.until(({ id }) => id === 'two')).map(({ id, error }) => [id, error]);
      const now = await a.ask('transact', wait('x', { timeout: 0 }));
      const late = (await a.ask('transact', wait('x', { timeout: 30 }), 'l')).map(({ result }) =>
        formatJson(result).replace(/\d+ ms/, 'N ms'),
      );
      return [duplicate, true1, now, late];
    };
    expect(await talk(servers[0])).toEqual(await talk(servers[1]));
  });

  it('that are replies cost the client its connection', async () => {
    for (const server of servers) {
      const client = await server.connect();
      client.send({ id: 1, result: [], error: null });
      await client.closed();
    }
    expect(servers[0].lines).toContainEqual(
      expect.stringMatching(/^warn unix#\d+: received unexpected reply message$/),
    );
  });
});

/** Rows have other UUIDs in each server. */
const comparable = (messages: Json): Json =>
  JSON.parse(formatJson(messages, { sorted: true }).replace(RANDOM_UUID, 'random'));

const RANDOM_UUID = /[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}/g;
