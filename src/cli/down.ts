/** `tapflow down`: stops a running switch. */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { request } from './control.ts';
import { DEFAULT_STATE_DIR, switchFiles } from './up/switch-files.ts';
import { STATE_HELP, STATE_OPTION } from './verb.ts';

const HELP = `
Its TAP ports disappear, and so do the namespaces that it made itself; its
database stays. Returns when all of that is done.`;

/** Milliseconds between looks at the pidfile, and how many. */
const INTERVAL = 20;
const TRIES = 500;

export function down(program: Command): void {
  const command = program
    .command('down')
    .summary('Stop a running switch')
    .description('Stop a running switch.')
    .option('--json', 'print JSON instead of text')
    .option(STATE_OPTION, STATE_HELP, DEFAULT_STATE_DIR)
    .addHelpText('after', HELP);
  command.action(async ({ state, json }: { state: string; json?: boolean }) => {
    const { pidfile } = switchFiles(state);
    await request(state, 'exit');
    // vswitchd has ended; `up` stops the database, and removes its pidfile last.
    for (let i = 0; i < TRIES && existsSync(pidfile); i++) await setTimeout(INTERVAL);
    process.stdout.write(json ? '{"stopped": true}\n' : 'The switch has stopped.\n');
  });
}
