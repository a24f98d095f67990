import { beforeEach, describe, expect, it } from 'vitest';
import { parseTopology } from '../../src/config/yaml.ts';
import { SimulatedDatapath } from '../../src/datapath/simulated.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { createSlowPath } from '../../src/ofproto/slow-path.ts';
import { commandTable } from '../../src/unixctl/command-table.ts';
import type { CommandRunner } from '../../src/unixctl/server.ts';
import { commandsOf } from '../../src/vswitchd/commands/all.ts';
import { applyCommand } from '../../src/vswitchd/commands/apply.ts';
import { noNamespaces } from '../../src/vswitchd/namespaces.ts';
import { Switch } from '../../src/vswitchd/switch.ts';
import { buildFrame } from '../../src/wire/frame.ts';

const TOPOLOGY = `
bridges:
  - name: br0
    ports:
      - { name: br0, type: dummy }
      - { name: p1, type: dummy, ofport_request: 2 }
      - { name: p2, type: dummy, tag: 10 }
      - { name: p3, type: dummy, trunks: [10, 20], vlan_mode: native-tagged, tag: 20 }
    flows: ["table=1,priority=7,tcp,tp_dst=80,actions=output:p1"]
  - name: br1
`;

let clock: ManualClock;
let sw: Switch;
let run: CommandRunner;

beforeEach(async () => {
  clock = new ManualClock();
  const dpif = new SimulatedDatapath({ clock });
  sw = new Switch({ dpif, slowPath: createSlowPath({ dpif, clock }), namespaces: noNamespaces });
  await sw.apply(parseTopology(TOPOLOGY, 'test.yaml'));
  const apply = applyCommand(async (file, text) => sw.apply(parseTopology(text, file)));
  run = commandTable([...commandsOf(sw), apply]);
});

const hex = (src: string, dst: string): string =>
  Buffer.from(buildFrame({ eth: { src, dst }, udp: {}, minSize: 60 })).toString('hex');

/** One frame from p2 to everybody, then three answers. */
async function traffic(): Promise<void> {
  const [a, b] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'];
  await run('netdev-dummy/receive', ['p2', hex(a, 'ff:ff:ff:ff:ff:ff')]);
  for (let n = 0; n < 3; n++) await run('netdev-dummy/receive', ['br0', hex(b, a)]);
}

describe("Open vSwitch's commands print what its own switch prints", () => {
  it('fdb/show and fdb/flush', async () => {
    await traffic();
    clock.advance(7000);
    expect(await run('fdb/show', ['br0'])).toBe(
      ' port  VLAN  MAC                Age\n' +
        '    1    10  02:00:00:00:00:0a    7\n' +
        'LOCAL     0  02:00:00:00:00:0b    7\n',
    );
    expect(await run('fdb/flush', [])).toBe('table successfully flushed');
    expect(await run('fdb/show', ['br0'])).toBe(' port  VLAN  MAC                Age\n');
  });

  it('dpif/show and dpctl/show', async () => {
    await traffic();
    expect(await run('dpif/show', [])).toBe(`netdev@ovs-netdev: hit:2 missed:2
  br0:
    br0 65534/1: (dummy)
    p1 2/2: (dummy)
    p2 1/3: (dummy)
    p3 3/4: (dummy)
  br1:
`);
    expect(await run('dpctl/show', [])).toBe(`netdev@ovs-netdev:
  lookups: hit:2 missed:2 lost:0
  flows: 2
  port 1: br0 (dummy)
  port 2: p1 (dummy)
  port 3: p2 (dummy)
  port 4: p3 (dummy)
`);
  });

  it('bridge/dump-flows and ofproto/list', async () => {
    await traffic();
    clock.advance(2500);
    expect(await run('bridge/dump-flows', ['br0'])).toBe(
      'duration=2s, n_packets=4, n_bytes=240, priority=0,actions=NORMAL\n' +
        'table_id=1, duration=2s, n_packets=0, n_bytes=0, priority=7,tcp,tp_dst=80,actions=output:2\n',
    );
    expect(await run('ofproto/list', [])).toBe('br0\nbr1\n');
  });

  it('upcall/set-flow-limit, revalidator/wait, revalidator/purge', async () => {
    await traffic();
    expect(await run('upcall/set-flow-limit', ['1234'])).toBe('set flow_limit to 1234');
    expect(await run('upcall/show', [])).toContain('(current 2) (limit 1234)');
    expect(await run('revalidator/wait', [])).toBe('');
    expect(await run('revalidator/purge', [])).toBe('');
    expect(sw.dpif.flowCount()).toBe(0);
  });

  it('ofproto/trace', async () => {
    const text = await run('ofproto/trace', ['br0', 'in_port=2,dl_src=02:00:00:00:00:0c']);
    expect(text).toMatch(/^Flow: in_port=2,/);
    expect(text).toContain('bridge("br0")\n-------------\n 0. priority 0\n    NORMAL\n');
  });

  it.each([
    ['fdb/show', ['nope'], 'no such bridge'],
    ['fdb/flush', ['nope'], 'no such bridge'],
    ['bridge/dump-flows', ['nope'], 'Unknown bridge'],
    ['ofproto/trace', ['nope', 'in_port=1'], 'nope: unknown bridge'],
    ['netdev-dummy/receive', ['nope', '00'], 'no such dummy netdev'],
  ])('%s %j is refused: %s', async (method, params, message) => {
    await expect(async () => run(method, params)).rejects.toThrow(message);
  });
});

