/** `tapflow vswitchd` against the stock server and the stock tools, without devices. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/vswitchd/program.ts';
import { stockMissing } from '../ovsdb/database/stock-database.ts';
import { VswitchdLab } from './database/vswitchd-lab.ts';

const missing = process.env.TAPFLOW_REQUIRE_SYSTEM ? undefined : stockMissing();

describe.skipIf(missing !== undefined)('vswitchd with the stock tools', () => {
  let lab: VswitchdLab;

  beforeEach(async () => {
    lab = new VswitchdLab();
    await lab.start();
  });
  afterEach(() => lab.close());

  it('is ready when --detach returns, and takes ovs-vsctl at its word', () => {
    const begun = performance.now();
    lab.vswitchd('ovs-vswitchd', '--simulated');
    console.log(`    from command to ready: ${Math.round(performance.now() - begun)} ms`);
    lab.vsctl(
      'add-br',
      'br0',
      '--',
      'add-port',
      'br0',
      'p1',
      'tag=3',
      '--',
      'set',
      'interface',
      'p1',
      'type=dummy',
    );
    expect(lab.get('Interface', 'p1', 'ofport')).toBe('1');
    expect(lab.get('Open_vSwitch', '.', 'cur_cfg')).toBe(lab.get('Open_vSwitch', '.', 'next_cfg'));
    expect(lab.vsctl('show')).toContain('ovs_version: "3.1.0"');
    expect(lab.appctl('dpif/show').stdout).toContain('p1 1/');
    lab.vsctl('del-br', 'br0');
    expect(lab.appctl('ofproto/list').stdout).toBe('');
  });

  it('has a configuration that was there before in force when it is ready', () => {
    lab.vsctl('--no-wait', 'add-br', 'br0', '--', 'set', 'bridge', 'br0', 'fail_mode=secure');
    lab.vswitchd('ovs-vswitchd', '--simulated');
    expect(lab.appctl('ofproto/list').stdout).toBe('br0\n');
    expect(lab.appctl('bridge/dump-flows', 'br0').stdout).toBe('');
  });

  it('tells ovs-vsctl what is wrong', () => {
    lab.vswitchd('ovs-vswitchd', '--simulated');
    lab.vsctl('add-br', 'br0');
    const { code, stderr } = lab.tryVsctl(
      'add-port',
      'br0',
      'p1',
      '--',
      'set',
      'interface',
      'p1',
      'type=foo',
    );
    expect(code).toBe(0);
    expect(stderr).toContain(
      "Error detected while setting up 'p1': could not open network device p1 (Address family not supported by protocol).",
    );
    expect(lab.get('Interface', 'p1', 'ofport')).toBe('-1');
    expect(lab.read('ovs-vswitchd.log')).toContain('|bridge|WARN|could not open network device p1');
  });

  it('answers ovs-appctl, and stops when told to', async () => {
    lab.vswitchd('ovs-vswitchd', '--simulated');
    const pid = lab.pid();
    expect(lab.appctl('version').stdout).toMatch(/^ovs-vswitchd \(Open vSwitch\) 3\.1\.0\n/);
    expect(lab.appctl('memory/show').stdout).toMatch(/idl-cells-Open_vSwitch:\d+ ports:0/);
    expect(lab.appctl('vlog/list').stdout).toContain('bridge');
    expect(lab.appctl('list-commands').stdout).toContain('exit                    [--cleanup]');
    expect(lab.appctl('exit', '--cleanup')).toEqual({ code: 0, stdout: '', stderr: '' });
    await lab.ended(pid);
    expect(lab.read('ovs-vswitchd.pid')).toBe('');
  });

  it('waits for the lock that another vswitchd has, and takes over from it', async () => {
    lab.vswitchd('ovs-vswitchd', '--simulated');
    lab.vsctl('add-br', 'br0', '--', 'set', 'interface', 'br0', 'ofport_request=3');
    const first = lab.pid();
    let isReady = false;
    const second = lab.vswitchdInTime('second', '--simulated', '--unixctl=second.ctl');
    second.finally(() => {
      isReady = true;
    });
    await lab.until(() =>
      lab.read('second.log').includes('another ovs-vswitchd process is running'),
    );
    expect(lab.appctl('-t', lab.file('second.ctl'), 'ofproto/list').stdout).toBe('');
    expect(isReady).toBe(false);
    lab.appctl('exit');
    await lab.ended(first);
    expect(await second).toBe(0);
    expect(lab.appctl('-t', lab.file('second.ctl'), 'ofproto/list').stdout).toBe('br0\n');
  });

  it('tells a server that was restarted what it had forgotten', async () => {
    lab.vswitchd('ovs-vswitchd', '--simulated');
    lab.vsctl('add-br', 'br0');
    await lab.server.stop();
    await lab.server.start();
    await lab.until(() => lab.get('Interface', 'br0', 'link_state') === 'up');
    lab.vsctl('add-br', 'br1');
    expect(lab.appctl('ofproto/list').stdout).toBe('br0\nbr1\n');
  });

  it('tells of ports what stock tells of its dummies', async () => {
    const operations = [
      ...['add-br', 'br0', '--', 'set', 'interface', 'br0', 'mtu_request=1500'],
      ...['--', 'add-port', 'br0', 'p1', '--', 'set', 'interface', 'p1', 'ofport_request=5'],
      ...['--', 'add-port', 'br0', 'p2', '--', 'set', 'interface', 'p2', 'type=foo'],
      ...['--', 'add-port', 'br0', 'p3', '--', 'set', 'interface', 'p3', 'type=patch'],
      ...['--', 'add-port', 'br0', 'p4', '--', 'set', 'interface', 'p4', 'type=internal'],
      ...['mac="02:00:00:00:00:07"', 'mtu_request=1400', 'ofport_request=9'],
      ...['--', 'add-port', 'br0', 'p6', 'tag=7', '--', 'set', 'interface', 'p6', 'type=tap'],
      ...['ofport_request=6'],
    ];
    const columns = [
      ...['ofport', 'error', 'admin_state', 'link_state', 'link_resets', 'link_speed', 'duplex'],
      ...['mtu', 'ifindex', 'status'],
    ];
    const told = () => {
      lab.tryVsctl(...operations);
      const rows = ['br0', 'p1', 'p2', 'p3', 'p4', 'p6'].map((name) => [
        name,
        ...columns.map((column) => `${column}=${lab.get('Interface', name, column)}`),
      ]);
      const mac = lab.get('Interface', 'p4', 'mac_in_use');
      const more = ['datapath_version', 'datapath_type'].map((each) =>
        lab.get('Bridge', 'br0', each),
      );
      return { rows, mac, more };
    };
    lab.stockVswitchd();
    const stock = told();
    const pid = lab.pid();
    lab.appctl('exit');
    await lab.ended(pid);
    lab.vsctl('--no-wait', 'del-br', 'br0');
    lab.vswitchd('ovs-vswitchd', '--enable-dummy=override');
    expect(told()).toEqual(stock);
  });
});

describe('the command line', () => {
  async function run(...argv: string[]): Promise<{ code: number; text: string }> {
    let text = '';
    const keep = (piece: unknown) => {
      text += String(piece);
      return true;
    };
    const { stdout, stderr } = process;
    const writers = [stdout.write, stderr.write];
    Object.assign(stdout, { write: keep });
    Object.assign(stderr, { write: keep });
    try {
      return { code: await main(argv), text };
    } finally {
      Object.assign(stdout, { write: writers[0] });
      Object.assign(stderr, { write: writers[1] });
    }
  }

  it('refuses what it does not know, with exit code 1', async () => {
    const cases: [string[], string][] = [
      [['--foo'], "ovs-vswitchd: unrecognized option '--foo'\n"],
      [
        ['unix:a', 'unix:b'],
        'ovs-vswitchd: at most one non-option argument accepted; use --help for usage\n',
      ],
      [
        ['--workers=x'],
        'ovs-vswitchd: --workers=x: a number of threads, at least 1, was expected\n',
      ],
      [['--backend=x'], 'ovs-vswitchd: --backend=x: io_uring or plain was expected\n'],
      [['--bootstrap-ca-cert=f'], 'ovs-vswitchd: --bootstrap-ca-cert is not supported\n'],
    ];
    for (const [argv, text] of cases) expect(await run(...argv)).toEqual({ code: 1, text });
  });

  it('says what it is', async () => {
    expect((await run('--version')).text).toMatch(
      /^ovs-vswitchd \(Open vSwitch\) 3\.1\.0\ntapflow /,
    );
    expect((await run('-h')).text).toContain('usage: ovs-vswitchd [OPTIONS] [DATABASE]');
  });
});
