/** `tapflow down`: stops a running switch. */
import type { Command } from 'commander';
import { DEFAULT_STATE_DIR, request } from './control.ts';
import { STATE_HELP, STATE_OPTION } from './verb.ts';

const HELP = `
Its TAP ports disappear, and so do the namespaces that it made itself. Returns
when all of that is done.`;

export function down(program: Command): void {
  const command = program
    .command('down')
    .summary('Stop a running switch')
    .description('Stop a running switch.')
    .option('--json', 'print JSON instead of text')
    .option(STATE_OPTION, STATE_HELP, DEFAULT_STATE_DIR)
    .addHelpText('after', HELP);
  command.action(async ({ state, json }: { state: string; json?: boolean }) => {
    await request(state, 'exit');
    process.stdout.write(json ? '{"stopped": true}\n' : 'The switch has stopped.\n');
  });
}
