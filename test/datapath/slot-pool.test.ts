/** Slots are never in two places at once, whatever the order of events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotAt, slotOf } from '../../src/datapath/shared-state.ts';
import { SlotPool } from '../../src/datapath/slot-pool.ts';

const SLOTS = 16;

describe('the slot pool', () => {
  it('keeps every slot in exactly one place over random turns', () => {
    const turn = fc.record({
      want: fc.integer({ min: 0, max: SLOTS }),
      usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
      take: fc.integer({ min: 0, max: 3 }),
      park: fc.integer({ min: 0, max: 3 }),
      adopt: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 40 }), (turns) => {
        const pool = new SlotPool(SLOTS);
        const list = new Int32Array(SLOTS);
        const parked = new Set<number>();
        for (const { want, usedShare, take, park, adopt } of turns) {
          const offered = pool.offer(list, 0, want);
          const used = Math.floor(usedShare * offered);
          pool.accept(list, 0, offered, used);
          const held = new Set(parked);
          const hold = (at: number) => {
            expect(held.has(slotOf(at))).toBe(false);
            held.add(slotOf(at));
          };
          const inHand = [...list.subarray(0, used)];
          inHand.forEach(hold);
          for (const slot of [...parked].slice(0, adopt)) {
            parked.delete(slot);
            expect(pool.adopt(slotAt(slot))).toBe(true);
          }
          for (let i = 0; i < take; i++) {
            const at = pool.take();
            if (at < 0) continue;
            hold(at);
            inHand.push(at);
          }
          for (const at of inHand.slice(0, park)) {
            pool.park(at);
            parked.add(slotOf(at));
          }
          expect(pool.freeCount + held.size).toBe(SLOTS);
        }
      }),
    );
  });
});
