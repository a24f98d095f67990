/**
 * `flows`, `add-flow`, `del-flows`: OpenFlow flows in Open vSwitch's syntax. A
 * change is answered when cached traffic follows it.
 */
import type { FlowStatsEntry } from '../../ofproto/api.ts';
import type { Command } from '../../unixctl/command-table.ts';
import type { Switch } from '../switch.ts';
import { report } from './report.ts';

interface ShownFlow {
  bridge: string;
  table: number;
  priority: number;
  cookie: string;
  n_packets: number;
  n_bytes: number;
  duration: number;
  idle_age: number;
  flow: string;
}

export function flowCommands(sw: Switch): Command[] {
  return [
    report({
      name: 'flows',
      usage: '[bridge [match]]',
      minArgs: 0,
      maxArgs: 2,
      value: ([bridge, match]) => shownFlows(sw, bridge, match),
      text: flowsText,
    }),
    report({
      name: 'add-flow',
      usage: 'bridge flow',
      minArgs: 2,
      maxArgs: 2,
      async value([bridge, flow]) {
        sw.bridge(bridge).addFlow(flow);
        await sw.slowPath.revalidate();
        return { bridge, added: flow };
      },
      text: () => '',
    }),
    report({
      name: 'del-flows',
      usage: '[--strict] bridge [match]',
      minArgs: 1,
      maxArgs: 3,
      async value(args) {
        const [bridge, match = ''] = args.filter((arg) => arg !== '--strict');
        const strict = args.includes('--strict');
        const deleted = sw.bridge(bridge).delFlows(match, strict);
        await sw.slowPath.revalidate();
        return { bridge, deleted };
      },
      text: ({ deleted }) => `${deleted} ${deleted === 1 ? 'flow' : 'flows'} deleted\n`,
    }),
  ];
}

/** Counters of cached traffic are credited first, so the numbers are true as of now. */
async function shownFlows(
  sw: Switch,
  name: string | undefined,
  match: string | undefined,
): Promise<ShownFlow[]> {
  const bridges = name === undefined ? sw.slowPath.bridges() : [sw.bridge(name)];
  await sw.slowPath.revalidate();
  return bridges.flatMap((bridge) =>
    bridge.dumpFlows(match).map((flow) => shownFlow(bridge.name, flow)),
  );
}

const shownFlow = (bridge: string, flow: FlowStatsEntry): ShownFlow => ({
  bridge,
  table: flow.table,
  priority: flow.priority,
  cookie: `0x${flow.cookie.toString(16)}`,
  n_packets: flow.packets,
  n_bytes: flow.bytes,
  duration: flow.duration,
  idle_age: flow.idleAge,
  flow: flow.text.trim(),
});

function flowsText(flows: ShownFlow[]): string {
  const names = [...new Set(flows.map((flow) => flow.bridge))];
  const linesOf = (name: string) =>
    flows.filter((flow) => flow.bridge === name).map((flow) => ` ${flow.flow}\n`);
  if (flows.length === 0) return 'There are no such flows.\n';
  return names
    .map((name) => (names.length === 1 ? '' : `bridge ${name}:\n`) + linesOf(name).join(''))
    .join('');
}
