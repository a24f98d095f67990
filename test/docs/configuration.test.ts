/** The reference of the file's keys is complete, and names none that does not exist. */
import { expect, it } from 'vitest';
import { parseTopology } from '../../src/config/yaml.ts';
import { PAGES } from './pages.ts';

const text = PAGES.find(({ file }) => file === 'docs/configuration.md')?.text ?? '';

it.each([
  ['The file', 'zzz: 1'],
  ['A bridge', 'bridges: [{ name: br0, zzz: 1 }]'],
  ['A port', 'bridges: [{ name: br0, ports: [{ name: p1, zzz: 1 }] }]'],
])('%s: the keys listed are those that a file may have', (heading, wrong) => {
  expect(documented(heading).sort()).toEqual(known(wrong).sort());
});

/** First column of the first table below a heading. */
function documented(heading: string): string[] {
  const [, section] = text.split(`### ${heading}\n`);
  const [table] = section.trim().split('\n\n');
  return [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
}

/** The parser's own list, from its message about a key that does not exist. */
function known(wrong: string): string[] {
  try {
    parseTopology(wrong, 'file');
  } catch (error) {
    const [, list] = (error as Error).message.split('known are ');
    return list.trim().split(', ');
  }
  throw new Error(`expected a complaint about ${wrong}`);
}
