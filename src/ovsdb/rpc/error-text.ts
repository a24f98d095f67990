/**
 * Why a connection ended, in the words of the C library that Open vSwitch
 * prints: in log lines and in a Manager row's `last_error`.
 */
import { strerror } from '../../lib/strerror.ts';

/** The other side closed the connection: what no system call calls an error. */
export const END_OF_FILE = 'End of file';
export const PROTOCOL_ERROR = 'Protocol error';

/** @param error from node's net, tls or fs */
export function errorText(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return isTls(code) ? PROTOCOL_ERROR : strerror(error);
}

const isTls = (code: string): boolean =>
  code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || TLS_FAULTS.has(code);

/** What verifying a certificate ends with. */
const TLS_FAULTS = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'EPROTO',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
