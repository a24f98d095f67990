/**
 * The server in this process: its own behaviour, as against requests.test.ts
 * and differential.test.ts, which compare it with stock.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.ts';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { Coverage } from '../../../src/ovsdb/server/coverage.ts';
import { OurServer, RawClient } from './servers.ts';

const SCHEMA: JsonObject = {
  name: 'Test',
  tables: {
    Port: {
      columns: {
        name: { type: 'string' },
        n: { type: 'integer' },
        live: { type: 'integer', ephemeral: true },
      },
    },
  },
};

let server: OurServer;
beforeEach(async () => {
  server = await OurServer.start(SCHEMA);
});
afterEach(() => server.stop());

const insert = (name: string, row: JsonObject = {}): JsonObject => ({
  op: 'insert',
  table: 'Port',
  row: { name, ...row },
});
const update = (name: string, row: JsonObject): JsonObject => ({
  op: 'update',
  table: 'Port',
  where: [['name', '==', name]],
  row,
});
const waitFor = (name: string, more: JsonObject = {}): JsonObject => ({
  op: 'wait',
  table: 'Port',
  where: [['name', '==', name]],
  columns: ['name'],
  until: '==',
  rows: [{ name }],
  ...more,
});
const transact = (client: RawClient, ...operations: Json[]): Promise<Json> =>
  client.request('transact', ['Test', ...operations]);
/** The updates of one table that a notification carries. */
const updatesIn = ({ params }: JsonObject, table: string): Json[] => {
  const [, tables] = params as unknown as [Json, Record<string, JsonObject>];
  return Object.values(tables[table]);
};
const names = async (client: RawClient): Promise<string[]> => {
  const [{ rows }] = (await transact(client, {
    op: 'select',
    table: 'Port',
    where: [],
    columns: ['name'],
  })) as unknown as [{ rows: { name: string }[] }];
  return rows.map(({ name }) => name).sort();
};

describe('a transaction that waits', () => {
  it('is canceled by its id, and answered so; an unknown id is no matter', async () => {
    const client = await server.connect();
    client.send({ id: 'w', method: 'transact', params: ['Test', waitFor('x'), insert('y')] });
    client.send({ id: null, method: 'cancel', params: ['v'] });
    client.send({ id: null, method: 'cancel', params: ['w'] });
    expect(await client.until(({ id }) => id === 'w')).toEqual([{ id: 'w', error: 'canceled' }]);
    await transact(client, insert('x'));
    expect(await names(client)).toEqual(['x']);
  });

  it('is forgotten with its client', async () => {
    const [client, other] = [await server.connect(), await server.connect()];
    client.send({ id: 'w', method: 'transact', params: ['Test', waitFor('x'), insert('y')] });
    await client.rest();
    client.close();
    await client.closed();
    await transact(other, insert('x'));
    expect(await names(other)).toEqual(['x']);
  });

  it('keeps others of its client going, and they are answered in their order', async () => {
    const client = await server.connect();
    client.send({ id: 'w', method: 'transact', params: ['Test', waitFor('n99'), insert('end')] });
    for (let n = 0; n < 100; n++) {
      client.send({ id: n, method: 'transact', params: ['Test', insert(`n${n}`)] });
    }
    const answers = await client.until(({ id }) => id === 'w');
    expect(answers.map(({ id }) => id)).toEqual([...Array(100).keys(), 'w']);
  });

  it('is one of 1024 at most', async () => {
    const client = await server.connect();
    for (let n = 0; n < 1025; n++) {
      client.send({ id: n, method: 'transact', params: ['Test', waitFor('x')] });
    }
    const answers = await client.until(({ id }) => id === 1024);
    const details = 'a client may have 1024 transactions that wait';
    expect(answers).toEqual([{ id: 1024, error: { details, error: 'resources exhausted' } }]);
  });
});

