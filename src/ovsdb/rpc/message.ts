/**
 * The messages of JSON-RPC 1.0 (RFC 7047, section 4): four kinds, told apart
 * by which members are there and not null.
 */
import { TapflowError } from '../../lib/error.ts';
import { isArray, isObject, type Json, type JsonObject } from '../../lib/json.ts';

export interface Request {
  readonly type: 'request';
  readonly method: string;
  readonly params: readonly Json[];
  /** What the reply must carry; anything but null. */
  readonly id: Json;
}

/** A request that wants no reply. */
export interface Notification {
  readonly type: 'notification';
  readonly method: string;
  readonly params: readonly Json[];
}

export interface Reply {
  readonly type: 'reply';
  readonly result: Json;
  readonly id: Json;
}

export interface ErrorReply {
  readonly type: 'error';
  readonly error: Json;
  readonly id: Json;
}

export type Message = Request | Notification | Reply | ErrorReply;

/** @throws TapflowError BAD_JSON_RPC for what is none of the four kinds */
export function parseMessage(json: Json): Message {
  if (!isObject(json)) throw badMessage('message is not a JSON object');
  const stray = Object.keys(json).find((name) => !MEMBERS.includes(name));
  if (stray !== undefined) throw badMessage(`message has unexpected member "${stray}"`);
  if (json.method === null) throw badMessage('method is not a JSON string');
  const present = MEMBERS.filter((name) => Object.hasOwn(json, name) && json[name] !== null);
  const type = typeOf(present);
  checkMembers(type, present);
  const { method, params, result = null, error = null, id = null } = json;
  if (type === 'reply') return { type, result, id };
  if (type === 'error') return { type, error, id };
  if (typeof method !== 'string') throw badMessage('method is not a JSON string');
  if (!isArray(params)) throw badMessage('"params" must be JSON array');
  return type === 'request' ? { type, method, params, id } : { type, method, params };
}

/** As it goes out: with the nulls that Open vSwitch sends, and no others. */
export function messageToJson(message: Message): JsonObject {
  switch (message.type) {
    case 'request':
      return { id: message.id, method: message.method, params: message.params };
    case 'notification':
      return { id: null, method: message.method, params: message.params };
    case 'reply':
      return { id: message.id, result: message.result, error: null };
    case 'error':
      return { id: message.id, error: message.error };
  }
}

const MEMBERS: readonly string[] = ['method', 'params', 'result', 'error', 'id'];

/** The members of each kind that are not null: all of these, and no others. */
const NEEDED: Record<Message['type'], readonly string[]> = {
  request: ['method', 'params', 'id'],
  notification: ['method', 'params'],
  reply: ['result', 'id'],
  error: ['error', 'id'],
};

function typeOf(present: readonly string[]): Message['type'] {
  if (present.includes('result')) return 'reply';
  if (present.includes('error')) return 'error';
  return present.includes('id') ? 'request' : 'notification';
}

function checkMembers(type: Message['type'], present: readonly string[]): void {
  for (const name of MEMBERS) {
    const isNeeded = NEEDED[type].includes(name);
    if (isNeeded && !present.includes(name)) throw badMessage(`${type} must have "${name}"`);
    if (!isNeeded && present.includes(name)) throw badMessage(`${type} must not have "${name}"`);
  }
}

function badMessage(what: string): TapflowError {
  return new TapflowError('BAD_JSON_RPC', what);
}
