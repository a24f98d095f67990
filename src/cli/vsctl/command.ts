/**
 * Commands: what each is declared with, and what one has to work on. The
 * declarations stand in the modules of their groups; commands.ts has them all.
 */
import type { Table } from '../ovs-table/table.ts';
import type { Attempt } from './attempt.ts';
import type { Logs } from './logs.ts';
import type { Needs } from './needs.ts';

export interface CommandSyntax {
  readonly name: string;
  /** Arguments: at least and at most. */
  readonly min: number;
  readonly max: number;
  /** As --commands prints them: `!BRIDGE ?KEY *COLUMN`. */
  readonly usage: string;
  /** `--if-exists`; `--id=` has an argument. */
  readonly options: readonly string[];
  /** Whether it may change the database. */
  readonly writes: boolean;
  /** Says what it will read, and what it will write. @throws VsctlError */
  prepare?(command: Command, preparation: Preparation): void;
  /** @throws VsctlError */
  run(context: Context): void;
  /** After the transaction. @param uuidOf the UUID that an inserted row got */
  finish?(context: Context, uuidOf: (temporary: string) => string | undefined): void;
}

/** As it stands on the command line. */
export interface Command {
  readonly syntax: CommandSyntax;
  readonly args: readonly string[];
  /** Arguments of options, by name; undefined for one without. */
  readonly options: ReadonlyMap<string, string | undefined>;
}

export interface Preparation {
  readonly needs: Needs;
  readonly logs: Logs;
  readonly isTerminal: boolean;
}

/** A command in the course of one attempt. */
export class Context {
  readonly command: Command;
  readonly attempt: Attempt;
  /** Printed when the transaction is done; of a table instead, if there is one. */
  output = '';
  table: Table | undefined;
  /** Set when the database is not yet as the command waits for. */
  mustWait = false;

  /** Whether no command follows it. */
  readonly isLast: boolean;

  constructor(command: Command, attempt: Attempt, isLast: boolean) {
    this.command = command;
    this.isLast = isLast;
    this.attempt = attempt;
  }

  get args(): readonly string[] {
    return this.command.args;
  }

  has(option: string): boolean {
    return this.command.options.has(option);
  }

  option(name: string): string | undefined {
    return this.command.options.get(name);
  }

  print(line: string): void {
    this.output += `${line}\n`;
  }

  /** The command in short, for messages. */
  get text(): string {
    const { syntax, args, options } = this.command;
    const given = syntax.options
      .filter((option) => options.has(option.replace(/=$/, '')))
      .map((option) => option + (options.get(option.replace(/=$/, '')) ?? ''));
    return escapeArguments([...given, syntax.name, ...args]);
  }
}

/** A command line such that its words can be told apart. */
export function escapeArguments(words: readonly string[]): string {
  return words.map(escapeArgument).join(' ');
}

const escapeArgument = (word: string): string =>
  /[ \t\r\n\v\\'"]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word;
