/** Datums as sets and maps, against JavaScript's own. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Datum, datumsEqual, parseDatum } from '../../../src/ovsdb/data/datum.ts';
import {
  applyDifference,
  difference,
  excludesAll,
  includesAll,
  subtract,
  union,
} from '../../../src/ovsdb/data/datum-sets.ts';
import { parseColumnType } from '../../../src/ovsdb/data/type-json.ts';

const MAP = parseColumnType({ key: 'integer', value: 'integer', min: 0, max: 'unlimited' });
const SET = parseColumnType({ key: 'integer', min: 0, max: 'unlimited' });

type Pairs = Map<number, number>;

const small = fc.integer({ min: 0, max: 5 });
const pairs = fc.array(fc.tuple(small, small), { maxLength: 6 }).map((list) => new Map(list));
const datumOf = (map: Pairs): Datum => parseDatum(['map', [...map]], MAP);
const both = (check: (a: Pairs, b: Pairs) => void) => fc.assert(fc.property(pairs, pairs, check));

describe('maps', () => {
  it('unite, the first having its way', () => {
    both((a, b) => {
      expect(union(datumOf(a), datumOf(b), MAP)).toEqual(datumOf(new Map([...b, ...a])));
    });
  });

  it('subtract pairs, and keys', () => {
    both((a, b) => {
      const pairwise = new Map([...a].filter(([key, value]) => b.get(key) !== value));
      expect(subtract(datumOf(a), datumOf(b), MAP)).toEqual(datumOf(pairwise));
      const keywise = new Map([...a].filter(([key]) => !b.has(key)));
      const keys = parseDatum(['set', [...b.keys()]], SET);
      expect(subtract(datumOf(a), keys, MAP)).toEqual(datumOf(keywise));
    });
  });

  it('include and exclude pairs', () => {
    both((a, b) => {
      const has = ([key, value]: [number, number]) => a.get(key) === value;
      expect(includesAll(datumOf(a), datumOf(b), MAP)).toBe([...b].every(has));
      expect(excludesAll(datumOf(a), datumOf(b), MAP)).toBe(![...b].some(has));
    });
  });

  it('are made of another and the difference', () => {
    both((a, b) => {
      const change = difference(datumOf(a), datumOf(b), MAP);
      expect(applyDifference(datumOf(a), change, MAP)).toEqual(datumOf(b));
    });
  });

  it('differ by the pairs that one lacks, and by new values', () => {
    const a = new Map([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    const b = new Map([
      [2, 2],
      [3, 4],
      [5, 5],
    ]);
    const expected = new Map([
      [1, 1],
      [3, 4],
      [5, 5],
    ]);
    expect(difference(datumOf(a), datumOf(b), MAP)).toEqual(datumOf(expected));
  });
});

describe('sets', () => {
  const setOf = (members: Iterable<number>): Datum => parseDatum(['set', [...members]], SET);

  it('unite, subtract and differ', () => {
    both((a, b) => {
      const [x, y] = [setOf(a.keys()), setOf(b.keys())];
      expect(union(x, y, SET)).toEqual(setOf(new Set([...a.keys(), ...b.keys()])));
      expect(subtract(x, y, SET)).toEqual(setOf([...a.keys()].filter((key) => !b.has(key))));
      expect(applyDifference(x, difference(x, y, SET), SET)).toEqual(y);
    });
  });

  it('stay the same object when nothing is added or taken', () => {
    const members = setOf([1, 2]);
    expect(union(members, setOf([2]), SET)).toBe(members);
    expect(subtract(members, setOf([3]), SET)).toBe(members);
  });

  it('of at most one member differ by the new value', () => {
    const type = parseColumnType({ key: 'integer', min: 0, max: 1 });
    const [one, none] = [parseDatum(1, type), parseDatum(['set', []], type)];
    expect(datumsEqual(difference(one, none, type), none)).toBe(true);
    expect(applyDifference(none, one, type)).toEqual(one);
  });
});
