import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, persistentClock } from '../../../src/lib/clock.ts';
import { isArray, isObject, type Json, type JsonObject } from '../../../src/lib/json.ts';
import type { TransactionChanges } from '../../../src/ovsdb/database/changes.ts';
import { Replica, type ReplicaOptions } from '../../../src/ovsdb/replica/replica.ts';
import { connectStream } from '../../../src/ovsdb/rpc/connect.ts';
import { Session } from '../../../src/ovsdb/rpc/session.ts';
import { stockMissing } from '../database/stock-database.ts';
import { StockServer } from './stock-server.ts';

const SCHEMA: JsonObject = {
  name: 'Zoo',
  version: '1.0.0',
  tables: {
    Animal: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        legs: { type: 'integer' },
        foods: { type: { key: 'string', min: 0, max: 'unlimited' } },
        notes: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
        friend: { type: { key: { type: 'uuid', refTable: 'Animal' }, min: 0, max: 1 } },
      },
    },
    Cage: { isRoot: true, columns: { name: { type: 'string' } } },
  },
};

const missing = stockMissing();
const isSkipped = missing !== undefined && !process.env.TAPFLOW_REQUIRE_SYSTEM;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function stock(schema = SCHEMA): Promise<StockServer> {
  const server = new StockServer([schema]);
  cleanups.push(() => server.destroy());
  await server.start();
  return server;
}

/** Ten times as fast as the machine's. */
const fastClock: Clock = {
  now: () => performance.now() * 10,
  after: (ms, callback) => persistentClock.after(ms / 10, callback),
};

function replicaOf(
  open: ConstructorParameters<typeof Replica>[0],
  options: Partial<ReplicaOptions> = {},
) {
  const replica = new Replica(open, {
    database: 'Zoo',
    name: 'zoo',
    clock: fastClock,
    probeInterval: 0,
    ...options,
  });
  cleanups.push(() => replica.close());
  return replica;
}

const insert = (name: string, row: JsonObject = {}): JsonObject => ({
  op: 'insert',
  table: 'Animal',
  row: { name, ...row },
});

const named = (name: string): Json => [['name', '==', name]];

/** Rows by name. */
function animals(replica: Replica): Record<string, JsonObject> {
  const columns = replica.schema?.tables.get('Animal')?.columns.values() ?? [];
  const some = [...columns].filter(({ name }) => ['legs', 'foods', 'notes'].includes(name));
  return Object.fromEntries(
    [...replica.rows('Animal').values()].map((row) => [
      String(row.get('name').keys[0]),
      row.toJson(some),
    ]),
  );
}

