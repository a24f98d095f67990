/**
 * The configuration in force, advanced one successful action at a time. Each
 * function returns a new value and leaves the old one alone.
 */
import type { BridgeConfig, Config, PortConfig } from '../config/value.ts';

/** Adds a bridge without ports and flows yet, or changes what an existing one is besides them. */
export function withBridge(config: Config, bridge: BridgeConfig): Config {
  const old = config.bridges.find(({ name }) => name === bridge.name);
  const next = { ...bridge, ports: old?.ports ?? [], flows: old?.flows ?? [] };
  return { ...config, bridges: put(config.bridges, next) };
}

export function withoutBridge(config: Config, name: string): Config {
  return { ...config, bridges: config.bridges.filter((bridge) => bridge.name !== name) };
}

export function withPort(config: Config, bridge: string, port: PortConfig): Config {
  return change(config, bridge, (old) => ({ ...old, ports: put(old.ports, port) }));
}

export function withoutPort(config: Config, bridge: string, name: string): Config {
  const without = (old: BridgeConfig) => old.ports.filter((port) => port.name !== name);
  return change(config, bridge, (old) => ({ ...old, ports: without(old) }));
}

export function withFlows(config: Config, bridge: string, flows: BridgeConfig['flows']): Config {
  return change(config, bridge, (old) => ({ ...old, flows }));
}

/** Without the ports that are not open any more: a port that could not be replaced may be lost. */
export function onlyPorts(config: Config, isOpen: (iface: string) => boolean): Config {
  const open = (port: PortConfig) => port.interfaces.every(({ name }) => isOpen(name));
  const bridges = config.bridges.map((old) => ({ ...old, ports: old.ports.filter(open) }));
  return { ...config, bridges };
}

function change(config: Config, name: string, to: (old: BridgeConfig) => BridgeConfig): Config {
  const bridges = config.bridges.map((bridge) => (bridge.name === name ? to(bridge) : bridge));
  return { ...config, bridges };
}

/** Replaces the one of the same name where it stands, or appends. */
function put<T extends { name: string }>(list: readonly T[], item: T): T[] {
  return list.some(({ name }) => name === item.name)
    ? list.map((old) => (old.name === item.name ? item : old))
    : [...list, item];
}
