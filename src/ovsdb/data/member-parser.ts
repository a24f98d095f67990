/**
 * Takes a JSON object apart, member by member: each is asked for with the kind
 * it must have, and what nobody asked for is an error at the end. Requests and
 * schemas are read with it.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { isObject } from './json-kinds.ts';
import { OvsdbError, syntaxError } from './ovsdb-error.ts';

export class MemberParser {
  readonly json: JsonObject;
  readonly #name: string;
  readonly #used = new Set<string>();
  #raised: OvsdbError | undefined;

  /**
   * @param name what the object is, as in "Parsing NAME failed"
   * @throws OvsdbError if it is no object
   */
  constructor(json: Json, name: string) {
    if (!isObject(json)) {
      throw new OvsdbError('syntax error', `Parsing ${name} failed: Object expected.`);
    }
    this.json = json;
    this.#name = name;
  }

  member<T extends Json>(name: string, accepts: (json: Json) => json is T): T {
    const value = this.optional(name, accepts);
    if (value === undefined) throw this.raise(`Required '${name}' member is missing.`);
    return value;
  }

  optional<T extends Json>(name: string, accepts: (json: Json) => json is T): T | undefined {
    if (!Object.hasOwn(this.json, name)) return undefined;
    const value = this.json[name];
    if (!accepts(value)) throw this.raise(`Type mismatch for member '${name}'.`);
    this.#used.add(name);
    return value;
  }

  /** @returns the error to throw, which finish() throws from now on as well */
  raise(message: string): OvsdbError {
    this.#raised = syntaxError(this.json, `Parsing ${this.#name} failed: ${message}`);
    return this.#raised;
  }

  /** @throws OvsdbError if anything was wrong, or a member is left over */
  finish(): void {
    if (this.#raised !== undefined) throw this.#raised;
    const left = Object.keys(this.json).filter((name) => !this.#used.has(name));
    if (left.length === 0) return;
    const others = left.length - 1;
    const more = others === 0 ? ' is' : ` and ${others} other member${others === 1 ? '' : 's'} are`;
    throw this.raise(`Member '${left[0]}'${more} present but not allowed here.`);
  }
}
