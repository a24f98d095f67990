/**
 * A verb that is one request to a running switch: what it prints is what the
 * switch answered. The switch makes both the table and, for `--json`, the JSON.
 */
import type { Command } from 'commander';
import { request } from './control.ts';
import { DEFAULT_STATE_DIR } from './up/switch-files.ts';

export interface QueryVerb {
  name: string;
  /** Commander's notation: `<bridge> [match]`. */
  args: string;
  /** One line for the list of verbs. */
  summary: string;
  /** What the help says after the options: what is shown, and examples. */
  help: string;
  /** Options of this verb that the switch takes as arguments of the same name. */
  flags?: readonly { name: string; summary: string }[];
}

export const STATE_OPTION = '--state <dir>';
export const STATE_HELP = "the running switch's directory";

export function queryVerb({ name, args, summary, help, flags = [] }: QueryVerb) {
  return (program: Command): void => {
    const command = program
      .command(`${name} ${args}`.trim())
      .summary(summary)
      .description(`${summary}.`)
      .option('--json', 'print JSON instead of text')
      .option(STATE_OPTION, STATE_HELP, DEFAULT_STATE_DIR)
      .addHelpText('after', `\n${help}`);
    for (const flag of flags) command.option(flag.name, flag.summary);
    command.action(async () => {
      const options = command.opts<Record<string, string | boolean>>();
      const given = ['--json', ...flags.map((flag) => flag.name)].filter(
        (flag) => options[flag.slice(2)] === true,
      );
      const answer = await request(String(options.state), name, [...given, ...command.args]);
      process.stdout.write(answer);
    });
  };
}
