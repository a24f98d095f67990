/** `mac`: what NORMAL has learned, per bridge. */
import type { Command } from '../../unixctl/command-table.ts';
import type { Switch } from '../switch.ts';
import { table } from '../table.ts';
import { report } from './report.ts';

interface ShownMac {
  bridge: string;
  port: string;
  ofport: number;
  vlan: number;
  mac: string;
  /** Seconds; null for an address that does not age. */
  age: number | null;
}

export function macCommand(sw: Switch): Command {
  return report({
    name: 'mac',
    usage: '[bridge]',
    minArgs: 0,
    maxArgs: 1,
    value: ([name]) => shownMacs(sw, name),
    text: macsText,
  });
}

async function shownMacs(sw: Switch, name: string | undefined): Promise<ShownMac[]> {
  const bridges = name === undefined ? sw.slowPath.bridges() : [sw.bridge(name)];
  await sw.slowPath.revalidate();
  return bridges.flatMap((bridge) =>
    bridge.macs().map(({ ofport, vlan, mac, age }) => ({
      bridge: bridge.name,
      port: sw.ports.nameOf(bridge.name, ofport),
      ofport,
      vlan,
      mac,
      age: age === undefined ? null : Math.floor(age),
    })),
  );
}

function macsText(macs: ShownMac[]): string {
  if (macs.length === 0) return 'No address has been learned.\n';
  return table(
    ['bridge', 'port', 'VLAN', 'address', 'age (s)'],
    macs.map(({ bridge, port, vlan, mac, age }) => [bridge, port, vlan, mac, age ?? 'static']),
  );
}