describe('a durable transaction', () => {
  it('is answered before what was asked after it', async () => {
    const client = await server.connect();
    const durable = { op: 'commit', durable: true };
    for (let n = 0; n < 20; n++) {
      client.send({ id: n, method: 'transact', params: ['Test', insert(`n${n}`), durable] });
      client.send({ id: n + 0.5, method: 'list_dbs', params: [] });
    }
    const answers = await client.until(({ id }) => id === 19.5);
    expect(answers.map(({ id }) => id)).toEqual([...Array(40).keys()].map((n) => n / 2));
  });
});

describe('a monitor', () => {
  it('is told of a change before who made it is answered', async () => {
    const client = await server.connect();
    await client.request('monitor', ['Test', 'm', { Port: { columns: ['n'] } }]);
    const messages = await client.ask('transact', ['Test', insert('x', { n: 7 })]);
    expect(messages.map(({ method }) => method)).toEqual(['update', undefined]);
  });

  it('of a client that does not read is told the difference when it reads again', async () => {
    const [slow, writer] = [await server.connect(), await server.connect()];
    await transact(writer, insert('x'), insert('y'));
    await slow.request('monitor_cond', ['Test', null, { Port: { columns: ['name', 'n'] } }]);
    slow.socket.pause();
    const padding = 'p'.repeat(100_000);
    for (let n = 1; n <= 100; n++) {
      await transact(writer, update('x', { n }), insert(`${padding}${n}`));
      await transact(writer, {
        op: 'delete',
        table: 'Port',
        where: [['name', '==', `${padding}${n}`]],
      });
    }
    await transact(writer, update('x', { n: 1000 }));
    const [client] = [...server.service.server.clients].filter(
      ({ backlogBytes }) => backlogBytes > 0,
    );
    expect(client.backlogBytes).toBeLessThan(2_000_000);
    slow.socket.resume();
    const updates = await slow.until((message) => JSON.stringify(message).includes('"n":1000'));
    const seen = updates.flatMap((each) => updatesIn(each, 'Port'));
    expect(seen.length).toBeLessThan(100);
    expect(seen.at(-1)).toEqual({ modify: { n: 1000 } });
  });

  it('ends with its connection', async () => {
    const client = await server.connect();
    await client.request('monitor', ['Test', 'm', { Port: {} }]);
    expect(server.service.server.databases.get('Test')?.monitors.count).toBe(1);
    client.close();
    await client.closed();
    await (await server.connect()).rest();
    expect(server.service.server.databases.get('Test')?.monitors.count).toBe(0);
  });
});

describe('locks', () => {
  it('are had by one at a time, in order, and may be stolen', async () => {
    const [a, b, c] = [await server.connect(), await server.connect(), await server.connect()];
    expect(await a.request('lock', ['x'])).toEqual({ locked: true });
    expect(await b.request('lock', ['x'])).toEqual({ locked: false });
    expect(await c.request('steal', ['x'])).toEqual({ locked: true });
    expect(await a.rest()).toEqual([{ id: null, method: 'stolen', params: ['x'] }]);
    const assert = { op: 'assert', lock: 'x' };
    expect(await transact(c, assert)).toEqual([{}]);
    expect(await transact(a, assert)).toMatchObject([{ error: 'not owner' }]);
    c.close();
    expect(await a.until(({ method }) => method === 'locked')).toHaveLength(1);
    await a.request('unlock', ['x']);
    expect(await b.rest()).toEqual([{ id: null, method: 'locked', params: ['x'] }]);
  });
});

