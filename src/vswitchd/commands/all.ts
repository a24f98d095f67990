/** Every command of the control socket. */
import { commandTable } from '../../unixctl/command-table.ts';
import type { CommandRunner } from '../../unixctl/server.ts';
import type { Switch } from '../switch.ts';
import { cacheCommand } from './cache.ts';
import { flowCommands } from './flows.ts';
import { macCommand } from './mac.ts';
import { ovsBridgeCommands } from './ovs-bridge.ts';
import { ovsDatapathCommands } from './ovs-datapath.ts';
import { portsCommand } from './ports.ts';
import { type ProcessControl, processCommands } from './process.ts';
import { showCommand } from './show.ts';
import { traceCommands } from './trace.ts';

export function switchCommands(sw: Switch, control: ProcessControl): CommandRunner {
  return commandTable([
    ...processCommands(control),
    showCommand(sw),
    ...flowCommands(sw),
    macCommand(sw),
    cacheCommand(sw),
    portsCommand(sw),
    ...traceCommands(sw),
    ...ovsBridgeCommands(sw),
    ...ovsDatapathCommands(sw),
  ]);
}
