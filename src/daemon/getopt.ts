/**
 * The command line as GNU getopt_long reads it, which is what scripts written
 * for Open vSwitch rely on: an optional argument only counts when attached
 * (`--pidfile=F`, `-vdbg`), so `--pidfile conf.db` leaves conf.db a positional
 * (commander, which our other commands use, would swallow it); a long name may
 * be shortened while it is unambiguous; options may follow positionals; `--`
 * ends them. Messages are glibc's, without the program's name.
 */
import { TapflowError } from '../lib/error.ts';

export interface OptionSpec {
  /** Long name, without dashes. */
  name: string;
  /** One letter. */
  short?: string;
  argument: 'none' | 'required' | 'optional';
  /**
   * Options that their program takes alike, if they take the same argument, are
   * not ambiguous to getopt_long when shortened: the first is meant.
   */
  kind?: string;
}

export interface GetoptSettings {
  /** Whether the first positional ends the options. */
  stopsAtPositional?: boolean;
}

export interface ParsedOption {
  /** The long name in full, however it was written. */
  name: string;
  value: string | undefined;
}

export interface ParsedArguments {
  /** In the order given. */
  options: ParsedOption[];
  positionals: string[];
}

/** @throws TapflowError USAGE */
export function getopt(
  argv: readonly string[],
  specs: readonly OptionSpec[],
  { stopsAtPositional = false }: GetoptSettings = {},
): ParsedArguments {
  const parsed: ParsedArguments = { options: [], positionals: [] };
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') parsed.positionals.push(...rest.splice(0));
    else if (word.startsWith('--')) parsed.options.push(longOption(word, rest, specs));
    else if (/^-./s.test(word)) parsed.options.push(...shortOptions(word, rest, specs));
    else if (stopsAtPositional) parsed.positionals.push(word, ...rest.splice(0));
    else parsed.positionals.push(word);
  }
  return parsed;
}

function longOption(word: string, rest: string[], specs: readonly OptionSpec[]): ParsedOption {
  const equals = word.indexOf('=');
  const given = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const { name, argument } = findLong(given, word, specs);
  if (argument === 'none' && attached !== undefined) {
    throw usage(`option '--${name}' doesn't allow an argument`);
  }
  if (argument !== 'required' || attached !== undefined) return { name, value: attached };
  const value = rest.shift();
  if (value === undefined) throw usage(`option '--${name}' requires an argument`);
  return { name, value };
}

function findLong(given: string, word: string, specs: readonly OptionSpec[]): OptionSpec {
  const exact = specs.find(({ name }) => name === given);
  if (exact !== undefined) return exact;
  const [first, ...rest] = specs.filter(({ name }) => name.startsWith(given));
  if (first === undefined) throw usage(`unrecognized option '${word}'`);
  const others = rest.filter((each) => !isAlike(first, each));
  if (others.length === 0) return first;
  const names = [first, ...others].map(({ name }) => ` '--${name}'`).join('');
  throw usage(`option '${word}' is ambiguous; possibilities:${names}`);
}

const isAlike = (a: OptionSpec, b: OptionSpec): boolean =>
  a.kind !== undefined && a.kind === b.kind && a.argument === b.argument;

/** `-abVALUE`: letters without argument, until one that takes the rest of the word. */
function shortOptions(word: string, rest: string[], specs: readonly OptionSpec[]): ParsedOption[] {
  const options: ParsedOption[] = [];
  const letters = [...word.slice(1)];
  for (let letter = letters.shift(); letter !== undefined; letter = letters.shift()) {
    const spec = specs.find(({ short }) => short === letter);
    if (spec === undefined) throw usage(`invalid option -- '${letter}'`);
    if (spec.argument === 'none') options.push({ name: spec.name, value: undefined });
    else options.push({ name: spec.name, value: shortValue(spec, letters.splice(0), rest) });
  }
  return options;
}

function shortValue(spec: OptionSpec, letters: string[], rest: string[]): string | undefined {
  if (letters.length > 0) return letters.join('');
  if (spec.argument === 'optional') return undefined;
  const value = rest.shift();
  if (value === undefined) throw usage(`option requires an argument -- '${spec.short}'`);
  return value;
}

const usage = (message: string): TapflowError => new TapflowError('USAGE', message);
