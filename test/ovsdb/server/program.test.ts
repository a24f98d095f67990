/** ovsdb-server as a process: its command line, its control socket, and stock's tools that use it. */
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../../src/ovsdb/server/database-file.ts';
import { openVswitchSchema } from '../../../src/schema/schema.ts';
import { Daemon, HAS_STOCK, OURS, STOCK } from './daemon.ts';
import { Sandbox } from './servers.ts';

let sandbox: Sandbox;
let daemons: Daemon[];
beforeEach(() => {
  sandbox = new Sandbox();
  daemons = [];
});
afterEach(async () => {
  for (const daemon of daemons) await daemon.stop('SIGKILL');
  sandbox.remove();
});

const run = (command: readonly string[], ...args: string[]): Daemon => {
  const daemon = new Daemon(sandbox, command, args);
  daemons.push(daemon);
  return daemon;
};
const serve = async (command = OURS, ...args: string[]): Promise<Daemon> => {
  if (!existsSync(sandbox.file('db'))) await createDatabase(sandbox.file('db'), openVswitchSchema);
  const daemon = await Daemon.serve(sandbox, command, args);
  daemons.push(daemon);
  return daemon;
};

describe('the command line', () => {
  it('prints versions and help', async () => {
    const { code, text } = await run(OURS, '--version').ended;
    expect([code, text]).toEqual([
      0,
      expect.stringMatching(/^ovsdb-server \(Open vSwitch\) 3\.1\.0\ntapflow \d+\.\d+\.\d+\n$/),
    ]);
    const help = (await run(OURS, '-h').ended).text;
    expect(help).toContain('usage: ovsdb-server [OPTIONS] [DATABASE...]');
  });

  it.each([
    [['--bogus'], "unrecognized option '--bogus'"],
    [['--remote'], "option '--remote' requires an argument"],
    [[], 'I/O error: DIR/conf.db: open failed (No such file or directory)'],
    [['nope.db'], 'I/O error: DIR/nope.db: open failed (No such file or directory)'],
    [['--sync-from=tcp:1.2.3.4'], "--sync-from: tapflow's ovsdb-server does not support this"],
    [
      ['relay:x:tcp:1.1.1.1:1'],
      "relay databases (relay:x:tcp:1.1.1.1:1): tapflow's ovsdb-server does not support this",
    ],
    [['--no-dbs', '--remote=db:x'], '"db:x": invalid syntax'],
    [['--no-dbs', '--remote=db:x,y,z'], '"db:x,y,z": no database named x'],
    [['--no-dbs', '--private-key=db:x'], '"db:x": invalid syntax'],
    [
      ['--no-dbs', '--unixctl=/nope/ctl'],
      '/nope/ctl: could not initialize control socket (No such file or directory)',
    ],
  ])('%j ends it with a reason', async (args, reason) => {
    const { code, text } = await run(OURS, ...args).ended;
    expect(code).toBe(1);
    expect(text.replaceAll(sandbox.dir, 'DIR')).toBe(`ovsdb-server: ${reason}\n`);
  });

  it('--run ends the server with the command, and its success', async () => {
    const options = ['--no-dbs', '--unixctl=none', '-vconsole:off'];
    expect(await run(OURS, ...options, '--run=true').ended).toMatchObject({ code: 0, text: '' });
    expect(await run(OURS, ...options, '--run=exit 3').ended).toMatchObject({
      code: 1,
      text: 'ovsdb-server: exit 3: child exited, exit status 3\n',
    });
  });

  it('--detach returns when clients can connect, within 400 ms and some for a busy machine', async () => {
    await createDatabase(sandbox.file('conf.db'), openVswitchSchema);
    const started = performance.now();
    const { code } = await run(
      OURS,
      '--detach',
      '--pidfile',
      '--log-file',
      '--remote=punix:db.sock',
    ).ended;
    expect(performance.now() - started).toBeLessThan(1500);
    expect(code).toBe(0);
    expect(existsSync(sandbox.file('db.sock'))).toBe(true);
    const pid = Number(readFileSync(sandbox.file('ovsdb-server.pid'), 'utf8'));
    expect(existsSync(sandbox.file(`ovsdb-server.${pid}.ctl`))).toBe(true);
    process.kill(pid, 'SIGTERM');
    while (existsSync(sandbox.file('ovsdb-server.pid'))) await delay(10);
    expect(existsSync(sandbox.file('db.sock'))).toBe(false);
  });
});

const PROGRAM_FILES = fileURLToPath(new URL('../rpc/tls', import.meta.url));
const pem = (name: string): string => path.join(PROGRAM_FILES, name);

