/** Values of columns: from JSON to their canonical form, and what they may not be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/lib/json.ts';
import { type Atom, type AtomicType, atomOrder } from '../../../src/ovsdb/data/atom.ts';
import {
  compareDatums,
  datumsEqual,
  datumToJson,
  datumToText,
  defaultDatum,
  parseDatum,
} from '../../../src/ovsdb/data/datum.ts';
import { OvsdbError } from '../../../src/ovsdb/data/ovsdb-error.ts';
import { parseColumnType } from '../../../src/ovsdb/data/type-json.ts';

const set = (key: Json, max: Json = 'unlimited'): Json => ({ key, min: 0, max });
const parse = (type: Json, json: Json) => parseDatum(json, parseColumnType(type));

const UUID = '0fbaa8a5-4d3f-4a0c-9d5e-2f0a4c1b7e66';

describe('a datum', () => {
  it('has its keys in order', () => {
    expect(parse(set('integer'), ['set', [3, -1, 2]]).keys).toEqual([-1, 2, 3]);
    expect(parse(set('boolean'), ['set', [true, false]]).keys).toEqual([false, true]);
    const map = { key: 'string', value: 'integer', min: 0, max: 'unlimited' };
    expect(
      parse(map, [
        'map',
        [
          ['b', 1],
          ['a', 2],
        ],
      ]),
    ).toEqual({ keys: ['a', 'b'], values: [2, 1] });
  });

  it('orders strings by their bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(atomOrder('string')(a, b))).toBe(bytes);
      }),
    );
  });

  it('comes out of its JSON and goes back to it', () => {
    const type = parseColumnType(set('string'));
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), (strings) => {
        const datum = parseDatum(['set', strings], type);
        const again = parseDatum(datumToJson(datum, type), type);
        expect(datumsEqual(datum, again)).toBe(true);
        expect(new Set(again.keys)).toEqual(new Set(strings));
      }),
    );
  });

  it('of one member is written without "set"', () => {
    const type = parseColumnType(set('integer'));
    expect(datumToJson(parseDatum(['set', [7]], type), type)).toBe(7);
    expect(datumToJson(parseDatum(7, type), type)).toBe(7);
    expect(datumToJson(parseDatum(['set', []], type), type)).toEqual(['set', []]);
  });

  it('keeps integers of 64 bits exactly', () => {
    const big = 9007199254740993n;
    expect(parse('integer', big).keys).toEqual([big]);
    expect(parse('integer', 5n).keys).toEqual([5]);
    expect(parse('real', big).keys).toEqual([Number(big)]);
    expect(() => parse('integer', 2n ** 63n)).toThrow('expected integer');
    expect(() => parse('integer', 1e17)).toThrow('expected integer');
  });

  it('takes UUIDs of either case', () => {
    expect(parse('uuid', ['uuid', UUID.toUpperCase()]).keys).toEqual([UUID]);
  });

  it('has the default of its type', () => {
    const byType: [Json, Json][] = [
      ['integer', 0],
      ['real', 0],
      ['boolean', false],
      ['string', ''],
      ['uuid', ['uuid', '00000000-0000-0000-0000-000000000000']],
      [set('integer'), ['set', []]],
      [{ key: 'string', value: 'integer', min: 1, max: 3 }, ['map', [['', 0]]]],
      [{ key: 'string', value: 'integer', min: 0, max: 3 }, ['map', []]],
    ];
    for (const [json, expected] of byType) {
      const type = parseColumnType(json);
      expect(datumToJson(defaultDatum(type), type)).toEqual(expected);
    }
  });

  it('is shown in messages as stock shows it', () => {
    const shown: [Json, Json, string][] = [
      ['integer', 7, '7'],
      ['real', 1e20, '1e+20'],
      ['string', 'br0', 'br0'],
      ['string', 'a b', '"a b"'],
      ['string', '7', '"7"'],
      ['string', 'true', '"true"'],
      ['string', UUID, `"${UUID}"`],
      [set('string'), ['set', ['b', 'a']], '[a, b]'],
      [set('string'), ['set', []], '[]'],
      [set('string', 1), 'a', 'a'],
      [{ key: 'string', value: 'real', max: 'unlimited' }, ['map', [['a', 1.5]]], '{a=1.5}'],
    ];
    for (const [type, json, text] of shown) {
      expect(datumToText(parse(type, json), parseColumnType(type))).toBe(text);
    }
  });

  it('is in order by size first', () => {
    const type = parseColumnType(set('integer'));
    const of = (...members: number[]) => parseDatum(['set', members], type);
    expect(compareDatums(of(9), of(1, 2), type)).toBeLessThan(0);
    expect(compareDatums(of(1, 3), of(1, 2), type)).toBeGreaterThan(0);
    expect(compareDatums(of(1, 3), of(3, 1), type)).toBe(0);
  });
});

const FAULTS: readonly [type: Json, json: Json, tag: string, details: string][] = [
  ['integer', 1.5, 'syntax error', 'expected integer'],
  ['integer', ['set', []], 'syntax error', 'set must have exactly one member but 0 are present'],
  ['string', null, 'syntax error', 'expected string'],
  [
    set('integer', 2),
    ['set', [1, 2, 3]],
    'syntax error',
    'set must have 0 to 2 members but 3 are present',
  ],
  [set('integer'), ['set', [1, 1]], 'ovsdb error', 'set contains duplicate'],
  [set('integer'), ['set', 1], 'syntax error', 'expected ["set", <array>]'],
  [{ key: 'integer', value: 'integer' }, 1, 'syntax error', 'expected ["map", <array>]'],
  [
    { key: 'integer', value: 'integer', max: 2 },
    [
      'map',
      [
        [1, 2],
        [1, 3],
      ],
    ],
    'ovsdb error',
    'map contains duplicate key',
  ],
  [{ key: 'integer', value: 'integer' }, ['map', [1]], 'syntax error', 'expected 2-element array'],
  ['uuid', 'x', 'syntax error', 'expected ["uuid", <string>]'],
  ['uuid', ['uuid', 'x'], 'syntax error', '"x" is not a valid UUID'],
  ['uuid', ['named-uuid', 'x'], 'syntax error', 'expected ["uuid", <string>]'],
];

const CONSTRAINTS: readonly [base: Json, json: Json, details: string][] = [
  [
    { type: 'string', enum: ['set', ['b', 'a']] },
    'c',
    'c is not one of the allowed values ([a, b])',
  ],
  [{ type: 'integer', enum: 4 }, 5, '5 is not one of the allowed values ([4])'],
  [
    { type: 'integer', minInteger: 1, maxInteger: 3 },
    4,
    '4 is not in the valid range 1 to 3 (inclusive)',
  ],
  [{ type: 'integer', minInteger: 1 }, 0, '0 is less than minimum allowed value 1'],
  [{ type: 'integer', maxInteger: 0 }, 1, '1 is greater than maximum allowed value 0'],
  [{ type: 'real', minReal: -0.5 }, -1, '-1 is less than minimum allowed value -0.5'],
  [{ type: 'string', minLength: 2 }, 'é', '"é" length 1 is less than minimum allowed length 2'],
  [
    { type: 'string', maxLength: 1 },
    '😀x',
    '"😀x" length 2 is greater than maximum allowed length 1',
  ],
];

describe('a value that a column cannot hold', () => {
  it.each(FAULTS)('%j for %j is refused', (type, json, tag, details) => {
    expect(errorOf(() => parse(type, json))).toMatchObject({ error: tag, details });
  });

  it.each(CONSTRAINTS)('%j refuses %j', (key, json, details) => {
    const error = errorOf(() => parse({ key }, json));
    expect(error.toJson()).toEqual({ error: 'constraint violation', details });
  });

  it('is shown beside the message', () => {
    const syntax = '{"a":1,"b":[2]}';
    expect(errorOf(() => parse('integer', { b: [2], a: 1 }))).toMatchObject({ syntax });
  });
});

function errorOf(parse: () => unknown): OvsdbError {
  try {
    parse();
  } catch (error) {
    if (error instanceof OvsdbError) return error;
  }
  throw new Error('no OvsdbError');
}

describe('atoms', () => {
  const atoms: [AtomicType, Atom[]][] = [
    ['integer', [-(2n ** 62n), -1, 0, 5, 2n ** 60n]],
    ['real', [-1.5, 0, 1e-9, 2]],
    ['boolean', [false, true]],
    ['string', ['', 'B', 'a', 'ab', '\ue000', '😀']],
    ['uuid', ['0fbaa8a5-0000-0000-0000-000000000000', UUID, `a${UUID.slice(1)}`]],
  ];
  it.each(atoms)('of type %s are in order', (type, ordered) => {
    for (const [i, a] of ordered.entries()) {
      for (const [j, b] of ordered.entries()) {
        expect(Math.sign(atomOrder(type)(a, b))).toBe(Math.sign(i - j));
      }
    }
  });
});
