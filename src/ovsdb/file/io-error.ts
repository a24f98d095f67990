/** What the system refused, in the words that stock servers have for it. */
import { TapflowError } from '../../lib/error.ts';
import { strerror } from '../../lib/strerror.ts';

/**
 * @param what was tried, such as "conf.db: write failed"
 * @param cause what was thrown
 * @returns for an error of node:fs, one whose code is errno's name; any other as it is
 */
export function ioError(what: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  return new TapflowError(cause.code, `I/O error: ${what} (${strerror(cause)})`, { cause });
}

function isSystemError(error: unknown): error is { code: string; errno: number } {
  return typeof error === 'object' && error !== null && 'errno' in error && 'code' in error;
}
