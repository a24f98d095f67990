/**
 * Open vSwitch's own commands about bridges, in its formats, so that scripts
 * written for `ovs-appctl` work: fdb/*, bridge/dump-flows, ofproto/list.
 */
import { TapflowError } from '../../lib/error.ts';
import type { Bridge, FlowStatsEntry, MacEntry } from '../../ofproto/api.ts';
import type { Command } from '../../unixctl/command-table.ts';
import { LOCAL_PORT } from '../port-specs.ts';
import type { Switch } from '../switch.ts';

export function ovsBridgeCommands(sw: Switch): Command[] {
  const bridge = (name: string, message: string): Bridge => {
    const found = sw.slowPath.bridge(name);
    if (found === undefined) throw new TapflowError('NO_BRIDGE', message);
    return found;
  };
  return [
    {
      name: 'fdb/show',
      usage: 'bridge',
      minArgs: 1,
      maxArgs: 1,
      async run([name]) {
        const found = bridge(name, 'no such bridge');
        await sw.slowPath.revalidate();
        return ` port  VLAN  MAC                Age\n${found.macs().map(fdbLine).join('')}`;
      },
    },
    {
      name: 'fdb/flush',
      usage: '[bridge]',
      minArgs: 0,
      maxArgs: 1,
      run([name]) {
        const bridges =
          name === undefined ? sw.slowPath.bridges() : [bridge(name, 'no such bridge')];
        for (const one of bridges) one.flushMacs();
        return 'table successfully flushed';
      },
    },
    {
      name: 'bridge/dump-flows',
      usage: 'bridge',
      minArgs: 1,
      maxArgs: 1,
      async run([name]) {
        const found = bridge(name, 'Unknown bridge');
        await sw.slowPath.revalidate();
        return found.dumpFlows().map(flowLine).join('');
      },
    },
    {
      name: 'ofproto/list',
      usage: '',
      minArgs: 0,
      maxArgs: 0,
      run: () =>
        sw.slowPath
          .bridges()
          .map(({ name }) => `${name}\n`)
          .join(''),
    },
  ];
}

function fdbLine({ ofport, vlan, mac, age }: MacEntry): string {
  const port = ofport === LOCAL_PORT ? 'LOCAL' : String(ofport);
  const seconds = age === undefined ? 'static' : String(Math.floor(age)).padStart(3);
  return `${port.padStart(5)}  ${String(vlan).padStart(4)}  ${mac}  ${seconds}\n`;
}

/** The entry's text is `... n_bytes=0, idle_age=0, MATCH actions=ACTIONS`; here match and actions stand alone. */
function flowLine({ table, duration, packets, bytes, text }: FlowStatsEntry): string {
  const actionsAt = text.indexOf('actions=');
  const match = text.slice(text.lastIndexOf(', ', actionsAt) + 2, actionsAt).trim();
  const where = table === 0 ? '' : `table_id=${table}, `;
  return (
    `${where}duration=${Math.floor(duration)}s, n_packets=${packets}, n_bytes=${bytes}, ` +
    `${match},${text.slice(actionsAt).trim()}\n`
  );
}
