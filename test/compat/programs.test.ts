/** The programs of compat/bin as scripts meet them: first in PATH, through links, from anywhere. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openVswitchSchema } from '../../src/schema/schema.ts';
import { stockMissing } from '../ovsdb/database/stock-database.ts';
import { StockServer } from '../ovsdb/replica/stock-server.ts';

const BIN = resolve(import.meta.dirname, '../../compat/bin');
const NAMES = ['ovsdb-server', 'ovs-vswitchd', 'ovs-vsctl', 'ovsdb-client', 'ovs-appctl'];

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd = '/') {
  const { stdout, stderr, status, signal }: SpawnSyncReturns<string> = spawnSync(program, args, {
    env,
    cwd,
    encoding: 'utf8',
    timeout: 15_000,
  });
  return { stdout, stderr, status, signal };
}

describe('compat/bin', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tapflow-compat-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each(NAMES)('has %s, which runs through a link from another directory', (name) => {
    accessSync(join(BIN, name), constants.X_OK);
    mkdirSync(join(dir, 'links'), { recursive: true });
    symlinkSync(join(BIN, name), join(dir, 'links', name));
    const env = { ...process.env, PATH: `${join(dir, 'links')}:${process.env.PATH}` };
    const { stdout, status } = run(name, ['--version'], env, dir);
    expect(stdout.split('\n')[0]).toBe(`${name} (Open vSwitch) 3.1.0`);
    expect(stdout).toMatch(/^tapflow \d/m);
    expect(status).toBe(0);
  });
});

describe.skipIf(stockMissing() && !process.env.TAPFLOW_REQUIRE_SYSTEM)('programs by path', () => {
  let server: StockServer;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    server = new StockServer([openVswitchSchema]);
    await server.start();
    env = { ...server.env, PATH: `${BIN}:${server.env.PATH}` };
    run('/usr/bin/ovs-vsctl', ['--no-wait', 'add-br', 'br0', '--', 'add-br', 'br1'], env);
  });
  afterAll(() => server.destroy());

  const shell = (script: string) => run('sh', ['-c', script], env, server.dir);
  const names = () => shell('ovsdb-client --bare dump Open_vSwitch Bridge name').stdout;

  it('restore what stock backs up, and stock what they do', () => {
    const before = names();
    expect(before).toContain('br0\n\nbr1\n');
    expect(shell('/usr/bin/ovsdb-client backup > stock && ovsdb-client restore < stock')).toEqual({
      ...{ stdout: '', stderr: '', status: 0, signal: null },
    });
    expect(names()).toBe(before);
    expect(shell('ovsdb-client backup > ours && cat ours | ovsdb-client restore').stderr).toBe('');
    expect(shell('/usr/bin/ovsdb-client restore < ours').stderr).toBe('');
    expect(names()).toBe(before);
  });

  it.each([
    ['nothing', ': '],
    ['rubbish', 'echo x'],
    ['a part', 'head -c 1000 stock'],
    ['another byte', 'sed s/Open_vSwitch/Open_vSwitcH/ stock'],
    ['a garbled record', '(head -2 stock; echo rubbish)'],
  ])('refuse to restore %s as stock does', (_, script) => {
    shell('/usr/bin/ovsdb-client backup > stock');
    shell(`${script} > broken`);
    const stock = shell('/usr/bin/ovsdb-client restore < broken');
    expect(stock.status).toBe(1);
    expect(shell('ovsdb-client restore < broken')).toEqual(stock);
  });

  it('end by SIGALRM when their time is over', () => {
    const { stderr, signal } = run('ovsdb-client', ['-t', '1', 'wait', 'Nix', 'added'], env);
    expect(stderr).toMatch(/\|fatal_signal\|WARN\|terminating with signal 14 \(Alarm clock\)\n$/);
    expect(signal).toBe('SIGALRM');
  });

  it('end when all is read, however slowly', () => {
    const slow = '(sleep 0.5; cat)';
    const printed = shell(`ovsdb-client --pretty get-schema | ${slow} | wc -l`);
    expect(printed.stdout.trim()).toBe(
      shell('/usr/bin/ovsdb-client --pretty get-schema | wc -l').stdout.trim(),
    );
  });

  it('end quietly when nobody reads on', () => {
    expect(shell('ovsdb-client get-schema --pretty | head -1')).toMatchObject({
      ...{ stdout: '{\n', stderr: '', status: 0 },
    });
  });

  it('wait for a database, and until it is gone', () => {
    const { stderr, status } = run('ovsdb-client', ['wait', 'Open_vSwitch', 'connected'], env);
    expect(stderr).toMatch(/^\S+\|00001\|reconnect\|INFO\|unix:\S+db\.sock: connecting\.\.\.\n/);
    expect(status).toBe(0);
    expect(run('ovsdb-client', ['wait', 'Nix', 'removed'], env).status).toBe(0);
  });

  it('monitor in the background, and are told by ovs-appctl', async () => {
    const start =
      'ovsdb-client --detach --no-chdir --pidfile monitor-cond \'[["name","==","br0"]]\' Bridge name';
    expect(shell(`${start} > out`)).toMatchObject({ stderr: '', status: 0 });
    const out = () => readFileSync(join(server.dir, 'out'), 'utf8');
    expect(out()).toMatch(/ initial br0\n$/);
    const appctl = (command: string) => shell(`ovs-appctl -t ovsdb-client ${command}`);
    expect(appctl('list-commands').stdout).toContain('ovsdb-client/cond_change TABLE COND\n');
    const change = appctl('ovsdb-client/cond_change Bridge \'[["name","==","br1"]]\'');
    expect(change).toMatchObject({ stdout: 'condition changed\n', status: 0 });
    await until(() => /insert br1\n/.test(out()));
    expect(out()).toMatch(/ delete *\n/);
    appctl('ovsdb-client/block');
    run('/usr/bin/ovs-vsctl', ['--no-wait', 'del-br', 'br1'], env);
    await delay(300);
    expect(out()).not.toMatch(/delete.*br1\n/);
    appctl('ovsdb-client/unblock');
    await until(() => out().match(/ delete/g)?.length === 2);
    expect(appctl('exit').status).toBe(0);
    await until(() => !existsSync(join(server.dir, 'ovsdb-client.pid')));
  });

  it('hold a lock in the background', async () => {
    shell('ovsdb-client --detach --no-chdir --pidfile lock one > locks');
    expect(shell('ovs-appctl -t ovsdb-client lock two').status).toBe(0);
    expect(shell('ovs-appctl -t ovsdb-client unlock one').status).toBe(0);
    const out = () => readFileSync(join(server.dir, 'locks'), 'utf8');
    await until(() => out() === '{"locked":true}\n{"locked":true}\n{}\n');
    shell('ovs-appctl -t ovsdb-client exit');
    await until(() => !existsSync(join(server.dir, 'ovsdb-client.pid')));
  });
});

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; !isTrue(); i++) {
    if (i > 500) throw new Error('it did not come true in 10 s');
    await delay(20);
  }
}
