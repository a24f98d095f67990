/** `ports`: packets and bytes of each port, and what was dropped, by reason. */
import type { Command } from '../../unixctl/command-table.ts';
import { namedDrops } from '../named-drops.ts';
import type { Switch } from '../switch.ts';
import { grouped, table } from '../table.ts';
import { report } from './report.ts';

interface ShownPortStats {
  bridge: string;
  port: string;
  ofport: number;
  rx_packets: number;
  rx_bytes: number;
  tx_packets: number;
  tx_bytes: number;
  /** By reason; those that never happened are left out. */
  drops: Record<string, number>;
}

export function portsCommand(sw: Switch): Command {
  return report({
    name: 'ports',
    usage: '[bridge]',
    minArgs: 0,
    maxArgs: 1,
    value: ([name]) => shownPorts(sw, name),
    text: portsText,
  });
}

async function shownPorts(sw: Switch, bridge: string | undefined): Promise<ShownPortStats[]> {
  if (bridge !== undefined) sw.bridge(bridge);
  await sw.dpif.quiesce();
  return sw.ports
    .all()
    .filter((port) => bridge === undefined || port.bridge === bridge)
    .map((port) => {
      const stats = sw.dpif.portStats(port.portNo);
      return {
        bridge: port.bridge,
        port: port.name,
        ofport: port.ofport,
        rx_packets: stats.rxPackets,
        rx_bytes: stats.rxBytes,
        tx_packets: stats.txPackets,
        tx_bytes: stats.txBytes,
        drops: namedDrops(stats.drops),
      };
    });
}

function portsText(ports: ShownPortStats[]): string {
  if (ports.length === 0) return 'There are no ports.\n';
  return table(
    ['bridge', 'port', 'number', 'rx packets', 'rx bytes', 'tx packets', 'tx bytes', 'dropped'],
    ports.map((port) => [
      port.bridge,
      port.port,
      String(port.ofport),
      port.rx_packets,
      port.rx_bytes,
      port.tx_packets,
      port.tx_bytes,
      dropsText(port.drops),
    ]),
  );
}

function dropsText(drops: Record<string, number>): string {
  return (
    Object.entries(drops)
      .map(([reason, count]) => `${reason} ${grouped(count)}`)
      .join(', ') || '-'
  );
}
