import { describe, expect, it } from 'vitest';
import { isObject, type Json } from '../../src/lib/json.ts';
import { membersOf } from '../../src/lib/json-members.ts';
import { JsonStream } from '../../src/lib/json-text.ts';

/** Reads a text that comes in pieces of so many bytes. */
function read(text: string, maxMembers?: number, size = 7): Json {
  const stream = new JsonStream({ maxMembers });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) {
    for (const json of stream.feed(bytes.subarray(at, at + size))) return json;
  }
  throw new Error('the text is not whole');
}

const membersOfRows = (json: Json) =>
  isObject(json) && isObject(json.rows) ? [...membersOf(json.rows)] : undefined;

const object = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, { i }]));

describe('an object with more members than are wanted in one', () => {
  it.each([0, 1, 3, 4, 5, 9, 100])('shows all %i of them in order', (count) => {
    const json = read(JSON.stringify({ rows: object(count), after: 1 }), 4);
    expect(membersOfRows(json)).toEqual(Object.entries(object(count)));
    expect(json).toMatchObject({ after: 1 });
  });

  it('is one object when nothing is asked for', () => {
    const json = read(JSON.stringify({ rows: object(100) }));
    expect(json).toEqual({ rows: object(100) });
  });

  it('has no more than so many in each object that it is made of', () => {
    const json = read(JSON.stringify({ rows: object(10) }), 4);
    expect(isObject(json) && isObject(json.rows) && Object.keys(json.rows)).toHaveLength(4);
  });

  it('counts the members of each object alone', () => {
    const inner = { a: 1, b: 2, c: 3 };
    const json = read(JSON.stringify({ rows: { x: inner, y: inner, z: inner } }), 3);
    expect(json).toEqual({ rows: { x: inner, y: inner, z: inner } });
  });

  it('is whole when it is the outermost', () => {
    expect(read(JSON.stringify(object(9)), 4)).toEqual(object(9));
  });

  it('takes __proto__ for a name like others', () => {
    const json = read('{"rows":{"a":1,"b":2,"__proto__":{"c":3},"d":4}}', 2);
    expect(membersOfRows(json)).toEqual([
      ['a', 1],
      ['b', 2],
      ['__proto__', { c: 3 }],
      ['d', 4],
    ]);
  });
});
