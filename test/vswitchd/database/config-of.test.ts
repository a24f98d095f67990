import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { Slices } from '../../../src/lib/slices.ts';
import { ConfigReader, configOf } from '../../../src/vswitchd/database/config-of.ts';
import type { DatabaseConfig } from '../../../src/vswitchd/database/database-config.ts';
import { bridgeOperations, MemoryReplica, mapJson, type PortColumns } from './memory-replica.ts';

function replicaOf(...args: Parameters<typeof bridgeOperations>): MemoryReplica {
  const replica = new MemoryReplica();
  replica.change(...bridgeOperations(...args));
  return replica;
}

/** What is made of bridge br0 with this port. */
function read(name: string, columns: PortColumns, bridge: JsonObject = {}): DatabaseConfig {
  return configOf(replicaOf({ br0: { bridge, ports: { br0: {}, [name]: columns } } }));
}

const problemOf = ({ interfaces }: DatabaseConfig, name: string): string | undefined =>
  interfaces.find((each) => each.name === name)?.problem;

const portOf = ({ config }: DatabaseConfig, name: string) =>
  config.bridges.flatMap(({ ports }) => ports).find((port) => port.name === name);

describe('a configuration read from rows', () => {
  it('has all that columns can say', () => {
    const result = configOf(
      replicaOf(
        {
          br0: {
            bridge: {
              datapath_type: 'netdev',
              fail_mode: 'secure',
              other_config: mapJson({ 'mac-aging-time': '60', hwaddr: '02:00:00:00:00:AA' }),
            },
            ports: {
              br0: { interfaces: { br0: { type: 'internal' } } },
              p1: {
                port: { tag: 5, trunks: ['set', [7, 6]], vlan_mode: 'native-tagged' },
                interfaces: {
                  p1: {
                    type: 'tap',
                    mac: '02:00:00:00:00:0B',
                    mtu_request: 1400,
                    ofport_request: 9,
                    options: mapJson({ a: 'b' }),
                    other_config: mapJson({
                      'tapflow:netns': 'n1',
                      'tapflow:addresses': '10.0.0.1/24,fd00::1/64',
                    }),
                  },
                },
              },
            },
          },
        },
        { other_config: mapJson({ 'flow-limit': '1000', 'stats-update-interval': '9000' }) },
      ),
    );
    expect(result.config).toEqual({
      otherConfig: { 'flow-limit': '1000' },
      bridges: [
        {
          name: 'br0',
          datapathType: 'netdev',
          failMode: 'secure',
          otherConfig: { 'mac-aging-time': '60' },
          flows: [],
          ports: [
            {
              name: 'p1',
              tag: 5,
              trunks: [6, 7],
              vlanMode: 'native-tagged',
              otherConfig: {},
              interfaces: [
                {
                  name: 'p1',
                  type: 'tap',
                  mac: '02:00:00:00:00:0b',
                  mtuRequest: 1400,
                  ofportRequest: 9,
                  options: { a: 'b' },
                  netns: 'n1',
                  addresses: ['10.0.0.1/24', 'fd00::1/64'],
                },
              ],
            },
            {
              name: 'br0',
              tag: undefined,
              trunks: [],
              vlanMode: 'trunk',
              otherConfig: {},
              interfaces: [
                {
                  name: 'br0',
                  type: 'internal',
                  mac: '02:00:00:00:00:aa',
                  mtuRequest: undefined,
                  ofportRequest: undefined,
                  options: {},
                  addresses: [],
                },
              ],
            },
          ],
        },
      ],
    });
    expect(result.interfaces.map(({ problem }) => problem)).toEqual([undefined, undefined]);
    expect(result.warnings).toEqual([]);
  });

  it('is empty for an empty database', () => {
    expect(configOf(new MemoryReplica())).toMatchObject({
      config: { bridges: [], otherConfig: {} },
      root: undefined,
    });
  });

  it('gives a bridge without a row for it a device of its own, unless told not to', () => {
    const bridge = { other_config: mapJson({ 'tapflow:local-port': 'none' }) };
    const { config } = configOf(replicaOf({ br0: {}, br1: { bridge } }));
    expect(config.bridges.map(({ ports }) => ports.map(({ name }) => name))).toEqual([['br0'], []]);
    expect(portOf({ config } as DatabaseConfig, 'br0')?.interfaces[0].type).toBe('internal');
  });

  it('takes an interface without a type for a device that exists', () => {
    expect(portOf(read('p1', {}), 'p1')?.interfaces[0].type).toBe('system');
  });

  it.each([
    ['trunk', { tag: undefined, trunks: [1], vlanMode: 'trunk' }],
    ['access', { tag: 3, trunks: [], vlanMode: 'access' }],
    [undefined, { tag: 3, trunks: [], vlanMode: 'access' }],
    ['dot1q-tunnel', { tag: 3, trunks: [], vlanMode: 'access' }],
  ])(
    'settles VLAN columns that contradict each other as Open vSwitch does: %s',
    (mode, expected) => {
      const port = { tag: 3, trunks: ['set', [1]], ...(mode && { vlan_mode: mode }) } as const;
      expect(portOf(read('p1', { port }), 'p1')).toMatchObject(expected);
    },
  );
});

