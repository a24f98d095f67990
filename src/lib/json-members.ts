/**
 * Objects with a great many members, such as the rows of a table by their
 * UUID. V8 makes, grows and walks an object of 100,000 members in steps of 10
 * to 40 ms, so a reader that may not be held so long asks json-text.ts for
 * objects of at most `maxMembers`: behind that many, an object goes on in
 * another one, which only `membersOf` shows.
 */
import type { Json, JsonObject } from './json.ts';

const NEXT = Symbol('next');

interface LargeObject extends JsonObject {
  [NEXT]?: LargeObject;
}

/** Makes the object in which `object` goes on. */
export function continuation(object: JsonObject): { [name: string]: Json } {
  const next = {};
  Object.defineProperty(object, NEXT, { value: next });
  return next;
}

/** All members; of a name that occurs twice, the last counts. */
export function* membersOf(object: JsonObject): Generator<[string, Json], void, undefined> {
  for (let part: LargeObject | undefined = object; part !== undefined; part = part[NEXT]) {
    for (const name in part) yield [name, part[name]];
  }
}
