/**
 * tapflow's own commands. Each verb stands in a file of its own, its help text
 * beside it; here they are put together, and their failures become an exit
 * code: 0 done, 1 failed, 2 misused.
 */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../lib/version.ts';
import { addFlow } from './add-flow.ts';
import { cache } from './cache.ts';
import { CliError } from './control.ts';
import { delFlows } from './del-flows.ts';
import { demo } from './demo.ts';
import { down } from './down.ts';
import { flows } from './flows.ts';
import { mac } from './mac.ts';
import { ports } from './ports.ts';
import { PROGRAMS_HELP } from './programs.ts';
import { show } from './show.ts';
import { trace } from './trace.ts';
import { up } from './up.ts';

/** @param argv of the process */
export async function runVerb(argv: readonly string[]): Promise<number> {
  const program = new Command('tapflow')
    .description('A virtual switch for Linux, entirely in userspace.')
    .version(packageVersion())
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', PROGRAMS_HELP)
    .exitOverride();
  // Commander copies the settings above to commands made by `command()`, in this order of appearance.
  for (const verb of [up, down, demo, show, flows, addFlow, delFlows, mac, cache, ports, trace]) {
    verb(program);
  }
  try {
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return exitCode(error);
  }
}

function exitCode(error: unknown): number {
  // Commander has said what is wrong; help and version come here too, with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof CliError)) throw error;
  process.stderr.write(`tapflow: ${error.message}\n`);
  return 1;
}