describe('what cannot be', () => {
  it('has an error in its row, in the words of Open vSwitch', () => {
    const error = (columns: JsonObject) => {
      const result = read('p1', { interfaces: { p1: columns } });
      expect(portOf(result, 'p1')).toBeUndefined();
      return problemOf(result, 'p1');
    };
    const unknown = 'could not open network device p1 (Address family not supported by protocol)';
    expect(error({ type: 'foo' })).toBe(unknown);
    expect(error({ type: 'vxlan' })).toBe(unknown);
    expect(error({ type: 'patch', options: mapJson({ peer: 'p2' }) })).toBe(unknown);
    expect(error({ type: 'patch' })).toBe("p1: patch type requires valid 'peer' argument");
    const long = read('sixteen-letters-', {});
    expect(problemOf(long, 'sixteen-letters-')).toBe(
      'could not open network device sixteen-letters- (Invalid argument)',
    );
  });

  it('is left out where the rest of the row makes sense, and the row says so', () => {
    const partly = (columns: JsonObject) => {
      const result = read('p1', { interfaces: { p1: { type: 'tap', ...columns } } });
      const iface = portOf(result, 'p1')?.interfaces[0];
      expect(iface).toMatchObject({ addresses: [] });
      expect(iface).not.toMatchObject({ mac: expect.anything() });
      expect(iface).not.toMatchObject({ mtuRequest: expect.anything() });
      expect(iface).not.toMatchObject({ netns: expect.anything() });
      return problemOf(result, 'p1');
    };
    expect(partly({ mac: '01:00:00:00:00:07' })).toBe(
      'interface p1: cannot set MAC to multicast address',
    );
    expect(partly({ mac: 'nonsense' })).toContain('"nonsense" is no MAC address');
    expect(partly({ mtu_request: 10 })).toContain('failed to set MTU for network device p1');
    expect(partly({ other_config: mapJson({ 'tapflow:netns': 'a/b' }) })).toContain('"a/b"');
    expect(partly({ other_config: mapJson({ 'tapflow:addresses': '10.0.0.1' }) })).toContain(
      'tapflow:addresses',
    );
    expect(partly({ type: 'dummy', other_config: mapJson({ 'tapflow:netns': 'n1' }) })).toContain(
      'neither tap nor internal',
    );
  });

  it('takes a whole bridge with it where there is no such datapath, or its name is none', () => {
    const result = read('p1', {}, { datapath_type: 'foo' });
    const text = 'failed to create bridge br0: Address family not supported by protocol';
    expect(result.config.bridges).toEqual([]);
    expect(problemOf(result, 'p1')).toBe(text);
    expect(problemOf(result, 'br0')).toBe(text);
    expect(result.warnings).toEqual([text]);
    const named = configOf(replicaOf({ 'a/b': { ports: { p1: {} } } }));
    expect(named.config.bridges).toEqual([]);
    expect(problemOf(named, 'p1')).toBe("ignoring bridge with invalid name 'a/b'");
  });

  it('is a warning where no row can tell it, and has its default', () => {
    const result = read('p1', {}, { other_config: mapJson({ 'mac-aging-time': 'x', other: 'y' }) });
    expect(result.config.bridges[0].otherConfig).toEqual({ other: 'y' });
    expect(result.warnings).toEqual([
      'bridge br0: other_config:mac-aging-time is "x": a number of seconds from 15 to 3600 was expected',
    ]);
  });
});

