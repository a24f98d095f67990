/** Parameters of requests that are about no database, checked in stock's words. */
import { isBoolean, isId } from '../data/json-kinds.ts';
import { OvsdbError, syntaxError } from '../data/ovsdb-error.ts';
import type { Request } from '../rpc/message.ts';

/** The databases by name: a request names one first. @throws OvsdbError */
export function findDatabase<T>({ method, params }: Request, databases: ReadonlyMap<string, T>): T {
  const [name] = params;
  if (typeof name !== 'string') {
    throw syntaxError(params, `${method} request params must begin with <db-name>`);
  }
  const database = databases.get(name);
  if (database !== undefined) return database;
  const details = `${method} request specifies unknown database ${name}`;
  throw syntaxError(params, details, 'unknown database');
}

/** @throws OvsdbError */
export function lockName({ method, params }: Request): string {
  const [name] = params;
  if (params.length === 1 && isId(name)) return name;
  throw syntaxError(params, `${method} request params must be <id>`);
}

/** @throws OvsdbError */
export function awareness({ method, params }: Request): boolean {
  const [isAware] = params;
  if (params.length === 1 && isBoolean(isAware)) return isAware;
  throw syntaxError(params, `${method}: true or false parameter expected`);
}

/** @throws OvsdbError unless there are as many */
export function checkCount({ params }: Request, count: number): void {
  if (params.length !== count) throw syntaxError(params, 'invalid parameters');
}

/** One client gets so many of a thing, and no more: RFC 7047 has the error. */
export function checkLimit(count: number, what: string): void {
  if (count < MAX_PER_CLIENT) return;
  throw new OvsdbError('resources exhausted', `a client may have ${MAX_PER_CLIENT} ${what}`);
}

const MAX_PER_CLIENT = 1024;
