/** What is retired comes back once, in order, when its epoch has been passed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Limbo } from '../../src/datapath/limbo.ts';
import { ASLEEP, epochAfter } from '../../src/datapath/shared-state.ts';

describe('limbo', () => {
  it('frees each entry once, in order, as soon as a later epoch has been passed', () => {
    const round = fc.record({ added: fc.nat(5), steps: fc.nat(2), behind: fc.nat(3) });
    // As int32 after so many steps from the first epoch; those near its ends go round.
    const starts = fc.constantFrom(0, 2 ** 31 - 20, 2 ** 32 - 20);
    fc.assert(
      fc.property(starts, fc.array(round, { maxLength: 40 }), (start, rounds) => {
        const epochAt = epochsFrom(start);
        const freed: number[] = [];
        const limbo = new Limbo((kind, number) => {
          expect(kind).toBe(number % 4);
          freed.push(number);
        });
        const epochOf: number[] = [];
        let epoch = 1;
        let passed = 0;
        for (const { added, steps, behind } of rounds) {
          epoch += steps;
          for (let i = 0; i < added; i++) {
            limbo.add(epochAt[epoch], epochOf.length % 4, epochOf.length);
            epochOf.push(epoch);
          }
          passed = Math.max(passed, epoch - behind);
          limbo.reclaim(epochAt[passed]);
          const due = epochOf.filter((addedIn) => addedIn < passed).length;
          expect(freed).toEqual(Array.from({ length: due }, (_, number) => number));
          expect(limbo.isEmpty).toBe(due === epochOf.length);
        }
      }),
    );
  });

  it('never meets the mark of a sleeping worker', () => {
    expect(epochsFrom(2 ** 32 - 20)).not.toContain(ASLEEP);
  });
});

/** The epochs that follow each other from 0 on, shifted by `start`. */
function epochsFrom(start: number): number[] {
  const epochs = [start | 0];
  while (epochs.length < 100) epochs.push(epochAfter(epochs[epochs.length - 1]));
  return epochs;
}
