/** Matches as text against stock Open vSwitch: read by both, printed by both. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { formatMatch } from '../../src/flow/match-format.ts';
import { parseMatch } from '../../src/flow/match-text.ts';
import { matchText } from './match-arbitrary.ts';
import { itAsStock, stockMatches } from './stock.ts';

itAsStock('a match is read and printed as ovs-ofctl parse-flows does', () => {
  const texts = fc.sample(matchText, { numRuns: 1500, seed: 7 });
  const stock = stockMatches(texts);
  expect(stock).toHaveLength(texts.length);
  const differing = texts.flatMap((text, i) => {
    const tapflow = formatMatch(parseMatch(text));
    return tapflow === stock[i] ? [] : [{ text, tapflow, stock: stock[i] }];
  });
  expect(differing.slice(0, 5)).toEqual([]);
});
