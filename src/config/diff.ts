/**
 * What to do to get from one configuration to another: a list of small actions,
 * in an order in which each can be performed.
 *
 * What goes comes first, so that names and devices are free for what comes; a
 * bridge goes after its ports and comes before them. What is the same in both
 * gives no action, and so is not touched.
 */
import type { BridgeConfig, Config, PortConfig } from './value.ts';

export type ConfigAction =
  | { kind: 'del-port'; bridge: string; port: PortConfig }
  /** Its ports are gone by then. */
  | { kind: 'del-bridge'; bridge: BridgeConfig }
  | { kind: 'set-global'; otherConfig: Config['otherConfig'] }
  /** Without ports and flows: those come with actions of their own. */
  | { kind: 'add-bridge'; bridge: BridgeConfig }
  /** Something of the bridge itself changed: everything but ports and flows. */
  | { kind: 'set-bridge'; bridge: BridgeConfig }
  | { kind: 'set-port'; bridge: string; from: PortConfig; to: PortConfig }
  | { kind: 'add-port'; bridge: string; port: PortConfig }
  /** All flows that the bridge is to have. */
  | { kind: 'set-flows'; bridge: string; flows: readonly string[] };

/** Found one after the other as they are asked for: comparing many large lists takes its time. */
export function* diffConfig(from: Config, to: Config): Generator<ConfigAction, void, undefined> {
  const [olds, news] = [byName(from.bridges), byName(to.bridges)];
  const bridges = to.bridges.map((bridge) => ({ old: olds.get(bridge.name), bridge }));
  for (const old of from.bridges) yield* removedPorts(old, news.get(old.name));
  yield* removedBridges(from, to);
  yield* changedGlobals(from, to);
  for (const { old, bridge } of bridges) yield* changedBridge(old, bridge);
  for (const { old, bridge } of bridges) yield* changedPorts(old, bridge);
  for (const { old, bridge } of bridges) yield* addedPorts(old, bridge);
  for (const { old, bridge } of bridges) yield* changedFlows(old, bridge);
}

function removedPorts(old: BridgeConfig, bridge: BridgeConfig | undefined): ConfigAction[] {
  const wanted = byName(bridge?.ports ?? []);
  const removed = old.ports.filter((port) => !wanted.has(port.name));
  return removed.map((port) => ({ kind: 'del-port', bridge: old.name, port }));
}

function removedBridges(from: Config, to: Config): ConfigAction[] {
  const wanted = byName(to.bridges);
  const removed = from.bridges.filter((bridge) => !wanted.has(bridge.name));
  return removed.map((bridge) => ({ kind: 'del-bridge', bridge }));
}

function changedGlobals(from: Config, to: Config): ConfigAction[] {
  if (isSame(from.otherConfig, to.otherConfig)) return [];
  return [{ kind: 'set-global', otherConfig: to.otherConfig }];
}

function changedBridge(old: BridgeConfig | undefined, bridge: BridgeConfig): ConfigAction[] {
  if (old === undefined) return [{ kind: 'add-bridge', bridge }];
  const itself = ({ ports: _ports, flows: _flows, ...rest }: BridgeConfig) => rest;
  return isSame(itself(old), itself(bridge)) ? [] : [{ kind: 'set-bridge', bridge }];
}

function* changedPorts(
  old: BridgeConfig | undefined,
  bridge: BridgeConfig,
): Generator<ConfigAction, void, undefined> {
  const olds = byName(old?.ports ?? []);
  for (const to of bridge.ports) {
    const from = olds.get(to.name);
    if (from === undefined || isSame(from, to)) continue;
    yield { kind: 'set-port', bridge: bridge.name, from, to };
  }
}

function addedPorts(old: BridgeConfig | undefined, bridge: BridgeConfig): ConfigAction[] {
  const olds = byName(old?.ports ?? []);
  const added = bridge.ports.filter((port) => !olds.has(port.name));
  return added.map((port) => ({ kind: 'add-port', bridge: bridge.name, port }));
}

function changedFlows(old: BridgeConfig | undefined, bridge: BridgeConfig): ConfigAction[] {
  if (isSame(old?.flows ?? [], bridge.flows)) return [];
  return [{ kind: 'set-flows', bridge: bridge.name, flows: bridge.flows }];
}

function byName<T extends { readonly name: string }>(list: readonly T[]): ReadonlyMap<string, T> {
  return new Map(list.map((item) => [item.name, item]));
}

/** Whether two values have the same contents; an absent key is the same as an undefined one. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a, sortKeys) === JSON.stringify(b, sortKeys);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
