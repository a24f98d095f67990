/**
 * A command of tapflow's own that shows something: it computes one plain value
 * and prints it as text, or with `--json` as it is. Keys are in snake_case, as
 * Open vSwitch's columns.
 */
import type { Command } from '../../unixctl/command-table.ts';

export interface Report<T> {
  name: string;
  usage: string;
  minArgs: number;
  maxArgs: number;
  value(args: readonly string[]): T | Promise<T>;
  text(value: T): string;
}

export function report<T>({ name, usage, minArgs, maxArgs, value, text }: Report<T>): Command {
  return {
    name,
    usage: usage === '' ? '[--json]' : `[--json] ${usage}`,
    minArgs,
    maxArgs: maxArgs + 1,
    async run(args) {
      const rest = args.filter((arg) => arg !== '--json');
      const found = await value(rest);
      return rest.length < args.length ? JSON.stringify(found, null, 2) : text(found);
    },
  };
}