describe.skipIf(!HAS_STOCK)('stock tools', () => {
  const vsctl = (...args: string[]) =>
    sandbox.run('ovs-vsctl', '--no-wait', `--db=unix:${sandbox.file('sock')}`, ...args);
  const client = (...args: string[]) => sandbox.run('ovsdb-client', ...args);

  it('ovs-vsctl configures as with stock, and what it wrote is there after a restart', async () => {
    const shown: string[] = [];
    for (const command of [OURS, STOCK]) {
      const daemon = await serve(command);
      if (command === OURS) {
        expect(vsctl('init')).toBe('');
        expect(
          vsctl('add-br', 'br0', '--', 'add-port', 'br0', 'p1', '--', 'set', 'Port', 'p1', 'tag=7'),
        ).toBe('');
        expect(
          vsctl(
            '--',
            '--id=@m',
            'create',
            'Mirror',
            'name=m',
            '--',
            'add',
            'Bridge',
            'br0',
            'mirrors',
            '@m',
          ),
        ).toMatch(/^[\da-f-]{36}\n$/);
        expect(vsctl('add-br', 'br0')).toContain('br0 already exists');
      }
      shown.push(vsctl('show') + vsctl('list', 'Bridge') + vsctl('list', 'Port', 'br0', 'p1'));
      expect((await daemon.stop()).code).not.toBe(1);
    }
    expect(shown[0]).toContain('tag: 7');
    expect(shown[1]).toBe(shown[0]);
  });

  it('ovsdb-client lists, queries, dumps, monitors, locks and waits', async () => {
    await serve();
    const remote = `unix:${sandbox.file('sock')}`;
    vsctl('init', '--', 'add-br', 'br0');
    expect(client('list-dbs', remote)).toBe('Open_vSwitch\n_Server\n');
    expect(client('get-schema-version', remote)).toBe('8.3.1\n');
    expect(client('dump', remote, 'Bridge', 'name')).toBe('Bridge table\nname\n----\nbr0\n');
    expect(
      client(
        'query',
        remote,
        '["Open_vSwitch",{"op":"select","table":"Bridge","where":[],"columns":["name"]}]',
      ),
    ).toBe('[{"rows":[{"name":"br0"}]}]\n');
    expect(client('wait', remote, 'Open_vSwitch', 'connected')).toMatch(/: connected\n$/);
    const backup = client('backup', remote);
    expect(backup).toMatch(/^OVSDB JSON \d+ [\da-f]{40}\n\{"cksum"/);
    for (const [command, condition] of [
      ['monitor', []],
      ['monitor-cond', ['[["name","==","br0"]]']],
    ] as const) {
      const text = sandbox.run(
        'timeout',
        '1',
        'ovsdb-client',
        command,
        remote,
        ...(command === 'monitor' ? [] : ['Open_vSwitch', ...condition]),
        'Bridge',
        'name',
      );
      expect(text).toMatch(/initial br0/);
    }
  });

  it('ovs-appctl is answered as by stock', async () => {
    const talk = async (command: readonly string[]) => {
      const daemon = await serve(command);
      const answers = COMMANDS.map((words) => `${words.join(' ')}: ${daemon.appctl(...words)}`);
      await daemon.stop();
      return answers.map((text) =>
        text.replaceAll(sandbox.dir, 'DIR').replace(/^\S+ovs-appctl.*$/gm, ''),
      );
    };
    const ours = await talk(OURS);
    expect(ours).toEqual(await talk(STOCK));
  });

  it.skipIf(!HAS_VSWITCHD)('ovs-vswitchd runs on it', async () => {
    await serve();
    vsctl('init');
    const args = ['--enable-dummy=override', '--disable-system', '-vconsole:off', '-vsyslog:off'];
    const remote = `unix:${sandbox.file('sock')}`;
    const switchd = run(['ovs-vswitchd'], ...args, `--unixctl=${sandbox.file('vctl')}`, remote);
    const wait = (...words: string[]) =>
      sandbox.run('ovs-vsctl', '-t', '10', `--db=${remote}`, ...words);
    const port = ['add-port', 'br0', 'p1', '--', 'set', 'Interface', 'p1', 'type=dummy'];
    expect(
      wait('add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=dummy', '--', ...port),
    ).toBe('');
    expect(wait('get', 'Interface', 'p1', 'ofport')).toBe('1\n');
    expect(wait('get', 'Open_vSwitch', '.', 'cur_cfg')).toBe('1\n');
    await switchd.stop();
  });

  it('exit stops it', async () => {
    const daemon = await serve();
    expect(daemon.appctl('exit')).toBe('');
    expect((await daemon.ended).code).toBe(0);
  });

  it('managers in the database are listened for, connected to, and told of', async () => {
    const daemon = await serve(OURS, '--remote=db:Open_vSwitch,Open_vSwitch,manager_options');
    const accepted: net.Socket[] = [];
    const manager = net.createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => manager.once('listening', resolve));
    const { port } = manager.address() as net.AddressInfo;
    vsctl('init', '--', 'set-manager', 'ptcp:0:127.0.0.1', `tcp:127.0.0.1:${port}`);
    await daemon.until(() => accepted.length > 0 && /listening on port (\d+)/.test(daemon.text));
    const [, bound] = /listening on port (\d+)/.exec(daemon.text) ?? [];
    expect(client('list-dbs', `tcp:127.0.0.1:${bound}`)).toBe('Open_vSwitch\n_Server\n');
    while (!vsctl('list', 'Manager').includes('bound_port')) await delay(200);
    const columns = ['--columns=target,is_connected,status', '--bare', 'list', 'Manager'];
    expect(
      vsctl(...columns)
        .split('\n\n')
        .sort(),
    ).toEqual([
      expect.stringMatching(/^\n?ptcp:0:127\.0\.0\.1\nfalse\nbound_port="?\d+/),
      expect.stringMatching(
        new RegExp(`^\\n?tcp:127.0.0.1:${port}\ntrue\nsec_since_connect="?\\d+"? state=ACTIVE`),
      ),
    ]);
    vsctl('del-manager');
    await daemon.until(() => daemon.text.includes(`tcp:127.0.0.1:${port}: remote deconfigured`));
    expect(client('list-dbs', `tcp:127.0.0.1:${bound}`)).toContain('Connection refused');
    manager.close();
    for (const socket of accepted) socket.destroy();
  });

  it('SSL: files named by options or by the database identify the server', async () => {
    const names = [
      '--private-key=db:Open_vSwitch,SSL,private_key',
      '--certificate=db:Open_vSwitch,SSL,certificate',
      '--ca-cert=db:Open_vSwitch,SSL,ca_cert',
    ];
    const daemon = await serve(OURS, ...names, '--remote=pssl:0:127.0.0.1');
    await daemon.until(() => daemon.text.includes('listen failed'));
    vsctl('init', '--', 'set-ssl', pem('peer-key.pem'), pem('peer-cert.pem'), pem('ca.pem'));
    await daemon.until(() => /listening on port \d+/.test(daemon.text));
    const port = Number(/listening on port (\d+)/.exec(daemon.text)?.[1]);
    const files = {
      key: readFileSync(pem('peer-key.pem')),
      cert: readFileSync(pem('peer-cert.pem')),
      ca: readFileSync(pem('ca.pem')),
    };
    const socket = tls.connect({
      host: '127.0.0.1',
      port,
      ...files,
      checkServerIdentity: () => undefined,
    });
    socket.write('{"id":1,"method":"list_dbs","params":[]}');
    const answer = await new Promise((resolve) =>
      socket.once('data', (data) => resolve(String(data))),
    );
    expect(answer).toContain('"Open_vSwitch"');
    socket.destroy();
  });
});

const HAS_VSWITCHD = existsSync('/usr/sbin/ovs-vswitchd');

/** Their answers do not depend on how the server is made. */
const COMMANDS = [
  ['version'],
  ['ovsdb-server/list-dbs'],
  ['ovsdb-server/list-remotes'],
  ['ovsdb-server/remove-remote', 'ptcp:x'],
  ['ovsdb-server/add-remote', 'punix:other'],
  ['ovsdb-server/list-remotes'],
  ['ovsdb-server/remove-remote', 'punix:other'],
  ['ovsdb-server/add-remote', 'db:x'],
  ['ovsdb-server/add-remote', 'db:x,y,z'],
  ['ovsdb-server/add-remote', 'db:Open_vSwitch,y,z'],
  ['ovsdb-server/add-remote', 'db:Open_vSwitch,Bridge,z'],
  ['ovsdb-server/add-remote', 'db:Open_vSwitch,Bridge,stp_enable'],
  ['ovsdb-server/list-remotes'],
  ['ovsdb-server/add-db', '/nope'],
  ['ovsdb-server/remove-db', 'x'],
  ['ovsdb-server/remove-db', '_Server'],
  ['ovsdb-server/compact', 'x'],
  ['ovsdb-server/compact', '_Server'],
  ['ovsdb-server/compact', 'Open_vSwitch'],
  ['ovsdb-server/compact'],
  ['ovsdb-server/get-db-storage-status'],
  ['ovsdb-server/get-db-storage-status', 'x'],
  ['ovsdb-server/get-db-storage-status', 'Open_vSwitch'],
  ['ovsdb-server/get-db-storage-status', '_Server'],
  ['ovsdb-server/sync-status'],
  ['memory/show'],
  ['ovsdb-server/reconnect'],
  ['ovsdb-server/remove-db', 'Open_vSwitch'],
  ['ovsdb-server/list-dbs'],
  ['nonsense'],
];
