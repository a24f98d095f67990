/**
 * strerror(3)'s text for an error of a system call: Open vSwitch's messages end
 * in it, and libuv's texts differ in case and, for some, in words.
 */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** @returns the error's own message when no system call is behind it */
export function strerror(error: unknown): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  const [, text] = getSystemErrorMap().get(-errnoOf(code)) ?? [];
  if (text === undefined) return message;
  return DIFFERENT[code] ?? text.charAt(0).toUpperCase() + text.slice(1);
}

/** Our addon's errors carry errno's name alone, as Node's do in `code`. */
function errnoOf(code: string): number {
  return (constants.errno as Record<string, number>)[code] ?? 0;
}

/** Where glibc says something else than libuv, the first letter aside. */
const DIFFERENT: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EALREADY: 'Operation already in progress',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EFAULT: 'Bad address',
  EHOSTUNREACH: 'No route to host',
  EILSEQ: 'Invalid or incomplete multibyte or wide character',
  EIO: 'Input/output error',
  EISCONN: 'Transport endpoint is already connected',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENFILE: 'Too many open files in system',
  ENOMEM: 'Cannot allocate memory',
  ENOTCONN: 'Transport endpoint is not connected',
  ENOTSUP: 'Operation not supported',
  ENXIO: 'No such device or address',
  EOPNOTSUPP: 'Operation not supported',
  ERANGE: 'Numerical result out of range',
  ESPIPE: 'Illegal seek',
  ETXTBSY: 'Text file busy',
  EXDEV: 'Invalid cross-device link',
};
