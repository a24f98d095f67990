/** Commands about a vswitchd that follows a database: `exit`, `version`, `memory/show`. */
import { versionText } from '../../lib/version.ts';
import type { Command } from '../../unixctl/command-table.ts';
import { MONITORED } from '../database/columns.ts';
import { PROGRAM } from '../program.ts';
import type { Vswitchd } from '../serve.ts';

/** @param stop resolves when the switch has closed its ports */
export function daemonCommands(vswitchd: Vswitchd, stop: () => Promise<void>): Command[] {
  return [
    {
      name: 'exit',
      usage: '[--cleanup]',
      minArgs: 0,
      maxArgs: 1,
      async run() {
        await stop();
        return '';
      },
    },
    { name: 'version', usage: '', minArgs: 0, maxArgs: 0, run: () => versionText(PROGRAM) },
    { name: 'memory/show', usage: '', minArgs: 0, maxArgs: 0, run: () => memoryText(vswitchd) },
  ];
}

/** Counts of what takes memory, under stock's names. */
function memoryText({ switch: sw, replica }: Vswitchd): string {
  let cells = 0;
  for (const [table, columns] of MONITORED) cells += replica.rows(table).size * columns.length;
  const bridges = sw.slowPath.bridges();
  const rules = bridges.reduce((sum, bridge) => sum + bridge.dumpFlows().length, 0);
  const counts = {
    handlers: 1,
    'idl-cells-Open_vSwitch': cells,
    ports: sw.ports.all().length,
    revalidators: 1,
    rules,
    'udpif keys': sw.dpif.flowCount(),
  };
  const texts = Object.entries(counts).map(([name, count]) => `${name}:${count}`);
  return `${texts.join(' ')}\n`;
}
