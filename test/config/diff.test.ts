import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConfigAction, diffConfig as differencesBetween } from '../../src/config/diff.ts';
import type { BridgeConfig, Config, PortConfig } from '../../src/config/value.ts';
import { parseTopology } from '../../src/config/yaml.ts';

const diffConfig = (from: Config, to: Config): ConfigAction[] => [...differencesBetween(from, to)];

/** Performs actions on a value; throws where a switch would not know how to. */
function applyActions(config: Config, actions: readonly ConfigAction[]): Config {
  const bridges = new Map(config.bridges.map((bridge) => [bridge.name, bridge]));
  let { otherConfig } = config;
  const change = (name: string, to: (bridge: BridgeConfig) => Partial<BridgeConfig>) => {
    const bridge = bridges.get(name);
    if (bridge === undefined) throw new Error(`no bridge ${name}`);
    bridges.set(name, { ...bridge, ...to(bridge) });
  };
  for (const action of actions) {
    switch (action.kind) {
      case 'set-global':
        ({ otherConfig } = action);
        break;
      case 'add-bridge':
        if (bridges.has(action.bridge.name)) throw new Error('added twice');
        bridges.set(action.bridge.name, { ...action.bridge, ports: [], flows: [] });
        break;
      case 'set-bridge':
        change(action.bridge.name, ({ ports, flows }) => ({ ...action.bridge, ports, flows }));
        break;
      case 'del-bridge':
        if (bridges.get(action.bridge.name)?.ports.length !== 0) throw new Error('has ports');
        bridges.delete(action.bridge.name);
        break;
      case 'add-port':
        requireFreeName([...bridges.values()], action.port.name);
        change(action.bridge, ({ ports }) => ({ ports: [...ports, action.port] }));
        break;
      case 'set-port':
        change(action.bridge, ({ ports }) => ({
          ports: [...without(ports, action.from), action.to],
        }));
        break;
      case 'del-port':
        change(action.bridge, ({ ports }) => ({ ports: without(ports, action.port) }));
        break;
      case 'set-flows':
        change(action.bridge, () => ({ flows: action.flows }));
        break;
    }
  }
  return { otherConfig, bridges: [...bridges.values()] };
}

function requireFreeName(bridges: readonly BridgeConfig[], name: string): void {
  const isTaken = bridges.some((bridge) => bridge.ports.some((port) => port.name === name));
  if (isTaken) throw new Error(`${name} is in use`);
}

function without(ports: readonly PortConfig[], gone: PortConfig): PortConfig[] {
  const left = ports.filter((port) => port.name !== gone.name);
  if (left.length !== ports.length - 1) throw new Error(`no port ${gone.name}`);
  return left;
}

/** The same value with bridges and ports in order of their names. */
function sorted({ otherConfig, bridges }: Config): Config {
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  const sortPorts = (bridge: BridgeConfig) => ({
    ...bridge,
    ports: [...bridge.ports].sort(byName),
  });
  return { otherConfig, bridges: bridges.map(sortPorts).sort(byName) };
}

/** Few names and values, so that two configurations have much in common. */
const settings = fc.constantFrom<Record<string, string>>({}, { a: '1' }, { a: '2', b: '3' });
const portNames = fc.uniqueArray(fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6'));
const portSettings = fc.record({
  tag: fc.constantFrom(undefined, 1, 2),
  trunks: fc.constantFrom<number[]>([], [1, 2]),
  vlanMode: fc.constantFrom('access' as const, 'trunk' as const),
  otherConfig: settings,
  type: fc.constantFrom('tap' as const, 'system' as const),
  mtuRequest: fc.constantFrom(undefined, 1500),
});

const ports: fc.Arbitrary<PortConfig[]> = fc
  .tuple(portNames, fc.array(portSettings, { minLength: 6, maxLength: 6 }))
  .map(([names, list]) =>
    names.map((name, i) => {
      const { type, mtuRequest, ...port } = list[i];
      return {
        name,
        ...port,
        interfaces: [{ name, type, mtuRequest, options: {}, addresses: [] }],
      };
    }),
  );

const bridgeSettings = fc.record({
  failMode: fc.constantFrom('standalone' as const, 'secure' as const),
  otherConfig: settings,
  flows: fc.constantFrom<string[]>([], ['drop'], ['drop', 'normal'], ['normal', 'drop']),
});

/** A port name is on one bridge at most: the ports are dealt out. */
const configs: fc.Arbitrary<Config> = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom('br0', 'br1', 'br2')),
    bridges: fc.array(bridgeSettings, { minLength: 3, maxLength: 3 }),
    ports,
    deal: fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
    otherConfig: settings,
  })
  .map(({ names, bridges, ports: all, deal, otherConfig }) => ({
    otherConfig,
    bridges: names.map((name, i) => ({
      name,
      datapathType: '',
      ...bridges[i],
      ports: all.filter((_, p) => deal[p] === i),
    })),
  }));

const topology = (text: string) => parseTopology(text, 'x');

describe('diffConfig', () => {
  it('leads from one configuration to the other', () => {
    fc.assert(
      fc.property(configs, configs, (from, to) => {
        expect(sorted(applyActions(from, diffConfig(from, to)))).toEqual(sorted(to));
      }),
      { numRuns: 1000 },
    );
  });

  it('is empty between equal configurations, whatever the order of bridges, ports and keys', () => {
    fc.assert(
      fc.property(configs, (config) => {
        expect(diffConfig(config, structuredClone(config))).toEqual([]);
        expect(diffConfig(config, sorted(config))).toEqual([]);
      }),
    );
    const from = topology('{other_config: {a: 1, b: 2}, bridges: []}');
    const to = topology('{other_config: {b: 2, a: 1}, bridges: []}');
    expect(diffConfig(from, to)).toEqual([]);
  });

  it('touches nothing but the port that changed', () => {
    const from = topology('bridges: [{name: br0, ports: [{name: p1}, {name: p2}], flows: [x]}]');
    const to = topology(
      'bridges: [{name: br0, ports: [{name: p1}, {name: p2, tag: 4}], flows: [x]}]',
    );
    expect(diffConfig(from, to)).toEqual([
      {
        kind: 'set-port',
        bridge: 'br0',
        from: from.bridges[0].ports[1],
        to: to.bridges[0].ports[1],
      },
    ]);
  });

  it('takes a port off its old bridge before it puts it on the new one', () => {
    const from = topology('bridges: [{name: br0}, {name: br1, ports: [{name: p1}]}]');
    const to = topology('bridges: [{name: br0, ports: [{name: p1}]}, {name: br1}]');
    expect(diffConfig(from, to).map(({ kind }) => kind)).toEqual(['del-port', 'add-port']);
  });

  it('deletes first, and builds a bridge before its ports and flows', () => {
    const from = topology('bridges: [{name: old, ports: [{name: p1}]}]');
    const to = topology(
      '{other_config: {a: 1}, bridges: [{name: new, ports: [{name: p1}], flows: [x]}]}',
    );
    expect(diffConfig(from, to).map(({ kind }) => kind)).toEqual([
      ...['del-port', 'del-bridge', 'set-global', 'add-bridge', 'add-port', 'set-flows'],
    ]);
  });
});
