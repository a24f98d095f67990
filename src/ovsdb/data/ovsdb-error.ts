/**
 * The errors that OVSDB itself speaks of: RFC 7047 3.1, <error>, with the tags
 * and words of Open vSwitch's own server. They go into a transaction's result,
 * into an answer to a client, or tell what is wrong with a file.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-format.ts';

export class OvsdbError extends Error {
  /** The tag: "constraint violation", "syntax error", "timed out" ... */
  readonly error: string;
  readonly details: string;
  /** The part of a request that it is about, as JSON text. */
  readonly syntax?: string;

  constructor(error: string, details: string, syntax?: string) {
    super(`${error}: ${details}`);
    this.name = 'OvsdbError';
    this.error = error;
    this.details = details;
    this.syntax = syntax;
  }

  /** An <error> as it stands in an answer. */
  toJson(): JsonObject {
    const { error, details, syntax } = this;
    return syntax === undefined ? { details, error } : { details, error, syntax };
  }
}

/** An error about a piece of a request or a schema. */
export function syntaxError(json: Json, details: string, tag = 'syntax error'): OvsdbError {
  return new OvsdbError(tag, details, formatJson(json, { sorted: true }));
}

export function constraintViolation(details: string): OvsdbError {
  return new OvsdbError('constraint violation', details);
}
