/** `show`: bridges and ports as they are, each with what went wrong with it. */
import type { PortConfig } from '../../config/value.ts';
import type { Command } from '../../unixctl/command-table.ts';
import type { Switch } from '../switch.ts';
import { table } from '../table.ts';
import { report } from './report.ts';

interface ShownPort {
  name: string;
  type: string;
  ofport: number | null;
  vlan_mode: string;
  tag: number | null;
  trunks: readonly number[];
  mac: string | null;
  mtu: number | null;
  link_state: 'up' | 'down' | null;
  netns: string | null;
  addresses: readonly string[];
  error: string | null;
}

interface ShownBridge {
  name: string;
  fail_mode: string;
  flows: number;
  ports: ShownPort[];
  error: string | null;
}

export function showCommand(sw: Switch): Command {
  return report({
    name: 'show',
    usage: '',
    minArgs: 0,
    maxArgs: 0,
    value: () => shown(sw),
    text: shownText,
  });
}

const shownText = (bridges: readonly ShownBridge[]): string =>
  bridges.length === 0 ? 'This switch has no bridges.\n' : bridges.map(bridgeText).join('\n');

function shown(sw: Switch): ShownBridge[] {
  return sw.wanted.bridges.map((bridge) => ({
    name: bridge.name,
    fail_mode: bridge.failMode,
    flows: sw.slowPath.bridge(bridge.name)?.dumpFlows().length ?? 0,
    ports: bridge.ports.flatMap((port) => shownPorts(sw, port)),
    error: sw.errors.get(bridge.name) ?? null,
  }));
}

function shownPorts(sw: Switch, port: PortConfig): ShownPort[] {
  return port.interfaces.map((iface) => {
    const open = sw.ports.get(iface.name);
    const info = open && sw.dpif.portInfo(open.portNo);
    return {
      name: iface.name,
      type: iface.type,
      ofport: open?.ofport ?? null,
      vlan_mode: port.vlanMode,
      tag: port.tag ?? null,
      trunks: port.trunks,
      mac: info?.mac ?? null,
      mtu: info?.mtu ?? null,
      link_state: info === undefined ? null : info.linkUp ? 'up' : 'down',
      netns: iface.netns ?? null,
      addresses: iface.addresses,
      error: sw.errors.get(iface.name) ?? null,
    };
  });
}

function bridgeText(bridge: ShownBridge): string {
  const flows = bridge.flows === 1 ? '1 flow' : `${bridge.flows} flows`;
  const head = `bridge ${bridge.name}: ${flows}, fail mode ${bridge.fail_mode}\n`;
  const error = bridge.error === null ? '' : `  error: ${bridge.error}\n`;
  const rows = bridge.ports.map((port) => [
    port.name,
    String(port.ofport ?? '-'),
    port.type,
    vlanText(port),
    port.error === null ? (port.link_state ?? '-') : 'ERROR',
    port.error ?? placeText(port),
  ]);
  return head + error + indent(table(['port', 'number', 'type', 'VLAN', 'link', 'far end'], rows));
}

function vlanText({ vlan_mode, tag, trunks }: ShownPort): string {
  const carried = trunks.length === 0 ? 'all' : trunks.join(',');
  if (vlan_mode === 'access') return String(tag);
  return tag === null ? carried : `${carried}, native ${tag}`;
}

function placeText({ netns, addresses }: ShownPort): string {
  const where = netns === null ? [] : [`in namespace ${netns}`];
  return [...where, ...addresses].join(', ') || '-';
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, '  ');
