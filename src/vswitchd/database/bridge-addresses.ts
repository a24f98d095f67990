/** Gives each bridge's own device the address that is chosen for it (bridge-status.ts). */
import type { PortInfo } from '../../dpif/dpif.ts';
import type { Switch } from '../switch.ts';
import { bridgeAddress } from './bridge-status.ts';
import type { DatabaseConfig } from './database-config.ts';
import type { InterfaceTable } from './interface-table.ts';

/** @returns what went wrong, one line each */
export function setBridgeAddresses(
  wanted: DatabaseConfig,
  interfaces: InterfaceTable,
  sw: Switch,
): string[] {
  const infos = systemPorts(wanted, interfaces);
  const problems: string[] = [];
  for (const { row, name, otherConfig } of wanted.bridges) {
    const local = sw.ports.get(name);
    if (local === undefined) continue;
    const address = bridgeAddress(row.uuid, otherConfig, infos.get(name) ?? []);
    const known = interfaces.get(name);
    const info = known?.info ?? sw.dpif.portInfo(local.portNo);
    if (info === undefined || info.mac === address) continue;
    try {
      sw.dpif.portSet(local.portNo, { mac: address });
      if (known !== undefined) interfaces.refresh(known);
    } catch (error) {
      problems.push(`bridge ${name}: ${(error as Error).message}`);
    }
  }
  return problems;
}

/** Devices that existed before their bridge, whose addresses count, by bridge. */
function systemPorts(
  { interfaces: rows }: DatabaseConfig,
  interfaces: InterfaceTable,
): ReadonlyMap<string, readonly PortInfo[]> {
  const infos = new Map<string, PortInfo[]>();
  for (const { name, bridge } of rows) {
    const info = interfaces.get(name)?.info;
    if (info?.spec.type !== 'system') continue;
    const others = infos.get(bridge) ?? [];
    others.push(info);
    infos.set(bridge, others);
  }
  return infos;
}
