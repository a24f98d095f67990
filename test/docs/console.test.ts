/**
 * The commands in the docs print what the docs show: each line shown is among
 * those printed, whatever its numbers and spacing. A line `...` stands for lines
 * left out, and at the end of a line for its rest. Flows of equal priority have
 * no order, so lines have none here.
 */
import { expect, it } from 'vitest';
import { describeSystem } from '../system/requirements.ts';
import { PAGES } from './pages.ts';
import { play } from './player.ts';

const played = PAGES.filter(({ blocks }) => blocks.some((one) => one.language === 'console'));

describeSystem('commands in the docs', () => {
  it.each(played)('$file: each prints what is shown', { timeout: 120_000 }, async (page) => {
    const steps = await play(page);
    for (const { command, shown, printed } of steps) {
      if (printed !== undefined) expect(missing(shown, printed), command).toEqual([]);
    }
  });
});

/** @returns the lines shown that were not printed, and then all that was */
function missing(shown: string[], printed: string[]): string[] {
  const rest = printed.map(shape);
  const lacking = shown.filter((line) => line !== '...' && !take(rest, shape(line)));
  return lacking.length === 0 ? [] : [...lacking, 'PRINTED', ...printed];
}

function take(lines: string[], wanted: string): boolean {
  const start = wanted.endsWith('...') ? wanted.slice(0, -3) : undefined;
  const at = lines.findIndex((line) => line === wanted || (start && line.startsWith(start)));
  if (at >= 0) lines.splice(at, 1);
  return at >= 0;
}

/** Counts, times and directories are the reader's own. */
const shape = (line: string): string =>
  line
    .replace(/\/[^ :]*\/(?=\w+\.yaml)/g, '')
    .replace(/\d[\d,.]*/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
