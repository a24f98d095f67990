import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.ts';
import { CompactionPolicy } from '../../../src/ovsdb/file/compaction-policy.ts';

const MINUTE = 60_000;
const MB = 1024 * 1024;

const grown = { size: 21 * MB, baseSize: 10 * MB, recordsSinceBase: 100 };

/** A policy whose pause is 15 minutes. */
function begin() {
  const clock = new ManualClock();
  const policy = new CompactionPolicy(clock, () => 0.5);
  return { clock, policy };
}

describe('a database is compacted of itself', () => {
  it('when it has more than doubled, after a while', () => {
    const { clock, policy } = begin();
    clock.advance(15 * MINUTE - 1);
    expect(policy.isDue(grown)).toBe(false);
    clock.advance(1);
    expect(policy.isDue(grown)).toBe(true);
  });

  it.each([
    ['it has not doubled', { ...grown, size: 20 * MB }],
    ['it is small', { size: 10 * MB, baseSize: 1, recordsSinceBase: 100 }],
    ['there were few transactions', { ...grown, recordsSinceBase: 99 }],
  ])('not while %s', (_, growth) => {
    const { clock, policy } = begin();
    clock.advance(60 * MINUTE);
    expect(policy.isDue(growth)).toBe(false);
  });

  it('after a day, whatever its size', () => {
    const { clock, policy } = begin();
    const small = { size: 1000, baseSize: 900, recordsSinceBase: 100 };
    clock.advance(24 * 60 * MINUTE - 1);
    expect(policy.isDue(small)).toBe(false);
    clock.advance(1);
    expect(policy.isDue(small)).toBe(true);
    expect(policy.isDue({ ...small, recordsSinceBase: 99 })).toBe(false);
  });

  it('again only after a pause, a shorter one if it failed', () => {
    const { clock, policy } = begin();
    clock.advance(15 * MINUTE);
    policy.restart(false);
    clock.advance(1.5 * MINUTE - 1);
    expect(policy.isDue(grown)).toBe(false);
    clock.advance(1);
    expect(policy.isDue(grown)).toBe(true);
    policy.restart(true);
    clock.advance(2 * MINUTE);
    expect(policy.isDue(grown)).toBe(false);
  });
});
