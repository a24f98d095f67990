/**
 * Our ovsdb-client and the stock one, called alike against the same stock
 * server: they print the same and end with the same exit code. Where a server
 * or a client takes an order from a hash, lines are compared in order.
 */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/ovsdb-client/program.ts';
import { openVswitchSchema } from '../../../src/schema/schema.ts';
import { stockMissing } from '../../ovsdb/database/stock-database.ts';
import { StockServer } from '../../ovsdb/replica/stock-server.ts';

interface Result {
  stdout: string;
  stderr: string;
  code: number | null;
}

describe.skipIf(stockMissing() && !process.env.TAPFLOW_REQUIRE_SYSTEM)('ovsdb-client', () => {
  let server: StockServer;
  const environment = { ...process.env };

  beforeAll(async () => {
    server = new StockServer([openVswitchSchema]);
    await server.start();
    Object.assign(process.env, server.env);
    const vsctl = (...args: string[]) =>
      server.run('ovs-vsctl', `--db=unix:${server.socket}`, '--no-wait', ...args);
    vsctl('init');
    vsctl('add-br', 'br0', '--', 'add-br', 'br1', '--', 'add-port', 'br0', 'p1');
    vsctl('set', 'bridge', 'br0', 'external_ids:a=b', 'external_ids:"x y"="1,\\"2"');
    vsctl('set', 'bridge', 'br1', 'stp_enable=true', 'protocols=OpenFlow13,OpenFlow14');
    vsctl('set', 'interface', 'p1', 'type=dummy', 'options:ü=é', 'ofport_request=7');
    vsctl(
      '--',
      '--id=@q',
      'create',
      'qos',
      'type=x',
      'queues:3=@a',
      '--',
      '--id=@a',
      'create',
      'queue',
      'dscp=3',
    );
  });

  afterAll(async () => {
    process.env = environment;
    await server.destroy();
  });

  function stock(args: readonly string[]): Result {
    const { stdout, stderr, status }: SpawnSyncReturns<string> = spawnSync('ovsdb-client', args, {
      env: server.env,
      encoding: 'utf8',
      timeout: 10_000,
    });
    return { stdout, stderr, code: status };
  }

  async function ours(args: readonly string[]): Promise<Result> {
    const result = { stdout: '', stderr: '' };
    const code = await main(args, {
      print: (text) => {
        result.stdout += text;
      },
      printError: (text) => {
        result.stderr += text;
      },
    });
    return { ...result, code };
  }

  const select = '["Open_vSwitch",{"op":"select","table":"Bridge","where":[],"columns":["name"]}]';
  const insert = '["Open_vSwitch",{"op":"insert","table":"Nix","row":{}}]';

  it.each<string[][]>([
    [['list-dbs']],
    [['get-schema']],
    [['get-schema', '--pretty']],
    [['get-schema', '_Server']],
    [['get-schema-version']],
    [['get-schema-cksum', 'Open_vSwitch']],
    [['get-schema-version', '_Server']],
    [['list-columns', 'Nix']],
    [['list-columns', 'Open_vSwitch', 'Nix', '-fjson']],
    [['needs-conversion', '/usr/share/openvswitch/vswitch.ovsschema']],
    [['needs-conversion', '/nowhere']],
    [['transact', '["Open_vSwitch"]']],
    [['transact', '["Nix"]']],
    [['--pretty', 'transact', '["Nix"]']],
    [['transact', insert]],
    [['transact', '{']],
    [['transact', '{}']],
    [['transact', '[]']],
    [['transact', '[1]']],
    [['query', '["Open_vSwitch"]']],
    [['query', insert]],
    [['query', '["Open_vSwitch",{"op":"abort"}]']],
    [['query', '["Nix"]']],
    [['query', '[[']],
    [['dump']],
    [['dump', '-fcsv']],
    [['dump', '--bare']],
    [['dump', 'Open_vSwitch', '-flist']],
    [['dump', '-fhtml', 'Bridge']],
    [['dump', '-fjson', '--pretty', 'Interface']],
    [['dump', 'Port', 'name', '_uuid', 'interfaces']],
    [['dump', 'Port', 'interfaces']],
    [['dump', 'QoS', '_version', '_uuid', '--max-column-width=8']],
    [['dump', 'Bridge', '-d', 'json', 'ports', 'name', 'protocols']],
    [['dump', '_Server', 'Database', 'name', 'model', 'connected', 'leader', 'schema']],
    [['dump', 'Nix']],
    [['dump', 'Bridge', 'nix']],
    [['dump', '']],
    [['monitor', 'Nix']],
    [['monitor', 'Bridge', 'nix']],
    [['monitor', 'Bridge', '!foo']],
    [['monitor', 'Bridge', 'name', 'name']],
    [['monitor', 'Bridge', 'name', 'ports,name']],
    [['monitor', 'Bridge', '!initial', 'name']],
    [['monitor', 'ALL', 'name']],
    [['monitor-cond', '[[', 'Bridge']],
    [['monitor-cond', '', 'Bridge']],
    [['monitor-cond', '[]', 'Nix']],
    [['monitor-cond', '[]', 'ALL']],
    [['monitor-cond', '[]', 'Bridge', 'nix']],
    [['monitor-cond', '[["nix","==",2]]', 'Bridge']],
    [['monitor-cond', '[["name","==",2]]', 'Bridge']],
    [['monitor-cond', '[]', 'Bridge', 'name', 'ports']],
    [['monitor-cond-since', 'Open_vSwitch', '0000', '[]', 'Bridge']],
    [['wait', 'Nix', 'nix']],
    [['wait', 'Nix']],
    [['wait', 'a:b', 'b', 'c', 'd']],
    [['restore', 'x']],
    [['backup', 'x']],
    [['lock']],
    [['steal', 'a', 'b']],
    [[]],
    [['nix']],
    [['list-dbs', 'x']],
    [['list-dbs', 'x', 'y']],
    [['list-dbs', 'unix:/nowhere']],
    [['list-dbs', 'x:y']],
    [['list-dbs', 'tcp:127.0.0.1:1']],
    [['get-schema', 'tcp:127.0.0.1:1', 'x']],
    [['--nix']],
    [['-x']],
    [['-f']],
    [['-f', 'xml', 'dump']],
    [['-d', 'xml', 'dump']],
    [['-t', '0', 'list-dbs']],
    [['-t', 'x', 'list-dbs']],
    [['-vnix', 'list-dbs']],
    [['-vjsonrpc:off', 'list-dbs']],
    [['--l', 'list-dbs']],
    [['--ca']],
    [['--no-h', 'dump', 'Bridge', 'name']],
  ])('prints what stock prints: %j', async (args) => {
    expect(await ours(args)).toEqual(stock(args));
  });

  it.each<string[][]>([
    [['list-tables']],
    [['list-tables', '_Server', '-fcsv']],
    [['list-columns']],
    [['list-columns', 'Bridge']],
    [['list-columns', '_Server', 'Database', '-fjson']],
    [['query', select]],
    [['transact', select]],
  ])('prints what stock prints, but for the order: %j', async (args) => {
    const sorted = ({ stdout, ...rest }: Result) => ({
      ...rest,
      stdout: stdout
        .split(/\n|(?<=\]),(?=\[)|(?<=\}),(?=\{)|(?<=\[\[?)(?=[[{])|(?<=[\]}])(?=\])/)
        .sort(),
    });
    expect(sorted(await ours(args))).toEqual(sorted(stock(args)));
  });

  it('connects to where it is told', async () => {
    const remote = `unix:${server.socket}`;
    for (const args of [
      ['list-dbs', remote],
      ['dump', remote, 'Open_vSwitch', 'Bridge'],
      ['dump', remote, 'QoS'],
    ]) {
      expect(await ours(args)).toEqual(stock(args));
    }
  });

  /** Runs both until `stop`. */
  function both(args: readonly string[]) {
    const result = { stdout: '', stderr: '' };
    const end = main(args, {
      print: (text) => {
        result.stdout += text;
      },
      printError: (text) => {
        result.stderr += text;
      },
    });
    const other = { stdout: '', stderr: '' };
    const child = spawn('ovsdb-client', args, { env: server.env });
    child.stdout.on('data', (text) => {
      other.stdout += text;
    });
    child.stderr.on('data', (text) => {
      other.stderr += text;
    });
    return { result, other, ended: Promise.all([end, once(child, 'close')]) };
  }

  /** Records of one table come in an order that has no meaning. */
  const blocks = (text: string) =>
    text
      .split('\n\n')
      .map((block) => block.split(/\n|(?<=\]),(?=\[)|(?<=\[)(?=\[)|(?<=\])(?=\])/).sort());

  const MONITORS: string[][] = [
    ['monitor', 'Bridge'],
    ['monitor', 'ALL'],
    ['monitor', 'Bridge', 'name,external_ids', 'stp_enable,protocols'],
    ['monitor', 'Bridge', '!initial,external_ids', 'name,!delete'],
    ['monitor', 'Bridge', 'name,!modify,!insert', '-fcsv'],
    ['monitor', 'Port', '_uuid,interfaces,_version', '-fjson'],
    ['monitor', 'Open_vSwitch', '-flist'],
    ['monitor-cond', '[]', 'Bridge', '-djson'],
    ['monitor-cond', '[["name","==","br9"],false]', 'Bridge', 'name,external_ids,!initial'],
    ['monitor-cond', '[]', 'Bridge', 'name,external_ids,protocols', '-fjson'],
    ['monitor-cond-since', '[true]', 'Bridge', 'name,external_ids'],
    ['monitor-cond-since', '00000000-0000-0000-0000-000000000000', '[]', 'Port', 'name', '-fjson'],
    ['--bare', 'monitor', 'Bridge', 'name', 'external_ids'],
  ];

  it('monitors as stock does, until the server goes', async () => {
    const running = MONITORS.map((args) => ({ args, ...both(args) }));
    const locks = both(['lock', 'one']);
    // A server holds back nothing, so all have what the slowest has.
    await delay(500);
    const steal = both(['steal', 'one']);
    const change = (...args: string[]) =>
      server.run('ovs-vsctl', `--db=unix:${server.socket}`, '--no-wait', ...args);
    change('set', 'bridge', 'br0', 'external_ids:x=7', 'protocols=OpenFlow13');
    change('add-br', 'br9', '--', 'set', 'bridge', 'br9', 'external_ids:z=1');
    change('set', 'bridge', 'br9', 'external_ids:z=2', '--', 'set', 'port', 'br9', 'tag=3');
    change('del-br', 'br9');
    change('clear', 'bridge', 'br0', 'protocols');
    await delay(500);
    server.run('ovs-appctl', '-t', join(server.dir, 'ctl'), 'exit');
    for (const { args, result, other, ended } of running) {
      const [code, [stockCode]] = await ended;
      expect({ args, code, stderr: result.stderr }).toEqual({
        args,
        code: stockCode,
        stderr: other.stderr,
      });
      expect({ args, blocks: blocks(result.stdout) }).toEqual({
        args,
        blocks: blocks(other.stdout),
      });
    }
    const [code, [stockCode]] = await locks.ended;
    await steal.ended;
    expect(code).toBe(stockCode);
    expect(locks.result.stderr).toBe(locks.other.stderr);
    const said = locks.result.stdout + locks.other.stdout;
    expect(said).toContain('{"locked":true}\n');
    expect(said).toContain('stolen\n["one"]\n');
    expect(steal.result.stdout).toContain('{"locked":true}\n');
    await server.stop();
    await server.start();
  });

  it('makes backups that stock restores, and restores those of stock', async () => {
    const dump = () => {
      const { stdout } = stock(['dump', '-fcsv']);
      return stdout
        .replace(/[\da-f]{8}-[\da-f-]{27}/g, '')
        .split('\n')
        .sort();
    };
    const before = dump();
    const file = join(server.dir, 'backup');
    writeFileSync(file, (await ours(['backup'])).stdout);
    expect(server.run('ovsdb-tool', 'db-version', file)).toBe('8.3.1\n');
    server.run('sh', '-c', `ovsdb-client restore < ${file}`);
    expect(dump()).toEqual(before);
  });
});
