/**
 * From a row of table Port, and those of its interfaces, to what the port is to
 * be. Where columns contradict each other they mean what they mean to Open
 * vSwitch: a trunk port has no tag, an access port no trunks.
 *
 * Bonds are not supported yet. A port of several interfaces uses the first by
 * name alone, which keeps its hosts reachable and makes no loop; the others say
 * so in their `error`.
 */
import { defaultVlanMode, type PortConfig, type VlanMode } from '../../config/value.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { readCell } from './columns.ts';
import { type InterfaceReading, readInterface } from './interface-of.ts';

export interface PortReading {
  /** The rows that it was read from; any of them different is another reading. */
  readonly from: readonly Row[];
  /** Undefined where no device can be made. */
  readonly config: PortConfig | undefined;
  /** By the interface's row. */
  readonly interfaces: readonly { row: Row; reading: InterfaceReading }[];
}

/** @param hwaddr the bridge's, for its local port */
export function readPort(
  port: Row,
  interfaces: readonly Row[],
  local: { name: string; hwaddr: string | undefined },
): PortReading {
  const readings = interfaces
    .map((row) => ({ row, reading: readInterface(row, nameOf(row) === local.name) }))
    .sort((a, b) => (a.reading.name < b.reading.name ? -1 : 1));
  const used = readings.find(({ reading }) => reading.config !== undefined) ?? readings[0];
  const vlans = vlansOf(port);
  const iface = used?.reading.config;
  const isLocal = used !== undefined && used.reading.name === local.name;
  return {
    from: [port, ...interfaces],
    config: iface && {
      name: nameOf(port),
      ...vlans.settings,
      otherConfig: Object.fromEntries(readCell('Port', port, 'other_config')),
      // The database has the local port's address in the bridge's row.
      interfaces: [isLocal ? { ...iface, mac: local.hwaddr } : iface],
    },
    interfaces: readings.map(({ row, reading }) => {
      const unused = row === used?.row ? undefined : bondProblem(nameOf(port), used?.reading.name);
      const problem = reading.problem ?? unused ?? vlans.problem;
      const config = row === used?.row ? reading.config : undefined;
      return { row, reading: { ...reading, config, problem } };
    }),
  };
}

export const nameOf = (row: Row): string => String(row.get('name').keys[0] ?? '');

const bondProblem = (port: string, used: string | undefined): string =>
  `port ${port}: bonds are not supported yet; it uses interface ${used} alone`;

type VlanSettings = Pick<PortConfig, 'tag' | 'trunks' | 'vlanMode'>;

function vlansOf(port: Row): { settings: VlanSettings; problem?: string } {
  const tag = readCell('Port', port, 'tag');
  const trunks = readCell('Port', port, 'trunks');
  const wanted = readCell('Port', port, 'vlan_mode') ?? defaultVlanMode(tag);
  const settings = settingsOf(isTunnel(wanted) ? 'access' : wanted, tag, trunks);
  if (!isTunnel(wanted)) return { settings };
  const name = nameOf(port);
  return {
    settings,
    problem: `port ${name}: vlan_mode dot1q-tunnel is not supported yet; it is an access port`,
  };
}

const isTunnel = (mode: VlanMode | 'dot1q-tunnel'): mode is 'dot1q-tunnel' =>
  mode === 'dot1q-tunnel';

function settingsOf(
  vlanMode: VlanMode,
  tag: number | undefined,
  trunks: readonly number[],
): VlanSettings {
  if (vlanMode === 'trunk') return { tag: undefined, trunks, vlanMode };
  return { tag, trunks: vlanMode === 'access' ? [] : trunks, vlanMode };
}
