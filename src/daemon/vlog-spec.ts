/**
 * The argument of -v and of vlog/set: levels (`jsonrpc:file:dbg`), a pattern
 * (`PATTERN:file:%m`) or a facility (`FACILITY:local0`). Words are separated by
 * spaces, tabs, commas or colons, in any order; case does not matter. Messages
 * are stock's.
 */
import { TapflowError } from '../lib/error.ts';
import { DESTINATIONS, type Destination, FACILITIES, LEVELS, type Level } from './levels.ts';

/** Where `destination` or `module` is undefined, all are meant. */
export type VlogSetting =
  | { kind: 'levels'; module?: string; destination?: Destination; level: Level }
  | { kind: 'pattern'; destination?: Destination; pattern: string }
  | { kind: 'facility'; facility: number };

/** @throws TapflowError BAD_VLOG_SPEC; nothing is meant then */
export function parseVlogSpec(spec: string, modules: Iterable<string>): VlogSetting {
  const [word = ''] = spec.match(WORD) ?? [];
  const afterWord = spec.slice(spec.indexOf(word) + word.length);
  if (same(word, 'PATTERN')) return patternSetting(afterWord);
  if (same(word, 'FACILITY')) return facilitySetting(afterWord.slice(1));
  return levelSetting(spec.match(WORDS) ?? [], [...modules]);
}

const WORD = /[^ ,:\t]+/;
const WORDS = /[^ ,:\t]+/g;

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function patternSetting(text: string): VlogSetting {
  const [, word, pattern = ''] = /^[ ,:\t]*([^ ,:\t]+)(?:[ ,:\t](.*))?$/s.exec(text) ?? [];
  if (word === undefined) throw bad('missing destination');
  const destination = destinationOf(word);
  if (destination === undefined && !same(word, 'ANY')) throw bad(`unknown destination "${word}"`);
  return { kind: 'pattern', destination, pattern };
}

function facilitySetting(name: string): VlogSetting {
  const facility = FACILITIES.get(name.toLowerCase());
  if (facility === undefined) throw bad('invalid facility');
  return { kind: 'facility', facility };
}

function levelSetting(words: readonly string[], modules: readonly string[]): VlogSetting {
  const found: { level?: Level; destination?: Destination; module?: string } = {};
  for (const word of words.filter((each) => !same(each, 'ANY'))) {
    const level = LEVELS.find((each) => same(each, word));
    const destination = destinationOf(word);
    const module = modules.find((each) => same(each, word));
    if (level !== undefined) found.level = once('level', found.level, level);
    else if (destination !== undefined) {
      found.destination = once('destination', found.destination, destination);
    } else if (module !== undefined) found.module = once('module', found.module, module);
    else throw bad(`no destination, level, or module "${word}"`);
  }
  return { kind: 'levels', ...found, level: found.level ?? 'dbg' };
}

function once<T>(kind: string, before: T | undefined, now: T): T {
  if (before === undefined) return now;
  throw bad(`cannot specify multiple ${kind}s`);
}

const destinationOf = (word: string): Destination | undefined =>
  DESTINATIONS.find((each) => same(each, word));

const bad = (message: string): TapflowError => new TapflowError('BAD_VLOG_SPEC', message);
