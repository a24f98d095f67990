/**
 * The commands that the control socket knows: name, usage, number of
 * arguments, and what runs. Messages about misuse are unixctl's own, to the
 * character.
 */
import { TapflowError } from '../lib/error.ts';
import type { CommandRunner } from './server.ts';

export interface Command {
  name: string;
  /** Shown by list-commands, as `bridge [options]`. */
  usage: string;
  minArgs: number;
  maxArgs: number;
  run(args: readonly string[]): string | Promise<string>;
}

/** @returns what runs a command by its name; `list-commands` is added to those given */
export function commandTable(commands: readonly Command[]): CommandRunner {
  const byName = new Map(commands.map((command) => [command.name, command]));
  byName.set('list-commands', {
    name: 'list-commands',
    usage: '',
    minArgs: 0,
    maxArgs: 0,
    run: () => listing([...byName.values()]),
  });
  return (method, params) => {
    const command = byName.get(method);
    if (command === undefined) {
      throw misuse(
        `"${method}" is not a valid command (use "list-commands" to see a list of valid commands)`,
      );
    }
    return checked(command, params).run(params);
  };
}

function checked(command: Command, params: readonly string[]): Command {
  const { name, minArgs, maxArgs } = command;
  if (params.length < minArgs) {
    throw misuse(`"${name}" command requires at least ${minArgs} arguments`);
  }
  if (params.length > maxArgs) {
    throw misuse(`"${name}" command takes at most ${maxArgs} arguments`);
  }
  return command;
}

function listing(commands: readonly Command[]): string {
  const lines = [...commands]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, usage }) => `  ${name.padEnd(NAME_WIDTH)} ${usage}\n`);
  return `The available commands are:\n${lines.join('')}`;
}

/** As stock prints them. */
const NAME_WIDTH = 23;

const misuse = (message: string): TapflowError => new TapflowError('USAGE', message);
