import { describe, expect, it } from 'vitest';
import { closest } from '../../src/config/closest.ts';

describe('closest', () => {
  it.each([
    ['fail_mod', 'fail_mode'],
    ['tpa', 'tap'],
    ['itnernal', 'internal'],
    ['sistem', 'system'],
  ])('takes %s for %s', (word, meant) => {
    expect(closest(word, ['tap', 'system', 'internal', 'fail_mode'])).toBe(meant);
  });

  it('suggests nothing that differs in most letters', () => {
    expect(closest('tag', ['mac', 'mtu'])).toBeUndefined();
    expect(closest('x'.repeat(1_000_000), ['tap'])).toBeUndefined();
  });

  it('suggests the nearest of several', () => {
    expect(closest('trunk', ['trunks', 'trunked'])).toBe('trunks');
  });
});
