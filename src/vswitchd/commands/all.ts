/** The control socket's commands about the switch. */
import type { Command } from '../../unixctl/command-table.ts';
import type { Switch } from '../switch.ts';
import { cacheCommand } from './cache.ts';
import { flowCommands } from './flows.ts';
import { macCommand } from './mac.ts';
import { ovsBridgeCommands } from './ovs-bridge.ts';
import { ovsDatapathCommands } from './ovs-datapath.ts';
import { portsCommand } from './ports.ts';
import { showCommand } from './show.ts';
import { traceCommands } from './trace.ts';

export function commandsOf(sw: Switch): Command[] {
  return [
    showCommand(sw),
    ...flowCommands(sw),
    macCommand(sw),
    cacheCommand(sw),
    portsCommand(sw),
    ...traceCommands(sw),
    ...ovsBridgeCommands(sw),
    ...ovsDatapathCommands(sw),
  ];
}
