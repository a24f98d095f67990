/**
 * JSON as values: what OVSDB's protocol and files are made of. An integer
 * that a double cannot hold exactly is a bigint, so that no counter is rounded.
 */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json;
}

/** Array.isArray alone does not narrow readonly arrays. */
export const isArray = (json: Json | undefined): json is readonly Json[] => Array.isArray(json);

export const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);