/** What a `changed` was told: +name, -name, ~name. */
function summary(changes: TransactionChanges): string[] {
  return [...changes.values()].flatMap((rows) =>
    [...rows.values()].map((change) => {
      const sign = change.old === undefined ? '+' : change.new === undefined ? '-' : '~';
      return `${sign}${(change.new ?? change.old)?.get('name').keys[0]}`;
    }),
  );
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; !isTrue(); i++) {
    if (i > 1000) throw new Error('it did not come true in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.skipIf(isSkipped)('a replica of a stock database', () => {
  it('holds what is there, and follows what changes', async () => {
    const server = await stock();
    const told: string[][] = [];
    const replica = replicaOf(server.open, { changed: (changes) => told.push(summary(changes)) });
    const writer = replicaOf(server.open);
    await writer.synced();
    await writer.transact([insert('cat', { legs: 4 }), insert('bee')]);
    await replica.synced();
    await until(() => replica.rows('Animal').size === 2);
    expect(animals(replica)).toEqual({
      bee: { foods: ['set', []], legs: 0, notes: ['map', []] },
      cat: { foods: ['set', []], legs: 4, notes: ['map', []] },
    });
    const set = {
      foods: ['set', ['a', 'b']],
      notes: [
        'map',
        [
          ['x', '1'],
          ['y', '2'],
        ],
      ],
    };
    await writer.transact([{ op: 'update', table: 'Animal', where: named('cat'), row: set }]);
    const mutations = [
      ['foods', 'delete', 'a'],
      ['foods', 'insert', 'c'],
      ['notes', 'delete', 'x'],
      ['notes', 'insert', ['map', [['z', '3']]]],
    ];
    await writer.transact([{ op: 'mutate', table: 'Animal', where: named('cat'), mutations }]);
    await writer.transact([{ op: 'delete', table: 'Animal', where: named('bee') }]);
    await until(() => animals(replica).bee === undefined);
    expect(animals(replica)).toEqual({
      cat: {
        foods: ['set', ['b', 'c']],
        legs: 4,
        notes: [
          'map',
          [
            ['y', '2'],
            ['z', '3'],
          ],
        ],
      },
    });
    expect(told.flat().filter((each) => !each.startsWith('+'))).toEqual(['~cat', '~cat', '-bee']);
    expect(animals(writer)).toEqual(animals(replica));
  });

  it('has in its rows what a transaction did when the results are here', async () => {
    const server = await stock();
    const replica = replicaOf(server.open);
    const early = replica.synced().then(() => replica.transact([insert('ant')]));
    const [result] = await early;
    expect(result).toHaveProperty('uuid');
    expect(Object.keys(animals(replica))).toEqual(['ant']);
    for (let i = 0; i < 20; i++) {
      await replica.transact([insert(`ant${i}`)]);
      expect(animals(replica)).toHaveProperty(`ant${i}`);
    }
    const failed = await replica.transact([{ op: 'abort' }, insert('no')]);
    expect(failed).toMatchObject([{ error: 'aborted' }, null]);
  });

  it('copies only the tables and columns that are asked for, as far as they exist', async () => {
    const server = await stock();
    const tables = new Map([
      ['Animal', ['name', 'wings']],
      ['Robot', ['name']],
    ]);
    const replica = replicaOf(server.open, { tables });
    await replica.synced();
    await replica.transact([insert('cat', { legs: 4 }), { op: 'insert', table: 'Cage', row: {} }]);
    expect(animals(replica).cat.legs).toBe(0);
    expect([replica.rows('Cage').size, replica.rows('Robot').size]).toEqual([0, 0]);
  });

  it('tells the difference when the server comes back', async () => {
    const server = await stock();
    const told: string[][] = [];
    const events: string[] = [];
    const replica = replicaOf(server.open, {
      changed: (changes) => told.push(summary(changes)),
      connected: () => events.push('connected'),
      disconnected: (reason) => events.push(String(reason)),
    });
    await replica.synced();
    await replica.transact(['a', 'b', 'c'].map((name) => insert(name)));
    const [before] = [...replica.rows('Animal').values()];
    await server.stop();
    await until(() => events.length === 2);
    await expect(replica.transact([])).rejects.toMatchObject({ code: 'DISCONNECTED' });
    expect(replica.rows('Animal').size).toBe(3);
    await server.start();
    const writer = replicaOf(server.open);
    await writer.synced();
    const name = String(before.get('name').keys[0]);
    await until(() => replica.isConnected);
    await replica.transact([]);
    expect(told).toHaveLength(1);
    expect(replica.rows('Animal').get(before.uuid)).toBe(before);
    await replica.transact([{ op: 'delete', table: 'Animal', where: named(name) }, insert('d')]);
    expect(told.at(-1)?.sort()).toEqual(['+d', `-${name}`].sort());
    expect(events.filter((each) => each === 'connected')).toHaveLength(2);
  });

  it('takes over another schema and other contents', async () => {
    const server = await stock();
    const told: string[][] = [];
    const replica = replicaOf(server.open, { changed: (changes) => told.push(summary(changes)) });
    await replica.synced();
    await replica.transact(['a', 'b'].map((name) => insert(name)));
    await server.stop();
    const columns = { name: { type: 'string' }, wings: { type: 'integer' } };
    server.create({ ...SCHEMA, version: '2.0.0', tables: { Animal: { isRoot: true, columns } } });
    await server.start();
    await until(() => replica.schema?.version === '2.0.0');
    expect(told.at(-1)?.sort()).toEqual(['-a', '-b']);
    await replica.transact([insert('owl', { wings: 2 })]);
    expect([...replica.rows('Animal').values()].map((row) => row.get('wings').keys)).toEqual([[2]]);
  });

  it('gets a lock, waits for one that another has, and loses it with the connection', async () => {
    const server = await stock();
    const events: boolean[] = [];
    const first = replicaOf(server.open);
    first.lock('keeper');
    await first.synced();
    expect([first.hasLock, first.isLockContended]).toEqual([true, false]);
    const second = replicaOf(server.open, { lockChanged: (hasLock) => events.push(hasLock) });
    await second.synced();
    second.lock('keeper');
    await until(() => second.isLockContended);
    expect(second.hasLock).toBe(false);
    first.close();
    await until(() => second.hasLock);
    await server.stop();
    await until(() => !second.hasLock);
    await server.start();
    await until(() => second.hasLock);
    expect(events).toEqual([true, false, true]);
  });

  it('gives up when its tries are used up, and says why', async () => {
    const server = new StockServer([]);
    cleanups.push(() => server.destroy());
    const replica = replicaOf(server.open, { maxTries: 1 });
    await expect(replica.synced()).rejects.toMatchObject({
      code: 'NO_DATABASE',
      message: 'zoo: database connection failed (No such file or directory)',
    });
    expect(replica.isAlive).toBe(false);
  });

  it('gives up on a server without the database, as stock clients do', async () => {
    const server = await stock();
    const log: string[] = [];
    const replica = replicaOf(server.open, {
      database: 'Nix',
      maxTries: 1,
      log: (level, line) => level === 'warn' && log.push(line),
    });
    await expect(replica.synced()).rejects.toMatchObject({
      message: 'zoo: database connection failed ()',
    });
    expect(log[0]).toMatch(
      /unknown database \(get_schema request specifies unknown database Nix\)/,
    );
  });

  it('rejects who waits for the first copy when it is closed', async () => {
    const replica = replicaOf(() => new Promise(() => {}));
    const synced = replica.synced();
    replica.close();
    await expect(synced).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('a replica of a server that knows less', () => {
  const UUID = '11111111-2222-4333-8444-555555555555';

  /** Answers what `answer` knows; the rest is unknown. */
  async function server(
    answer: (method: string, params: readonly Json[], session: Session) => Json | undefined,
  ) {
    const dir = mkdtempSync(join(tmpdir(), 'tapflow-replica-'));
    cleanups.push(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'sock');
    const listener = net.createServer((stream) => {
      const session = new Session(
        stream,
        { name: 'peer' },
        {
          message(message) {
            if (message.type !== 'request') return;
            const { id, method, params } = message;
            const result = answer(method, params, session);
            if (result !== undefined) session.connection?.send({ type: 'reply', id, result });
            else session.connection?.send({ type: 'error', id, error: 'unknown method' });
          },
        },
      );
      cleanups.push(() => session.close());
    });
    listener.listen(path);
    await once(listener, 'listening');
    cleanups.push(() => listener.close());
    return (signal: AbortSignal) => connectStream({ kind: 'unix', path }, { signal });
  }

  const notify = (session: Session, method: string, params: Json[]): void =>
    session.connection?.send({ type: 'notification', method, params });

  it('falls back to monitor_cond', async () => {
    const methods: string[] = [];
    const open = await server((method, _params, session) => {
      methods.push(method);
      if (method === 'get_schema') return SCHEMA;
      if (method === 'monitor_cond') {
        return { Animal: { [UUID]: { initial: { name: 'cat', foods: 'x' } } } };
      }
      if (method !== 'transact') return undefined;
      const modify = { legs: 4, foods: ['set', ['x', 'y']] };
      notify(session, 'update2', ['replica', { Animal: { [UUID]: { modify } } }]);
      return [];
    });
    const replica = replicaOf(open);
    await replica.synced();
    expect(animals(replica).cat).toMatchObject({ foods: 'x', legs: 0 });
    await replica.transact([]);
    expect(animals(replica).cat).toMatchObject({ foods: 'y', legs: 4 });
    expect(methods).toEqual(['get_schema', 'monitor_cond_since', 'monitor_cond', 'transact']);
  });

  it('falls back to monitor', async () => {
    const cat = { name: 'cat', legs: 3, foods: 'x' };
    const open = await server((method, _params, session) => {
      if (method === 'get_schema') return SCHEMA;
      if (method === 'monitor') return { Animal: { [UUID]: { new: cat } } };
      if (method !== 'transact') return undefined;
      const update = { old: { legs: 3 }, new: { ...cat, legs: 4 } };
      notify(session, 'update', ['replica', { Animal: { [UUID]: update } }]);
      const other = UUID.replace('1', '2');
      notify(session, 'update', ['replica', { Animal: { [other]: { new: { name: 'dog' } } } }]);
      notify(session, 'update', ['replica', { Animal: { [other]: { old: { name: 'dog' } } } }]);
      return [];
    });
    const told: string[] = [];
    const replica = replicaOf(open, { changed: (changes) => told.push(...summary(changes)) });
    await replica.synced();
    await replica.transact([]);
    expect(animals(replica)).toEqual({ cat: { foods: 'x', legs: 4, notes: ['map', []] } });
    expect(told).toEqual(['+cat', '~cat', '+dog', '-dog']);
  });

  it('goes on from the last transaction, where the server can', async () => {
    const last = '99999999-2222-4333-8444-555555555555';
    const asked: Json[] = [];
    const open = await server((method, params) => {
      if (method === 'get_schema') return SCHEMA;
      if (method === 'transact') return [];
      if (method !== 'monitor_cond_since') return undefined;
      asked.push(params[3]);
      const row: JsonObject =
        asked.length === 1 ? { initial: { name: 'cat' } } : { modify: { legs: 4 } };
      return [asked.length > 1, last, { Animal: { [UUID]: row } }];
    });
    const replica = replicaOf(open);
    await replica.synced();
    replica.forceReconnect();
    await until(() => animals(replica).cat.legs === 4);
    expect(asked).toEqual(['00000000-0000-0000-0000-000000000000', last]);
  });

  it.each<[string, Json]>([
    ['a table that is not there', { Robot: {} }],
    ['no tables', []],
    ['a row without a UUID', { Animal: { cat: { insert: { name: 'cat' } } } }],
    ['a change of a row that is not there', { Animal: { [UUID]: { modify: {} } } }],
    ['a column that is not there', { Animal: { [UUID]: { insert: { wings: 2 } } } }],
    ['a wrong type', { Animal: { [UUID]: { insert: { legs: 'two' } } } }],
    ['a row that is none', { Animal: { [UUID]: 7 } }],
  ])('drops the connection at nonsense, and nothing of it is seen: %s', async (_, nonsense) => {
    let copies = 0;
    const log: string[] = [];
    const open = await server((method, _params, session) => {
      if (method === 'get_schema') return SCHEMA;
      if (method === 'monitor_cond_since') {
        return [false, UUID, { Cage: { [UUID]: { initial: { name: `cage${copies++}` } } } }];
      }
      const good = { Cage: { [UUID]: { modify: { name: 'seen' } } } };
      const both = isObject(nonsense) && !isArray(nonsense) ? { ...good, ...nonsense } : nonsense;
      notify(session, 'update3', ['replica', UUID, both]);
      notify(session, 'update3', ['replica', UUID, good]);
      return [];
    });
    const names: Json[] = [];
    const replica: Replica = replicaOf(open, {
      log: (level, line) => level === 'warn' && log.push(line),
      changed: (changes) => {
        for (const { new: row } of changes.get('Cage')?.values() ?? []) {
          names.push(row?.get('name').keys[0] ?? null);
        }
      },
    });
    await replica.synced();
    await replica.transact([]).catch(() => {});
    await until(() => names.length === 2);
    expect(names).toEqual(['cage0', 'cage1']);
    expect(log[0]).toMatch(/^zoo: (syntax error|unknown column): /);
  });
});