describe('remotes named in a column', () => {
  it('are opened and closed as it changes, and closed with its database', async () => {
    const client = await server.connect();
    const { remotes } = server.service;
    await remotes.add('db:Test,Port,name');
    await transact(client, insert('punix:one'), insert('punix:two'));
    const reached = async (name: string) =>
      RawClient.connect(server.sandbox.file(name), 100).then(
        (each) => each.close() ?? true,
        () => false,
      );
    expect([await reached('one'), await reached('two')]).toEqual([true, true]);
    const where = [['name', '==', 'punix:one']];
    await transact(client, { op: 'delete', table: 'Port', where });
    await client.rest();
    expect([await reached('one'), await reached('two')]).toEqual([false, true]);
    await server.service.removeDatabase('Test');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await reached('two')).toBe(false);
    expect(remotes.names).toEqual(['db:Test,Port,name', 'punix:sock']);
    await expect(remotes.remove('x')).rejects.toThrow('no such remote');
  });
});

describe('coverage/show', () => {
  it('counts, and tells of how often lately', () => {
    const clock = new ManualClock();
    const coverage = new Coverage(clock);
    for (let n = 0; n < 100; n++) coverage.count('a_thing');
    clock.advance(5000);
    expect(coverage.text().split('\n').slice(1)).toEqual([
      'a_thing                   20.0/sec     1.667/sec        0.0278/sec   total: 100',
      '',
    ]);
    clock.advance(60_000);
    expect(coverage.text()).toContain(' 0.0/sec     0.000/sec        0.0278/sec');
  });
});

describe('a database that is taken away', () => {
  const remove = () => server.service.removeDatabase('Test');

  it('disconnects clients that do not know of changes', async () => {
    const client = await server.connect();
    await client.rest();
    await remove();
    await client.closed();
    const why = 'disconnecting (removing Test database by user request)';
    expect(server.lines).toContainEqual(
      expect.stringMatching(new RegExp(`^info unix#\\d+: ${why.replace(/[()]/g, '\\$&')}$`)),
    );
  });

  it('is told to those that do, with the end of monitors and of transactions that wait', async () => {
    const client = await server.connect();
    await client.request('set_db_change_aware', [true]);
    await client.request('monitor', ['_Server', 's', { Database: { columns: ['name'] } }]);
    await client.request('monitor', ['Test', 'm', { Port: {} }]);
    client.send({ id: 'w', method: 'transact', params: ['Test', waitFor('x')] });
    await client.rest();
    await remove();
    const [canceled, refused, gone] = await client.until(({ method }) => method === 'update');
    expect(canceled).toEqual({ id: null, method: 'monitor_canceled', params: ['m'] });
    expect(refused).toEqual({ id: 'w', error: 'canceled' });
    expect(updatesIn(gone, 'Database')).toEqual([{ old: { name: 'Test' } }]);
    await server.service.addDatabase(server.sandbox.file('db'));
    const [back] = await client.until(({ method }) => method === 'update');
    expect(updatesIn(back, 'Database')).toEqual([{ new: { name: 'Test' } }]);
    expect(await names(client)).toEqual([]);
  });

  it('cannot be added twice, and gives its file back', async () => {
    const file = server.sandbox.file('db');
    await expect(server.service.addDatabase(file)).rejects.toThrow(`${file}: already open`);
    await remove();
    await server.service.addDatabase(file);
    await expect(server.service.removeDatabase('_Server')).rejects.toThrow('reserved');
    await expect(server.service.removeDatabase('x')).rejects.toThrow(
      'Failed to find the database.',
    );
  });
});

describe('the file', () => {
  it('has what was acknowledged, and no ephemeral columns, after a compaction, too', async () => {
    const client = await server.connect();
    for (let n = 0; n < 50; n++) await transact(client, insert(`n${n % 3}`, { n, live: 1 }));
    const compacting = server.service.compact('Test');
    await transact(client, insert('meanwhile'));
    await compacting;
    await transact(client, insert('after'));
    const before = await names(client);
    await server.service.removeDatabase('Test');
    await server.service.addDatabase(server.sandbox.file('db'));
    const again = await server.connect();
    expect(await names(again)).toEqual(before);
    const [result] = (await transact(again, {
      op: 'select',
      table: 'Port',
      where: [['live', '==', 1]],
    })) as JsonObject[];
    expect(result).toEqual({ rows: [] });
  });
});
