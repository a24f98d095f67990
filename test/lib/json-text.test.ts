import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/lib/json.ts';
import { formatJson, JsonStream, parseJson } from '../../src/lib/json-text.ts';

/** Any JSON value, with numbers in the form that parsing gives them. */
const { value: anyJson } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, false),
    anyText(),
    fc.maxSafeInteger().map((number) => number + 0),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(asInteger),
    fc.double({ min: -1e15, max: 1e15, noNaN: true }).map(asReal),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(anyText(), tie('value'), { maxKeys: 5 }),
  ),
}));

/** Of all characters but NUL, many of them special ones. */
function anyText(): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\x1f', 'é', '😀', 'u', '{', ']') }),
      fc.constantFrom('__proto__', 'toJSON', '12', ''),
    )
    .map((text) => text.replaceAll('\0', '0'));
}

function asInteger(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** With fifteen digits; none of the smallest, which are refused. */
function asReal(value: number): number {
  return Math.abs(value) < 1e-300 ? 0 : Number(formatJson(value));
}

/** Cuts at the given places, each taken modulo what is left. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let rest = bytes;
  for (const cut of cuts) {
    const at = cut % (rest.length + 1);
    parts.push(rest.subarray(0, at));
    rest = rest.subarray(at);
  }
  return [...parts, rest];
}

function feedAll(stream: JsonStream, parts: readonly Uint8Array[]): Json[] {
  return parts.flatMap((part) => [...stream.feed(part)]);
}

/** What a text is refused with. */
function fault(text: string | Uint8Array): string {
  try {
    parseJson(text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_JSON' });
    return (error as Error).message;
  }
  return 'it was taken';
}

const gaps = fc.constantFrom('', ' ', '\r\n\t');
/** More than a message may have to be read in one go. */
const LARGE = 'x'.repeat(70_000);

describe('a JSON stream', () => {
  it('gives back every value that was formatted, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyJson)), fc.array(fc.nat()), gaps, (values, cuts, gap) => {
        const text = values.map((value) => formatJson(value)).join(gap);
        expect(feedAll(new JsonStream(), pieces(Buffer.from(text), cuts))).toEqual(values);
      }),
    );
  });

  it('gives back values too large to be read in one go, wherever they are cut', () => {
    const values = fc.array(fc.tuple(fc.constant(LARGE), anyJson, anyJson), { maxLength: 2 });
    fc.assert(
      fc.property(values, fc.array(fc.nat()), fc.boolean(), (values, cuts, pretty) => {
        const text = values.map((value) => formatJson(value, { pretty })).join(' ');
        expect(feedAll(new JsonStream(), pieces(Buffer.from(text), cuts))).toEqual(values);
      }),
      { numRuns: 50 },
    );
  });

  it('reads a large value of many tokens as JSON.parse does, in pieces of any size', () => {
    const rows = Array.from({ length: 2000 }, (_, i) => ({
      name: `row "${i}" \\ é 😀 \n`,
      integers: [i, -i, 2 ** 40 + i, i * 1e12],
      reals: [i / 8, -i * 1e-7],
      sets: [[], {}, ['set', [true, false, null]]],
    }));
    const bytes = Buffer.from(JSON.stringify([LARGE, rows]));
    const expected = JSON.parse(bytes.toString(), (_, value) => (value === 0 ? 0 : value));
    for (const size of [1, 7, 4096, 65536]) {
      const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(feedAll(new JsonStream(), parts)).toEqual([expected]);
    }
  });

  it('yields the values before a fault, then refuses', () => {
    const values = new JsonStream().feed(Buffer.from('[1]{"a":2}]'));
    expect(values.next().value).toEqual([1]);
    expect(values.next().value).toEqual({ a: 2 });
    expect(() => values.next()).toThrow('line 0, column 0, byte 0: syntax error');
  });

  it('throws nothing but its own error on any bytes', () => {
    const noise = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 20 }),
        fc
          .stringMatching(/^[[\]{}",:0-9.eE+\-\\u truefalsn]{0,30}$/)
          .map((text) => Buffer.from(text)),
      ),
    );
    fc.assert(
      fc.property(noise, (parts) => {
        const stream = new JsonStream({ maxBytes: 100, maxDepth: 4 });
        try {
          feedAll(stream, parts);
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_JSON' });
        }
        expect(stream.pendingBytes).toBeLessThanOrEqual(200);
      }),
    );
  });

  it('refuses a value longer than its limit as soon as it is, complete or not', () => {
    for (const limit of [10, 100_000]) {
      const stream = new JsonStream({ maxBytes: limit });
      const fits = `["${'x'.repeat(limit - 4)}"`;
      expect(feedAll(stream, [Buffer.from(fits)])).toEqual([]);
      expect(stream.pendingBytes).toBe(limit - 1);
      expect(feedAll(stream, [Buffer.from(']')])).toHaveLength(1);
      feedAll(stream, [Buffer.from(fits)]);
      expect(() => feedAll(stream, [Buffer.from(' ]')])).toThrow(`longer than ${limit} bytes`);
    }
  });

  it('refuses a value of a thousand and one levels before it is complete', () => {
    for (const start of ['', `["${LARGE}",`]) {
      const levels = 1000 - (start === '' ? 0 : 1);
      const closed = start + '['.repeat(levels) + ']'.repeat(1000);
      expect(feedAll(new JsonStream(), [Buffer.from(closed)])).toHaveLength(1);
      const open = Buffer.from(`${start}${'['.repeat(levels)}{`);
      expect(() => feedAll(new JsonStream(), [open])).toThrow('maximum nesting depth 1000');
    }
  });

  it('refuses a message that would take far more memory than its text', () => {
    const stream = new JsonStream({ maxBytes: 1 << 20 });
    const part = Buffer.from('[],'.repeat(20_000));
    feedAll(stream, [Buffer.from('[')]);
    const flood = () => {
      for (let i = 0; i < 15; i++) feedAll(stream, [part]);
    };
    expect(flood).toThrow('more than 131072 objects and arrays');
  });

  it('takes a long string byte by byte without growing slow', () => {
    const text = formatJson([LARGE + LARGE]);
    const parts = Array.from(Buffer.from(text), (byte) => Buffer.of(byte));
    expect(feedAll(new JsonStream(), parts)).toEqual([[LARGE + LARGE]]);
  });
});

