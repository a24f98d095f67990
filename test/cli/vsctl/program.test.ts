/**
 * What a run does with time and with others: waits for vswitchd, for
 * conditions, for its server; begins anew when the database changes under it;
 * and takes no more of the database than it needs. On a stock server, with this
 * test in vswitchd's place. Skipped where Open vSwitch is not installed.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCommands } from '../../../src/cli/vsctl/command-line.ts';
import { openLogs } from '../../../src/cli/vsctl/logs.ts';
import { Needs } from '../../../src/cli/vsctl/needs.ts';
import { run } from '../../../src/cli/vsctl/program.ts';
import { loadSchema } from '../../../src/cli/vsctl/schema.ts';
import { Vlog } from '../../../src/daemon/vlog.ts';
import { runOurs } from './pair.ts';
import { StockServer, stockMissing } from './stock-server.ts';

const missing = stockMissing();

describe.skipIf(missing !== undefined)(`a run${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const server = new StockServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  beforeEach(() => server.clear());

  it('waits until vswitchd has come to what it asked for', async () => {
    await ours('init');
    const running = start('add-br', 'br0');
    await until(async () => (await config()).next_cfg === 1);
    expect(running.isOver()).toBe(false);
    await update('Interface', { ofport: 65534 }, 'br0');
    await update('Open_vSwitch', { cur_cfg: 1 });
    expect(await running.result).toEqual({ code: 0, out: '', err: '' });
  });

  it('waits for vswitchd also when it has made the record that says so', async () => {
    const running = start('init');
    await until(async () => (await config())?.next_cfg === 1);
    await update('Open_vSwitch', { cur_cfg: 1 });
    expect((await running.result).code).toBe(0);
  });

  it('waits for nobody when nothing changes', async () => {
    await ours('add-br', 'br0');
    expect(await start('--may-exist', 'add-br', 'br0').result).toMatchObject({ code: 0 });
    expect(await start('list-br').result).toMatchObject({ code: 0, out: 'br0\n' });
  });

  it('waits for nobody in a dry run', async () => {
    await ours('init');
    expect((await start('--dry-run', 'add-br', 'br0').result).code).toBe(0);
  });

  it('tells what vswitchd could not set up', async () => {
    await ours('add-br', 'br0');
    const running = start(
      'add-port',
      'br0',
      'good',
      '--',
      'add-bond',
      'br0',
      'bond',
      'bad',
      'worse',
    );
    await until(async () => (await config()).next_cfg === 1);
    await update('Interface', { ofport: 1 }, 'good');
    await update('Interface', { ofport: -1, error: 'no such device' }, 'bad');
    await update('Open_vSwitch', { cur_cfg: 1 });
    const { code, err } = await running.result;
    expect(code).toBe(0);
    expect(err.split('\n')).toEqual([
      "ovs-vsctl: Error detected while setting up 'bad': no such device.  See ovs-vswitchd log for details.",
      "ovs-vsctl: Error detected while setting up 'worse'.  See ovs-vswitchd log for details.",
      'ovs-vsctl: The default log directory is "/var/log/openvswitch".',
      '',
    ]);
  });

  it('gives up when its time is over, as by SIGALRM', async () => {
    const { code, err } = await start('--timeout=1', 'add-br', 'br0').result;
    expect(code).toBe(142);
    expect(err).toMatch(/\|fatal_signal\|WARN\|terminating with signal 14 \(Alarm clock\)\n$/);
  });

  it('carries out nothing before wait-until holds', async () => {
    await ours('init');
    const line = ['wait-until', 'Bridge', 'br0', 'stp_enable=true', '--', 'list-br'];
    const running = start('--no-wait', ...line, '--', 'add-br', 'br1');
    await ours('add-br', 'br0');
    expect(await names()).toEqual(['br0']);
    expect(running.isOver()).toBe(false);
    await ours('set', 'Bridge', 'br0', 'stp_enable=true');
    expect(await running.result).toEqual({ code: 0, out: 'br0\n', err: '' });
    expect(await names()).toEqual(['br0', 'br1']);
  });

  it('begins anew when the database has changed, so that of many at once none is lost', async () => {
    await ours('add-br', 'br0');
    const ports = Array.from({ length: 12 }, (_, i) => `p${i}`);
    const results = ports.map((port) => start('--no-wait', 'add-port', 'br0', port).result);
    for (const { code, err } of await Promise.all(results)) expect([code, err]).toEqual([0, '']);
    const { out } = await ours('list-ports', 'br0');
    expect(out.filter((name) => name !== '')).toEqual([...ports].sort());
  });

  it('of many that add the same port lets one have it, and tells the others so', async () => {
    await ours('add-br', 'br0');
    const results = Array.from(
      { length: 6 },
      () => start('--no-wait', 'add-port', 'br0', 'p').result,
    );
    const codes = (await Promise.all(results)).map(({ code }) => code);
    expect(codes.sort()).toEqual([0, 1, 1, 1, 1, 1]);
    for (const { code, err } of await Promise.all(results)) {
      const reason = 'because a port named p already exists on bridge br0';
      if (code === 1) expect(err).toBe(`ovs-vsctl: cannot create a port named p ${reason}\n`);
    }
  });

  it('writes the command line into the log of the database', async () => {
    const line = ['comment', 'a b', '--', 'init'];
    await ours(...line);
    const log = server.comments().at(-1);
    expect(log).toMatch(/^ovs-vsctl \(invoked by [^)]+\): ovs-vsctl .* comment "a b" -- init$/);
  });

  it('with --retry waits for its server', async () => {
    const late = new StockServer();
    const running = start('--retry', '--no-wait', `--db=${late.remote}`, 'add-br', 'br0');
    try {
      await late.start();
      expect(await running.result).toEqual({ code: 0, out: '', err: '' });
    } finally {
      await late.stop();
    }
  });

  it('fails when its server goes while it waits for a condition', async () => {
    const other = new StockServer();
    await other.start();
    const line = ['wait-until', 'Bridge', 'br0'];
    const running = start('--no-wait', `--db=${other.remote}`, ...line);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await other.stop();
    const reason = 'database connection failed (End of file)';
    expect(await running.result).toMatchObject({
      code: 1,
      err: `ovs-vsctl: ${other.remote}: ${reason}\n`,
    });
  });

  it('deletes just the auto-attach mapping that is meant', async () => {
    await ours('add-br', 'br0', '--', 'add-aa-mapping', 'br0', '1', '2');
    await ours('add-aa-mapping', 'br0', '7', '2', '--', 'del-aa-mapping', 'br0', '1', '2');
    expect((await ours('get-aa-mapping', 'br0')).out).toContain('7 2');
    expect((await ours('get-aa-mapping', 'br0')).out).not.toContain('1 2');
  });

  it('says what is wrong where a command has destroyed what the next one needs', async () => {
    await ours('add-br', 'br0', '--', 'add-bond', 'br0', 'b', 'i', 'j');
    const after = async (...words: string[]) =>
      (await ours('destroy', ...words)).err.filter((line) => line !== '');
    const root = 'ovs-vsctl: the record in Open_vSwitch was destroyed by an earlier command';
    expect(await after('Open', '.', '--', 'add-br', 'x')).toEqual([root]);
    expect(await after('Open', '.', '--', 'set-manager', 'tcp:')).toEqual([root]);
    expect(await after('Port', 'b', '--', 'del-port', 'b')).toEqual(['ovs-vsctl: no port named b']);
    const bridge = 'ovs-vsctl: no bridge named br0';
    expect(await after('Bridge', 'br0', '--', 'add-port', 'br0', 'p')).toEqual([bridge]);
  });

  const ours = (...argv: string[]) => runOurs(server.remote, argv);

  /** With nothing to keep it from waiting. A --db among the words takes the place of the server's. */
  function start(...words: string[]) {
    const text = { out: '', err: '' };
    let isOver = false;
    const code = run([`--db=${server.remote}`, ...words], {
      writeOut: (each) => {
        text.out += each;
      },
      writeError: (each) => {
        text.err += each;
      },
      isTerminal: false,
      alarm: () => 142,
    });
    const result = code.then((code) => {
      isOver = true;
      return { code, ...text };
    });
    return { result, isOver: () => isOver };
  }

  async function names(): Promise<string[]> {
    const rows = (await server.dump()).get('Bridge') ?? [];
    return rows.map(({ name }) => String(name)).sort();
  }

  async function config(): Promise<Readonly<Record<string, unknown>>> {
    return ((await server.dump()).get('Open_vSwitch') ?? [])[0];
  }

  async function update(table: string, row: Record<string, number | string>, name?: string) {
    const where = name === undefined ? [] : [['name', '==', name]];
    await server.transact({ op: 'update', table, where, row });
  }
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('what is copied of the database', () => {
  it.each([
    ['list-br', { Bridge: ['name', 'ports'], Port: ['name', 'fake_bridge', 'tag'] }],
    ['list-ifaces br0', { Interface: ['name'], Port: expect.arrayContaining(['interfaces']) }],
    ['get Bridge br0 name', { Bridge: ['name'] }],
    ['--columns=dscp list Queue', { Queue: ['dscp'] }],
    ['find Interface type=tap', { Interface: expect.arrayContaining(['statistics']) }],
    ['get-manager', { Manager: ['target'], Open_vSwitch: ['manager_options'] }],
  ])('for %s is what it needs', async (line, tables) => {
    const needs = new Needs(await loadSchema());
    const logs = openLogs(new Vlog({ program: 'test' }));
    for (const command of parseCommands(['--', ...line.split(' ')], new Map())) {
      command.syntax.prepare?.(command, { needs, logs, isTerminal: false });
    }
    expect(Object.fromEntries(needs.tables)).toMatchObject(tables);
    const others = [...needs.tables.keys()].filter((table) => !Object.hasOwn(tables, table));
    expect(others.filter((table) => table !== 'Open_vSwitch' && table !== 'Bridge')).toEqual([]);
  });
});
