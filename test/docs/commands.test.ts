/** Each `tapflow` command that the docs tell people to type exists, with its options. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { CLI } from '../system/requirements.ts';
import { PAGES } from './pages.ts';

const help = (...args: string[]): string =>
  execFileSync(process.execPath, [CLI, 'help', ...args], { encoding: 'utf8' });

const VERBS = [...help().matchAll(/^ {2}([a-z-]+) /gm)].map(([, verb]) => verb);

interface Typed {
  command: string;
  page: string;
}

/** After sudo, npx or nothing. */
const IN_BLOCK = /(?:^(?:\$ )?|&& |; )(?:sudo |npx )*tapflow ([a-z-].*)$/gm;
const IN_PROSE = /`(?:sudo |npx )*tapflow ([a-z-][^`\n]*)`/g;
const typed: Typed[] = PAGES.flatMap(({ file, text, blocks }) => [
  ...blocks.flatMap((block) => commandsIn(block.text, IN_BLOCK, file)),
  ...commandsIn(text, IN_PROSE, file),
]);

function commandsIn(text: string, pattern: RegExp, page: string): Typed[] {
  return [...text.matchAll(pattern)].map(([, command]) => ({ command, page }));
}

it('the docs name every command, and say how it is used', () => {
  const explained = PAGES.find(({ file }) => file === 'docs/configuration.md')?.text ?? '';
  const verbs = VERBS.filter((verb) => verb !== 'help');
  expect(verbs.length).toBeGreaterThan(5);
  expect(verbs.filter((verb) => !explained.includes(`| \`tapflow ${verb}`))).toEqual([]);
});

const unique = [...new Map(typed.map((one) => [one.command, one])).values()];
it.each(unique)('$page: tapflow $command', ({ command }) => {
  const [verb, ...rest] = command.split(/\s+/);
  expect(VERBS).toContain(verb);
  const known = verb === 'help' ? help() : help(verb);
  for (const [option] of rest.join(' ').matchAll(/--[a-z-]+/g)) expect(known).toContain(option);
});

it("the page of commands lists up's options, all of them", () => {
  const explained = PAGES.find(({ file }) => file === 'docs/configuration.md')?.text ?? '';
  const options = [...help('up').matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name]) => name);
  const special = ['--help', '--version'];
  const unexplained = options.filter((name) => !explained.includes(`\`${name}`));
  expect(unexplained.filter((name) => !special.includes(name))).toEqual([]);
});
