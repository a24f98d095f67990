import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefixTrie, prefixMask } from '../../src/classifier/prefix-trie.ts';

interface Prefix {
  length: number;
  bits: string;
}

/** Bits as text, so that the oracle below is plain string comparison. Few values: prefixes nest and fork. */
const bits128 = fc
  .tuple(
    fc.constantFrom('0'.repeat(120), '1'.repeat(120), '01'.repeat(60)),
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: 120 }),
  )
  .map(([rest, byte, at]) => {
    const middle = byte.toString(2).padStart(8, '0');
    return rest.slice(0, at) + middle + rest.slice(at);
  });
const prefixes = fc.record({ length: fc.integer({ min: 0, max: 128 }), bits: bits128 });

function words(bits: string): [number, number, number, number] {
  const word = (i: number) => Number.parseInt(bits.slice(i * 32, i * 32 + 32), 2) | 0;
  return [word(0), word(1), word(2), word(3)];
}

function trieOf(list: readonly Prefix[]): PrefixTrie {
  const trie = new PrefixTrie();
  for (const { length, bits } of list) trie.insert(length, ...words(bits));
  return trie;
}

/** The lengths of the prefixes that match, by the definition of a prefix. */
function matchingLengths(list: readonly Prefix[], bits: string): Set<number> {
  const matching = list.filter((p) => bits.startsWith(p.bits.slice(0, p.length)));
  return new Set(matching.map((p) => p.length));
}

function lookup(trie: PrefixTrie, bits: string): Set<number> {
  trie.lookup(...words(bits));
  return new Set(Array.from({ length: 129 }, (_, n) => n).filter((n) => trie.matches(n)));
}

describe('PrefixTrie', () => {
  it('finds exactly the lengths whose prefix matches', () => {
    fc.assert(
      fc.property(fc.array(prefixes, { maxLength: 30 }), bits128, (list, bits) => {
        expect(lookup(trieOf(list), bits)).toEqual(matchingLengths(list, bits));
      }),
    );
  });

  it('gives the same answer for every value that shares the checked bits', () => {
    fc.assert(
      fc.property(fc.array(prefixes), bits128, bits128, (list, bits, other) => {
        const trie = trieOf(list);
        const found = lookup(trie, bits);
        const sharing = bits.slice(0, trie.checkedBits) + other.slice(trie.checkedBits);
        expect(lookup(trie, sharing)).toEqual(found);
      }),
    );
  });

  it('checks no bit more than tells the value from all prefixes', () => {
    fc.assert(
      fc.property(fc.array(prefixes), bits128, (list, bits) => {
        const trie = trieOf(list);
        lookup(trie, bits);
        const { checkedBits } = trie;
        if (checkedBits === 0) return;
        // Some prefix goes on past all but the last checked bit, so that bit was needed.
        const agreed = bits.slice(0, checkedBits - 1);
        expect(list.some((p) => p.length >= checkedBits && p.bits.startsWith(agreed))).toBe(true);
      }),
    );
  });

  it('is as if a prefix had never been there once it is removed', () => {
    fc.assert(
      fc.property(fc.array(prefixes), fc.array(prefixes), bits128, (kept, gone, bits) => {
        const trie = trieOf([...gone, ...kept]);
        for (const { length, bits: value } of gone) trie.remove(length, ...words(value));
        const fresh = trieOf(kept);
        expect(lookup(trie, bits)).toEqual(lookup(fresh, bits));
        expect(trie.checkedBits).toBe(fresh.checkedBits);
      }),
    );
  });

  it('keeps a prefix until it was removed as often as inserted', () => {
    const trie = new PrefixTrie();
    trie.insert(8, 0x0a000000);
    trie.insert(8, 0x0a000000);
    trie.remove(8, 0x0a000000);
    trie.lookup(0x0a010203, 0, 0, 0);
    expect(trie.matches(8)).toBe(true);
  });
});

describe('prefixMask', () => {
  it('sets the leading bits', () => {
    expect([0, 1, 24, 32].map((length) => prefixMask(length) >>> 0)).toEqual([
      0, 0x80000000, 0xffffff00, 0xffffffff,
    ]);
  });
});
