import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashIndex, usableHash } from '../../src/classifier/hash-index.ts';

/** Few hashes, and such that share slots whatever the size: collisions of both kinds. */
const hashes = fc.constantFrom(1, 2, 3, 0x10001, 0x20001, 0x40000002, -1, -0x10000);
const steps = fc.array(fc.record({ hash: hashes, isRemoval: fc.boolean() }), { maxLength: 200 });

function itemsUnder(index: HashIndex<number>, hash: number): number[] {
  const items: number[] = [];
  for (let slot = index.find(hash); slot >= 0; slot = index.next(slot)) {
    items.push(index.items[slot] ?? Number.NaN);
  }
  return items.sort((a, b) => a - b);
}

describe('HashIndex', () => {
  it('holds what a map from hash to list would hold', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const index = new HashIndex<number>();
        const model = new Map<number, number[]>();
        for (const [item, { hash, isRemoval }] of list.entries()) {
          const present = model.get(hash) ?? [];
          const slot = index.find(hash);
          if (!isRemoval) {
            index.add(hash, item);
            model.set(hash, [...present, item]);
          } else if (slot >= 0) {
            const removed = index.items[slot];
            index.removeAt(slot);
            model.set(
              hash,
              present.filter((other) => other !== removed),
            );
          }
        }
        for (const [hash, items] of model) expect(itemsUnder(index, hash)).toEqual(items);
        expect(index.size).toBe([...model.values()].flat().length);
      }),
    );
  });

  it('shrinks again, and keeps no item alive that was removed', () => {
    const index = new HashIndex<number>();
    for (let i = 1; i <= 1000; i++) index.add(i, i);
    for (let i = 1; i < 1000; i++) index.removeAt(index.find(i));
    expect(index.items.length).toBeLessThan(16);
    expect(index.items.filter((item) => item !== undefined)).toEqual([1000]);
  });
});

describe('usableHash', () => {
  it('never gives 0, which marks an empty slot', () => {
    expect(usableHash(0)).not.toBe(0);
    expect(usableHash(5)).toBe(5);
  });
});