describe("tapflow's own commands", () => {
  it('show bridges, ports and VLANs in a table', async () => {
    expect(await run('show', [])).toBe(`bridge br0: 2 flows, fail mode standalone
  port  number  type   VLAN              link  far end
  br0   65534   dummy  all               up    -
  p1    2       dummy  all               up    -
  p2    1       dummy  10                up    -
  p3    3       dummy  10,20, native 20  up    -

bridge br1: 1 flow, fail mode standalone
  port  number  type  VLAN  link  far end
`);
  });

  it('show an error where the port would be', async () => {
    await sw.apply(
      parseTopology('bridges: [{ name: br0, ports: [{ name: e0, type: system }] }]', 'x'),
    );
    expect(await run('show', [])).toMatch(/e0 +- +system +all +ERROR +port "e0": the simulated/);
  });

  it('mac shows where addresses live', async () => {
    await traffic();
    expect(await run('mac', [])).toBe(
      'bridge  port  VLAN  address            age (s)\n' +
        'br0     p2      10  02:00:00:00:00:0a        0\n' +
        'br0     br0      0  02:00:00:00:00:0b        0\n',
    );
    expect(await run('mac', ['br1'])).toBe('No address has been learned.\n');
  });

  it('ports counts packets, bytes and drops', async () => {
    await traffic();
    const ports = JSON.parse(await run('ports', ['--json', 'br0'])) as { port: string }[];
    expect(ports.find(({ port }) => port === 'br0')).toEqual({
      bridge: 'br0',
      port: 'br0',
      ofport: 65534,
      rx_packets: 3,
      rx_bytes: 180,
      tx_packets: 1,
      tx_bytes: 64,
      drops: {},
    });
  });

  it('cache accounts for every packet at one level', async () => {
    await traffic();
    const cache = JSON.parse(await run('cache', ['--json'])) as Record<string, number>;
    expect(cache).toMatchObject({ packets: 4, misses: 2, lost_upcalls: 0, megaflows: 2 });
    expect(cache.microflow_hits + cache.megaflow_hits).toBe(2);
    expect(await run('cache', [])).toMatch(/^found in +packets +share\n/);
  });

  it('flows, add-flow and del-flows', async () => {
    expect(await run('add-flow', ['br0', 'priority=3,arp,actions=drop'])).toBe('');
    expect(await run('flows', ['br0', 'arp'])).toContain('priority=3,arp actions=drop\n');
    expect(await run('flows', [])).toMatch(
      /^bridge br0:\n .*\n .*\n .*\nbridge br1:\n .*NORMAL\n$/,
    );
    expect(await run('del-flows', ['--strict', 'br0', 'priority=4,arp'])).toBe('0 flows deleted\n');
    expect(await run('del-flows', ['br0', 'arp'])).toBe('1 flow deleted\n');
    await expect(async () => run('flows', ['br7'])).rejects.toThrow(
      'there is no bridge "br7"; there is: br0, br1',
    );
  });

  it('trace takes a frame in hexadecimal, and says what is wrong with one that is not', async () => {
    const frame = hex('02:00:00:00:00:0a', '02:00:00:00:00:0b');
    expect(await run('trace', ['br0', 'in_port=2', frame])).toContain('dl_dst=02:00:00:00:00:0b');
    await expect(async () => run('trace', ['br0', 'in_port=2', 'xyz'])).rejects.toThrow(
      '"xyz" is not a frame: an even number of hexadecimal digits was expected',
    );
  });

  it('apply says what it did, line by line', async () => {
    const text = TOPOLOGY.replace('- name: br1', '- name: br2');
    expect(await run('apply', ['x.yaml', text])).toBe('bridge br1 removed\nbridge br2 added\n');
    expect(await run('apply', ['x.yaml', text])).toBe('Nothing to change.\n');
    await expect(async () => run('apply', ['x.yaml', 'bridges: 3'])).rejects.toThrow(
      /^x\.yaml:1:10: /,
    );
  });

  it('list-commands lists all of them', async () => {
    const listing = await run('list-commands', []);
    for (const name of ['show', 'flows', 'ofproto/trace', 'apply']) {
      expect(listing).toContain(`\n  ${name} `);
    }
  });
});
