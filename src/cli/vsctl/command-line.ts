/** The part of the command line behind the options: commands, with `--` between them. */
import type { Command, CommandSyntax } from './command.ts';
import { COMMANDS } from './commands.ts';
import { VsctlError } from './failure.ts';

type Options = ReadonlyMap<string, string | undefined>;

/**
 * @param options those before the first word, which belong to the first command
 * @throws VsctlError
 */
export function parseCommands(words: readonly string[], options: Options): Command[] {
  let first = options;
  const commands: Command[] = [];
  for (const part of split(words)) {
    commands.push(parseCommand(part, first));
    first = NO_OPTIONS;
  }
  if (commands.length === 0) throw noName();
  return commands;
}

const NO_OPTIONS: Options = new Map();

/** At each `--`; empty parts do not count. */
function split(words: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const word of words) {
    if (word === '--') parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts.filter((part) => part.length > 0);
}

function parseCommand(words: readonly string[], given: Options): Command {
  const at = words.findIndex((word) => !word.startsWith('-'));
  const options = new Map(given);
  for (const word of at < 0 ? words : words.slice(0, at)) addOption(options, word);
  if (at < 0) throw noName();
  const syntax = COMMANDS.get(words[at]);
  if (syntax === undefined) {
    throw new VsctlError(`unknown command '${words[at]}'; use --help for help`);
  }
  for (const [name, value] of options) checkOption(syntax, name, value);
  const args = words.slice(at + 1);
  checkCount(syntax, args);
  return { syntax, args, options };
}

function addOption(options: Map<string, string | undefined>, word: string): void {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  if (options.has(name)) throw new VsctlError(`'${word}' option specified multiple times`);
  options.set(name, equals < 0 ? undefined : word.slice(equals + 1));
}

function checkOption(syntax: CommandSyntax, name: string, value: string | undefined): void {
  const command = syntax.name;
  const option = syntax.options.find((each) => each.replace(/=$/, '') === name);
  if (option === undefined) throw new VsctlError(`'${command}' command has no '${name}' option`);
  if (option.endsWith('=') === (value !== undefined)) return;
  throw new VsctlError(
    value === undefined
      ? `missing argument to '${name}' option on '${command}' command`
      : `'${name}' option on '${command}' does not accept an argument`,
  );
}

function checkCount({ name, min, max }: CommandSyntax, args: readonly string[]): void {
  if (args.length < min) {
    throw new VsctlError(`'${name}' command requires at least ${min} arguments`);
  }
  if (args.length <= max) return;
  const hint = args.some((argument) => argument.startsWith('-'))
    ? ' (note that options must precede command names and follow a "--" argument)'
    : '';
  throw new VsctlError(`'${name}' command takes at most ${max} arguments${hint}`);
}

const noName = (): VsctlError => new VsctlError('missing command name (use --help for help)');
