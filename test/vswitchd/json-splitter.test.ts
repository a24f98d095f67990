import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonSplitter } from '../../src/vswitchd/json-splitter.ts';

const limits = { maxSize: 100_000, maxDepth: 20 };

/** Cuts at the given places, each taken modulo what is left. */
function chunks(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let rest = bytes;
  for (const cut of cuts) {
    const at = cut % (rest.length + 1);
    parts.push(rest.subarray(0, at));
    rest = rest.subarray(at);
  }
  return [...parts, rest];
}

describe('the JSON splitter', () => {
  it('finds every object again, wherever the stream is cut', () => {
    const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })));
    fc.assert(
      fc.property(
        objects,
        fc.array(fc.nat()),
        fc.constantFrom('', ' ', '\n\t'),
        (list, cuts, gap) => {
          const texts = list.map((one) => JSON.stringify(one));
          const splitter = new JsonSplitter(limits);
          const found = chunks(Buffer.from(texts.join(gap)), cuts).flatMap((chunk) =>
            splitter.push(chunk),
          );
          expect(found).toEqual(texts);
        },
      ),
    );
  });

  it('throws nothing but its own error on any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (parts) => {
        const splitter = new JsonSplitter({ maxSize: 60, maxDepth: 4 });
        try {
          for (const part of parts) splitter.push(Buffer.from(part));
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_JSON' });
        }
      }),
    );
  });

  it('refuses an object longer than its limit as soon as it is, complete or not', () => {
    const splitter = new JsonSplitter({ maxSize: 10, maxDepth: 4 });
    expect(splitter.push(Buffer.from('{"a":1234'))).toEqual([]);
    expect(splitter.push(Buffer.from('}'))).toEqual(['{"a":1234}']);
    splitter.push(Buffer.from('{"a":12345'));
    expect(() => splitter.push(Buffer.from('}'))).toThrow('longer than 10 bytes');
  });

  it('refuses nesting deeper than its limit', () => {
    const splitter = new JsonSplitter({ maxSize: 100, maxDepth: 3 });
    expect(splitter.push(Buffer.from('{"a":[[]]}'))).toHaveLength(1);
    expect(() => splitter.push(Buffer.from('{"a":[[['))).toThrow('nested deeper than 3');
  });

  it('refuses what is not an object', () => {
    expect(() => new JsonSplitter(limits).push(Buffer.from('[1]'))).toThrow(
      'an object was expected',
    );
  });

  it('takes a large object byte by byte without growing slow', () => {
    const splitter = new JsonSplitter(limits);
    const text = `{"a":"${'x'.repeat(90_000)}"}`;
    const found = [...Buffer.from(text)].flatMap((byte) => splitter.push(Buffer.of(byte)));
    expect(found).toEqual([text]);
  });
});
