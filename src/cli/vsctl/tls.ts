/** The files for ssl: and pssl: remotes, and stock's complaints when one is missing. */
import { readFileSync } from 'node:fs';
import { TapflowError } from '../../lib/error.ts';
import { strerror } from '../../lib/strerror.ts';
import type { TlsFiles } from '../../ovsdb/rpc/tls.ts';
import type { Logs } from './logs.ts';
import type { TlsPaths } from './options.ts';

/** @throws TapflowError when they are not complete */
export function readTls(paths: TlsPaths, logs: Logs): TlsFiles {
  const log = logs.vlog.module('stream_ssl');
  const read = (what: string, path: string | undefined): string | undefined => {
    if (path === undefined || path === 'none') return path;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      log.err(`${what}: ${path}: ${strerror(error)}`);
      return undefined;
    }
  };
  const files: TlsFiles = {
    privateKey: read('SSL_use_PrivateKey_file', paths.privateKey),
    certificate: read('SSL_use_certificate_file', paths.certificate),
    caCert: read('failed to load CA certificate', paths.caCert ?? paths.bootstrapCaCert),
  };
  const missing = REQUIRED.filter(([name]) => files[name] === undefined);
  for (const [, label] of missing) log.err(`${label} must be configured to use SSL`);
  if (missing.length > 0) throw new TapflowError('BAD_TLS', 'Protocol not available');
  return files;
}

const REQUIRED = [
  ['privateKey', 'Private key'],
  ['certificate', 'Certificate'],
  ['caCert', 'CA certificate'],
] as const;