describe('interfaces in places where they cannot be', () => {
  it('of a bond: the first by name is used alone, the others say so', () => {
    const result = read('bond0', { interfaces: { x2: {}, x1: {}, x0: { type: 'foo' } } });
    expect(portOf(result, 'bond0')?.interfaces.map(({ name }) => name)).toEqual(['x1']);
    expect(problemOf(result, 'x1')).toBeUndefined();
    expect(problemOf(result, 'x2')).toBe(
      'port bond0: bonds are not supported yet; it uses interface x1 alone',
    );
    expect(problemOf(result, 'x0')).toContain('could not open network device x0');
  });

  it('under the name of another bridge', () => {
    const result = configOf(replicaOf({ br0: { ports: { br1: {} } }, br1: {} }));
    expect(problemOf(result, 'br1')).toBe(
      'could not add network device br1 to ofproto (File exists)',
    );
    expect(result.config.bridges.map(({ ports }) => ports.map(({ name }) => name))).toEqual([
      ['br0'],
      ['br1'],
    ]);
  });

  it('on two bridges: the first has it', () => {
    const replica = replicaOf({ br0: { ports: { p1: {} } }, br1: {} });
    const where = [['name', '==', 'br1']];
    const { uuid } = replica.row('Port', 'p1');
    const row = { ports: ['uuid', uuid] };
    replica.change({ op: 'update', table: 'Bridge', where, row });
    const result = configOf(replica);
    expect(result.config.bridges.map(({ ports }) => ports.map(({ name }) => name))).toEqual([
      ['br0', 'p1'],
      ['br1'],
    ]);
    expect(result.warnings).toEqual(['bridge br1: p1 is used twice']);
    expect(result.interfaces).toHaveLength(1);
  });
});

describe('reading again', () => {
  it('shares what has not changed, whatever status was written', async () => {
    const ports = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`p${n}`, {}]));
    const replica = replicaOf({ br0: { ports } });
    const reader = new ConfigReader();
    const first = await reader.readInSlices(replica, new Slices());
    const before = first.config.bridges[0].ports;
    replica.change({ op: 'update', table: 'Interface', where: [], row: { ofport: 3 } });
    const where = [['name', '==', 'p7']];
    replica.change({ op: 'update', table: 'Port', where, row: { tag: 9 } });
    const after = reader.read(replica).config.bridges[0].ports;
    // All but p7, and the bridge's own, for which there is no row.
    const shared = before.filter((port) => after.includes(port));
    expect(shared).toHaveLength(49);
    expect(after.find(({ name }) => name === 'p7')?.tag).toBe(9);
  });

  it('follows the address of the bridge', () => {
    const replica = replicaOf({ br0: { ports: { br0: {} } } });
    const reader = new ConfigReader();
    const macOf = () => reader.read(replica).config.bridges[0].ports[0].interfaces[0].mac;
    expect(macOf()).toBeUndefined();
    const row = { other_config: mapJson({ hwaddr: '02:00:00:00:00:01' }) };
    replica.change({ op: 'update', table: 'Bridge', where: [], row });
    expect(macOf()).toBe('02:00:00:00:00:01');
  });
});
