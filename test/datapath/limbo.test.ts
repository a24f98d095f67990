/** What is retired comes back once, in order, when its epoch has been passed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Limbo } from '../../src/datapath/limbo.ts';

describe('limbo', () => {
  it('frees each entry once, in order, as soon as a later epoch has been passed', () => {
    const round = fc.record({ added: fc.nat(5), steps: fc.nat(2), behind: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 40 }), (rounds) => {
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
            limbo.add(epoch, epochOf.length % 4, epochOf.length);
            epochOf.push(epoch);
          }
          passed = Math.max(passed, epoch - behind);
          limbo.reclaim(passed);
          const due = epochOf.filter((addedIn) => addedIn < passed).length;
          expect(freed).toEqual(Array.from({ length: due }, (_, number) => number));
          expect(limbo.isEmpty).toBe(due === epochOf.length);
        }
      }),
    );
  });
});
