/** What goes wrong with a file, as a client and the log are told of it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Json } from '../../lib/json.ts';
import { strerror } from '../../lib/strerror.ts';
import { OvsdbError } from '../data/ovsdb-error.ts';

/** The element of a transaction's results that says that it could not be written. */
export function failureJson(failure: unknown): Json {
  if (failure instanceof OvsdbError) return failure.toJson();
  const { message, cause } = failure as Error;
  if (cause === undefined) return { details: message, error: 'I/O error' };
  const reason = strerror(cause);
  const details = message.replace(/^I\/O error: /, '').replace(` (${reason})`, '');
  return { details, error: 'I/O error', 'io-error': reason };
}

export const failureText = (failure: unknown): string =>
  failure instanceof Error ? failure.message : String(failure);

/**
 * Why a socket could not be made. libuv says EACCES for a directory that is
 * not there.
 */
export function socketErrorText(error: unknown, socket: string): string {
  const isMissing =
    (error as NodeJS.ErrnoException).code === 'EACCES' && !existsSync(path.dirname(socket));
  return strerror(isMissing ? { code: 'ENOENT' } : error);
}