describe('reading one JSON text', () => {
  it('takes what JSON.parse takes, and nothing else, but for what is refused on purpose', () => {
    const near = fc
      .array(
        fc.constantFrom(
          ...[
            '{',
            '}',
            '[',
            ']',
            ',',
            ':',
            '"',
            '"a"',
            '"":',
            '\\',
            '\\n',
            '\\x',
            '0',
            '12',
            '-',
            '-1',
          ],
          ...[
            '.',
            '.5',
            'e1',
            'E+',
            'true',
            'null',
            'nul',
            ' ',
            '\n',
            '\t',
            '\x01',
            'é',
            '[1,',
            '{"a":',
          ],
        ),
        { maxLength: 12 },
      )
      .map((tokens) => tokens.join(''));
    const closed = near.map((text) => `[${text}]`);
    fc.assert(
      fc.property(fc.oneof(near, closed), (text) => {
        const expected = attempt(() => parseContainer(text));
        expect(attempt(() => inDoubles(parseJson(text)))).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('tells integers from reals by their value, not by their notation', () => {
    const text = `[0, -0, -0.0, 1.0, 1e3, 0.5e1, -12, 9007199254740991, 9007199254740992,
      -9007199254740993, 9223372036854775807, -9223372036854775808, 1e18, 12.5e17, 1.0E+2]`;
    const safe = [0, 0, 0, 1, 1000, 5, -12, 9007199254740991];
    const large = [9007199254740992n, -9007199254740993n, 2n ** 63n - 1n, -(2n ** 63n)];
    const scaled = [10n ** 18n, 125n * 10n ** 16n, 100];
    expect(parseJson(text)).toEqual([...safe, ...large, ...scaled]);
  });

  it('takes integers beyond int64 as reals', () => {
    expect(parseJson('[9223372036854775808, -9223372036854775809, 1e300, 0.1e-5]')).toEqual([
      2 ** 63,
      -(2 ** 63),
      1e300,
      1e-6,
    ]);
  });

  it('takes a long row of digits in linear time', () => {
    expect(parseJson(`[0.${'0'.repeat(1_000_000)}1, 1${'0'.repeat(200)}]`)).toEqual([0, 1e200]);
    expect(fault(`[${'1'.repeat(1_000_000)}]`)).toContain('number outside valid range');
  });

  it('lets the last of duplicate names win, and makes no prototype of __proto__', () => {
    expect(parseJson('{"a":1,"b":2,"a":-3}')).toEqual({ a: -3, b: 2 });
    for (const text of ['{"__proto__":{"a":1}}', '{"__proto__":{"a":-1}}']) {
      const parsed = parseJson(text) as object;
      expect(Object.keys(parsed)).toEqual(['__proto__']);
      expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    }
  });

  it('says where a fault is and what was expected', () => {
    expect(fault('')).toBe('line 0, column 0, byte 0: empty input stream');
    expect(fault('123')).toBe('line 0, column 0, byte 0: syntax error at beginning of input');
    expect(fault('{x}')).toContain("invalid keyword 'x'");
    expect(fault('{1:2}')).toBe(
      'line 0, column 2, byte 2: syntax error parsing object expecting string',
    );
    expect(fault('{"a" 1}')).toContain("syntax error parsing object expecting ':'");
    expect(fault('{"a":}')).toContain('column 5, byte 5: syntax error expecting value');
    expect(fault('{"a":1 "b"}')).toContain("syntax error expecting '}' or ','");
    expect(fault('[1\n\n 2]')).toBe("line 2, column 2, byte 6: syntax error expecting ']' or ','");
    expect(fault('[1,]')).toContain('column 3, byte 3: syntax error expecting value');
    expect(fault('{"a":1,}')).toContain('syntax error parsing object expecting string');
    expect(fault('[1]\n x')).toBe('line 1, column 1, byte 5: trailing garbage at end of input');
    expect(fault('[1')).toBe('line 0, column 2, byte 2: unexpected end of input');
    expect(fault('["a')).toContain('byte 3: unexpected end of input in quoted string');
    expect(fault('[True]')).toContain("byte 1: invalid character 'T'");
    expect(fault('[\x0b]')).toContain('invalid character U+000b');
    expect(fault('[%]')).toContain("invalid character '%'");
  });

  it('refuses malformed numbers by what is wrong with them', () => {
    expect(fault('[01]')).toContain('leading zeros not allowed');
    expect(fault('[-]')).toContain("'-' must be followed by digit");
    expect(fault('[1.]')).toContain('decimal point must be followed by digit');
    expect(fault('[1e+]')).toContain('exponent must contain at least one digit');
    expect(fault('[1-1]')).toContain('syntax error in number');
    expect(fault('[1e999]')).toContain('number outside valid range');
    expect(fault('[1e-310]')).toContain('number outside valid range');
  });

  it('refuses NUL characters, lone surrogates and malformed escapes', () => {
    expect(fault('["\\u0000"]')).toContain('null bytes not supported in quoted strings');
    for (const text of ['\\ud83d', '\\ude00', '\\ud83dx', '\\ud83d\\n', '\\ud83d\\ud83d']) {
      expect(fault(`["${text}"]`)).toContain('malformed escaped surrogate pair');
    }
    expect(fault('["\\u12g4"]')).toContain('malformed \\u escape');
    expect(fault('["\\x"]')).toContain('bad escape \\x');
    expect(fault('["\n"]')).toContain('U+000A must be escaped in quoted string');
    expect(parseJson('["\\ud83d\\uDE00 \\u00e9\\u0041"]')).toEqual(['😀 éA']);
  });

  it('refuses bytes that are not UTF-8', () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
      const text = Buffer.from([0x5b, 0x22, ...bytes, 0x22, 0x5d]);
      expect(fault(text)).toContain('quoted string is not valid UTF-8');
    }
    expect(parseJson(Buffer.from('["\ufeff"]'))).toEqual(['\ufeff']);
  });
});

describe('formatting JSON', () => {
  it('sorts members by the bytes of their names when asked to', () => {
    const value = { b: 1, a: { '\u{10000}': 1, '\uffff': 2, é: 3, z: 4, '10': 5, '9': 6 } };
    expect(formatJson(value, { sorted: true })).toBe(
      '{"a":{"10":5,"9":6,"z":4,"é":3,"\uffff":2,"\u{10000}":1},"b":1}',
    );
  });

  it('puts a member or element on each line when it has to be pretty', () => {
    const value = { a: [1, { b: [] }], c: 'x' };
    expect(formatJson(value, { pretty: true })).toBe(
      ['{', '  "a": [', '    1,', '    {', '      "b": []}],', '  "c": "x"}'].join('\n'),
    );
  });

  it('escapes quotes, backslashes and control characters, and nothing else', () => {
    expect(formatJson(['"\\/\b\f\n\r\t\x01\x1f\x7fé😀'])).toBe(
      '["\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7fé😀"]',
    );
  });

  it('prints reals with fifteen digits, integers with all they have', () => {
    const value = [0.1, 1 / 3, 1e-5, 123456.75, 1e15 + 0.5, 2 ** 60, -1.5e-300, 5.0, -0, 2n ** 62n];
    expect(formatJson(value)).toBe(
      '[0.1,0.333333333333333,1e-05,123456.75,1e+15,1.15292150460685e+18,-1.5e-300,5,0,4611686018427387904]',
    );
  });

  it('rounds what lies in the middle to the even neighbour, as C does', () => {
    const value = [100000000000000.5, 100000000000001.5, -12345678901234.25, 12345678901234.75];
    expect(formatJson(value)).toBe(
      '[100000000000000,100000000000002,-12345678901234.2,12345678901234.8]',
    );
  });

  it('refuses numbers that JSON does not have', () => {
    expect(() => formatJson([Number.NaN])).toThrow(RangeError);
    expect(() => formatJson([Number.POSITIVE_INFINITY])).toThrow(RangeError);
  });
});

/** The oracle. */
function parseContainer(text: string): Json {
  const value = JSON.parse(text, (_, member) => {
    if (typeof member !== 'number') return member;
    if (!Number.isFinite(member)) throw new RangeError('too large for a double');
    return member === 0 ? 0 : member;
  });
  if (typeof value !== 'object' || value === null) throw new TypeError('not a container');
  return value;
}

/** With the large integers as JSON.parse has them. */
function inDoubles(value: Json): Json {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inDoubles);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, inDoubles(member)]),
  );
}

/** The value, or 'refused'. */
function attempt(parse: () => Json): Json {
  try {
    return parse();
  } catch {
    return 'refused';
  }
}
