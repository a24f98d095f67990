/** Clients and file systems that mean no good, or do no good: the server goes on, and loses nothing. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.ts';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { createDatabase } from '../../../src/ovsdb/server/database-file.ts';
import { Daemon, HAS_STOCK, OURS, STOCK } from './daemon.ts';
import { OurServer, RawClient, Sandbox } from './servers.ts';

const SCHEMA: JsonObject = {
  name: 'Test',
  tables: { Number: { columns: { n: { type: 'integer' }, text: { type: 'string' } } } },
};

const insert = (n: number, text = ''): JsonObject => ({
  op: 'insert',
  table: 'Number',
  row: { n, text },
});
const DURABLE: JsonObject = { op: 'commit', durable: true };

const transact = async (client: RawClient, ...operations: Json[]): Promise<JsonObject[]> =>
  (await client.request('transact', ['Test', ...operations])) as JsonObject[];

async function numbers(client: RawClient): Promise<number[]> {
  const select = { op: 'select', table: 'Number', where: [], columns: ['n'] };
  const [{ rows }] = await transact(client, select);
  return (rows as unknown as { n: number }[]).map(({ n }) => n).sort((a, b) => a - b);
}

describe('a client that', () => {
  let server: OurServer;
  beforeEach(async () => {
    server = await OurServer.start(SCHEMA);
  });
  afterEach(() => server.stop());

  it.each([
    ['sends no JSON', 'GET / HTTP/1.0\r\n\r\n', /error parsing stream: line 0, column 0, byte 0/],
    ['sends binary rubbish', Buffer.from([0xff, 0xfe, 0, 1, 2]), /error parsing stream/],
    ['sends an array', '[1]', /received bad JSON-RPC message/],
    ['leaves the id out', '{"method":"echo","params":{}}', /received bad JSON-RPC message/],
    [
      'has a method that is no string',
      '{"method":7,"params":[],"id":1}',
      /received bad JSON-RPC message/,
    ],
    ['nests too deeply', '['.repeat(2000), /error parsing stream/],
    [
      'nests a request too deeply',
      `{"method":"echo","id":1,"params":${'['.repeat(1500)}`,
      /error parsing stream/,
    ],
  ])('%s is cut off, with a line in the log, and others go on', async (_what, bytes, line) => {
    const [bad, good] = [await server.connect(), await server.connect()];
    bad.socket.write(bytes);
    await bad.closed();
    expect(server.lines).toContainEqual(expect.stringMatching(line));
    await transact(good, insert(1));
    expect(await numbers(good)).toEqual([1]);
  });

  it('sends a message without end is cut off when it gets too long', async () => {
    const bad = await server.connect();
    bad.socket.write('{"method":"echo","id":1,"params":["');
    const piece = Buffer.alloc(1 << 20, 'x');
    for (let n = 0; n < 80 && !bad.isClosed; n++) {
      bad.socket.write(piece);
      await delay(1);
    }
    await bad.closed();
    expect(server.lines).toContainEqual(expect.stringMatching(/longer than \d+ bytes/));
  });

  it('sends a large transaction is served, and so are others', async () => {
    const [large, other] = [await server.connect(), await server.connect()];
    const operations = Array.from({ length: 20_000 }, (_, n) => insert(n, 'x'.repeat(100)));
    const done = transact(large, ...operations);
    await other.rest();
    expect(await done).toHaveLength(20_000);
    expect(await numbers(other)).toHaveLength(20_000);
  });

  it('names what is not there is answered with an error', async () => {
    const client = await server.connect();
    for (const operation of [
      { op: 'insert', table: 'Nope', row: {} },
      { op: 'insert', table: 'Number', row: { nope: 1 } },
      { op: 'insert', table: 'Number', row: { n: 'x' } },
      { op: 'select', table: 'Number', where: [['n', '==', []]] },
      { op: 'nope' },
      { __proto__: null, op: 'insert', table: '__proto__', row: {} },
      [],
    ] as unknown as Json[]) {
      const [result] = await transact(client, operation);
      expect(result).toHaveProperty('error');
    }
  });

  it('asks and never reads is not read from, and costs little memory', async () => {
    const [bad, good] = [await server.connect(), await server.connect()];
    await transact(good, ...Array.from({ length: 100 }, (_, n) => insert(n, 'x'.repeat(10_000))));
    bad.socket.pause();
    const select = { op: 'select', table: 'Number', where: [] };
    for (let id = 0; id < 2000; id++)
      bad.send({ id, method: 'transact', params: ['Test', select] });
    await delay(300);
    const backlogs = [...server.service.server.clients].map(({ backlogBytes }) => backlogBytes);
    expect(Math.max(...backlogs)).toBeGreaterThan(500_000);
    expect(Math.max(...backlogs)).toBeLessThan(10_000_000);
    expect(await numbers(good)).toHaveLength(100);
  });

  it('has too many monitors, or locks, is told so', async () => {
    const client = await server.connect();
    for (let n = 0; n < 1024; n++) {
      client.send({ id: n, method: 'monitor', params: ['Test', n, {}] });
      client.send({ id: n, method: 'lock', params: [`lock${n}`] });
    }
    const refused = { error: 'resources exhausted', details: 'a client may have 1024 monitors' };
    const answers = await client.ask('monitor', ['Test', 'x', {}], 'm');
    expect(answers.at(-1)?.error).toEqual(refused);
    const [answer] = await client.ask('lock', ['x'], 'l');
    expect(answer.error).toEqual({ ...refused, details: 'a client may have 1024 locks' });
  });
});

it('a connection without a sign of life is probed, then dropped', async () => {
  const clock = new ManualClock();
  const server = new OurServer(clock);
  try {
    await server.service.start(['ptcp:0:127.0.0.1'], {});
    const [, port] = /listening on port (\d+)/.exec(server.lines.join('\n')) ?? [];
    const socket = net.connect(Number(port), '127.0.0.1');
    const client = new RawClient(socket);
    await client.rest();
    clock.advance(5000);
    expect(await client.until(({ method }) => method === 'echo')).toHaveLength(1);
    clock.advance(5000);
    await client.closed();
  } finally {
    await server.stop();
  }
});

describe('a file', () => {
  let sandbox: Sandbox;
  const daemons: Daemon[] = [];
  beforeEach(async () => {
    sandbox = new Sandbox();
    await createDatabase(sandbox.file('db'), SCHEMA);
  });
  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.stop('SIGKILL');
    sandbox.remove();
  });
  const serve = async (command: readonly string[] = OURS): Promise<Daemon> => {
    const daemon = await Daemon.serve(sandbox, command);
    daemons.push(daemon);
    return daemon;
  };

  it('that has no room makes transactions fail, undone and told to nobody, until it has', async () => {
    const daemon = await serve(['prlimit', '--fsize=60000:', ...OURS]);
    const [writer, watcher, reader] = [
      await daemon.connect(),
      await daemon.connect(),
      await daemon.connect(),
    ];
    await watcher.request('monitor', ['Test', 'm', { Number: { columns: ['n'] } }]);
    const done: number[] = [];
    const failed: Json[] = [];
    // Those that come together are written together, and fail together.
    const answers: JsonObject[] = [];
    for (let n = 0; n < 100; n++) {
      const operations = [insert(n, 'x'.repeat(1000)), ...(n % 2 ? [DURABLE] : [])];
      writer.send({ id: n, method: 'transact', params: ['Test', ...operations] });
      if (n % 20 === 19) answers.push(...(await writer.until(({ id }) => id === n)));
    }
    for (const { id, result } of answers) {
      const last = (result as JsonObject[]).at(-1);
      if (last?.error === undefined) done.push(Number(id));
      else failed.push(last);
    }
    expect(done.slice(0, 20)).toEqual([...Array(20).keys()]);
    expect(failed.at(-1)).toEqual({
      details: `${sandbox.file('db')}: write failed`,
      error: 'I/O error',
      'io-error': 'File too large',
    });
    expect(await numbers(reader)).toEqual(done);
    const told = (await watcher.rest()).flatMap(({ params }) => {
      const [, { Number: rows }] = params as unknown as [
        Json,
        { Number: Record<string, JsonObject> },
      ];
      return Object.values(rows).map((row) => (row.new as JsonObject).n);
    });
    expect(told.sort((a, b) => Number(a) - Number(b))).toEqual(done);
    spawnSync('prlimit', ['--pid', String(daemon.child.pid), '--fsize=unlimited:']);
    await transact(writer, insert(1000, 'x'.repeat(1000)), DURABLE);
    await daemon.stop('SIGKILL');
    expect(await numbers(await (await serve()).connect())).toEqual([...done, 1000]);
  });

  it('that another server has is refused, in words that name that server', async () => {
    const first = await serve();
    const { code, text } = await new Daemon(sandbox, OURS, ['--unixctl=none', sandbox.file('db')])
      .ended;
    expect(code).toBe(1);
    expect(text).toContain(
      `ovsdb-server: I/O error: ${sandbox.file('db')}: failed to lock lockfile (Resource temporarily unavailable)`,
    );
    expect(text).toContain(`is locked by pid ${first.child.pid}`);
  });

  it.skipIf(!HAS_STOCK)('that a stock server has is refused, and the other way round', async () => {
    for (const [one, other] of [
      [STOCK, OURS],
      [OURS, STOCK],
    ]) {
      const first = await serve(one);
      const { code, text } = await new Daemon(sandbox, other, [
        '--unixctl=none',
        sandbox.file('db'),
      ]).ended;
      expect([code, text]).toEqual([1, expect.stringContaining('failed to lock lockfile')]);
      await first.stop('SIGKILL');
    }
  });

  it('with a torn or damaged end is served up to there, with a warning', async () => {
    const client = await (await serve()).connect();
    for (let n = 0; n < 10; n++) await transact(client, insert(n));
    await daemons[0].stop();
    truncateSync(sandbox.file('db'), statSync(sandbox.file('db')).size - 7);
    appendFileSync(sandbox.file('db'), 'rubbish\n');
    const second = await serve();
    expect(second.text).toMatch(/\|WARN\|.*bytes after offset \d+ are not used/);
    const again = await second.connect();
    expect(await numbers(again)).toEqual([...Array(9).keys()]);
    await transact(again, insert(9));
    await second.stop();
    const third = await serve();
    expect(third.text).not.toContain('WARN');
    expect(await numbers(await third.connect())).toEqual([...Array(10).keys()]);
  });

  it.each([
    ['is empty', '', 'cannot identify file type'],
    ['is something else', 'hello\n', 'unexpected file format'],
    ['has a bad schema', undefined, 'syntax error'],
  ])('that %s is refused', async (_what, content, why) => {
    writeFileSync(sandbox.file('db'), content ?? recordOf('{"name":"x","tables":[]}\n'));
    const { code, text } = await new Daemon(sandbox, OURS, ['--unixctl=none', sandbox.file('db')])
      .ended;
    expect(code).toBe(1);
    expect(text).toMatch(/^ovsdb-server: /m);
    expect(text).toContain(why);
    expect(text).not.toContain('    at ');
  });

  it.skipIf(process.getuid?.() !== 0)(
    'in a directory where nothing can be written is refused',
    async () => {
      chmodSync(sandbox.dir, 0o555);
      const [uid, gid] = [65534, 65534];
      const { code, text } = await new Daemon(
        sandbox,
        OURS,
        ['--unixctl=none', sandbox.file('db')],
        { uid, gid },
      ).ended;
      chmodSync(sandbox.dir, 0o755);
      expect([code, text]).toEqual([1, expect.stringContaining('(Permission denied)')]);
    },
  );
});

function recordOf(body: string): string {
  const { stdout } = spawnSync('sha1sum', { input: body, encoding: 'utf8' });
  return `OVSDB JSON ${body.length} ${stdout.slice(0, 40)}\n${body}`;
}
