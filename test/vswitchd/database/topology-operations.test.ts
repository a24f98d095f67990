import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  BridgeConfig,
  Config,
  InterfaceConfig,
  PortConfig,
} from '../../../src/config/value.ts';
import { parseTopology } from '../../../src/config/yaml.ts';
import type { Json } from '../../../src/lib/json.ts';
import { Edit } from '../../../src/ovsdb/replica/edit.ts';
import { configOf } from '../../../src/vswitchd/database/config-of.ts';
import { editTopology } from '../../../src/vswitchd/database/topology-operations.ts';
import { MemoryReplica } from './memory-replica.ts';

function topologyOperations(config: Config, replica: MemoryReplica): Json[] {
  const edit = new Edit(replica);
  editTopology(config, edit);
  return edit.operations();
}

function databaseWith(...configs: readonly Config[]): MemoryReplica {
  const replica = new MemoryReplica();
  for (const config of configs) replica.change(...topologyOperations(config, replica));
  return replica;
}

/** Lists without an order of their own in one order, and no keys that are undefined. */
function sorted({ bridges, otherConfig }: Config): unknown {
  const byName = <T extends { name: string }>(list: readonly T[]): T[] =>
    list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const value = {
    otherConfig,
    bridges: byName(bridges).map((bridge) => ({ ...bridge, ports: byName(bridge.ports) })),
  };
  return JSON.parse(JSON.stringify(value));
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const textMap = fc.dictionary(fc.stringMatching(/^x-[a-z]{1,6}$/), text, { maxKeys: 3 });
const vlan = fc.nat({ max: 4095 });
const trunks = fc.uniqueArray(vlan, { maxLength: 5 }).map((vlans) => vlans.sort((a, b) => a - b));
const mac = fc
  .array(fc.nat({ max: 255 }), { minLength: 5, maxLength: 5 })
  .map((bytes) => ['02', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':'));

const vlans: fc.Arbitrary<Pick<PortConfig, 'tag' | 'trunks' | 'vlanMode'>> = fc.oneof(
  fc.record({ trunks, vlanMode: fc.constant('trunk' as const) }),
  fc.record({ tag: vlan, trunks: fc.constant([]), vlanMode: fc.constant('access' as const) }),
  fc.record({
    tag: fc.option(vlan, { nil: undefined }),
    trunks,
    vlanMode: fc.constantFrom('native-tagged' as const, 'native-untagged' as const),
  }),
);

function interfaceConfig(name: string): fc.Arbitrary<InterfaceConfig> {
  const common = {
    name: fc.constant(name),
    ofportRequest: fc.option(fc.integer({ min: 1, max: 65279 }), { nil: undefined }),
    mac: fc.option(mac, { nil: undefined }),
    mtuRequest: fc.option(fc.integer({ min: 68, max: 65535 }), { nil: undefined }),
    options: textMap,
  };
  const place = {
    netns: fc.option(fc.stringMatching(/^[a-z]{1,9}$/), { nil: undefined }),
    addresses: fc.subarray(['10.0.0.1/24', 'fd00::1/64']),
  };
  return fc.oneof(
    fc.record({ ...common, ...place, type: fc.constantFrom('tap' as const, 'internal' as const) }),
    fc.record({
      ...common,
      type: fc.constantFrom('system' as const, 'dummy' as const),
      addresses: fc.constant([]),
    }),
  );
}

const portConfig = (name: string): fc.Arbitrary<PortConfig> =>
  fc.tuple(vlans, textMap, interfaceConfig(name)).map(([settings, otherConfig, iface]) => ({
    name,
    ...settings,
    otherConfig,
    interfaces: [iface],
  }));

const bridgeConfig = (name: string): fc.Arbitrary<BridgeConfig> =>
  fc.record({
    name: fc.constant(name),
    datapathType: fc.constantFrom('', 'netdev', 'system'),
    failMode: fc.constantFrom('standalone' as const, 'secure' as const),
    otherConfig: textMap,
    ports: fc
      .subarray([name, `${name}-a`, `${name}-b`, `${name}-c`])
      .chain((names) => fc.tuple(...names.map(portConfig))),
    flows: fc.subarray(['priority=1,actions=drop', 'ip,actions=normal']),
  });

const config: fc.Arbitrary<Config> = fc.record({
  bridges: fc
    .subarray(['br0', 'br1', 'br2'])
    .chain((names) => fc.tuple(...names.map(bridgeConfig))),
  otherConfig: textMap,
});

describe('a topology in the database', () => {
  it('is read back as it was, whatever was there before', () => {
    fc.assert(
      fc.property(config, config, (before, after) => {
        const replica = databaseWith(before, after);
        const { config: read, warnings, interfaces } = configOf(replica);
        expect(sorted(read)).toEqual(sorted(after));
        expect(warnings).toEqual([]);
        expect(interfaces.flatMap(({ problem }) => problem ?? [])).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('takes no operation when it is there already', () => {
    fc.assert(
      fc.property(config, (topology) => {
        expect(topologyOperations(topology, databaseWith(topology))).toEqual([]);
      }),
    );
  });

  it('leaves rows that stay where they are, with what others wrote into them', () => {
    const topology = (tag: number) =>
      parseTopology(`bridges: [{ name: br0, ports: [{ name: p1, tag: ${tag} }] }]`, 't.yaml');
    const replica = databaseWith(topology(1));
    const before = replica.row('Port', 'p1');
    const row = { external_ids: ['map', [['whose', 'mine']]], ofport: 7 } as const;
    replica.change({ op: 'update', table: 'Interface', where: [], row });
    const operations = topologyOperations(topology(2), replica);
    expect(operations).toEqual([
      {
        op: 'update',
        table: 'Port',
        where: [['_uuid', '==', ['uuid', before.uuid]]],
        row: { tag: 2 },
      },
    ]);
    replica.change(...operations);
    expect(replica.row('Interface', 'p1').get('external_ids').values).toEqual(['mine']);
  });

  it('looks in ovs-vsctl as if it had been made there', () => {
    const replica = databaseWith(
      parseTopology('bridges: [{ name: br0, ports: [{ name: br0 }, { name: p1 }] }]', 't.yaml'),
    );
    const typeOf = (name: string) => replica.row('Interface', name).get('type').keys[0];
    expect([typeOf('br0'), typeOf('p1')]).toEqual(['internal', '']);
    expect(replica.row('Port', 'p1').get('vlan_mode').keys).toEqual([]);
    expect(replica.row('Bridge', 'br0').get('fail_mode').keys).toEqual([]);
    expect(replica.row('Bridge', 'br0').get('other_config').keys).toEqual([]);
  });
});
