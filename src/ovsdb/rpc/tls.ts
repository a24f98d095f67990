/**
 * TLS as Open vSwitch's daemons use it: both sides show a certificate, and
 * each takes the other's when the authority it was given has signed it. The
 * name in a certificate does not matter.
 */
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { TapflowError } from '../../lib/error.ts';

/** The contents of PEM files. */
export interface TlsFiles {
  privateKey?: string;
  certificate?: string;
  /** 'none': any peer will do. */
  caCert?: string;
}

/** For a side that connects. @throws TapflowError BAD_TLS when something is missing */
export function tlsClientOptions(files: TlsFiles): ConnectionOptions {
  return { ...commonOptions(files), checkServerIdentity: () => undefined };
}

/** For a side that listens. @throws TapflowError BAD_TLS when something is missing */
export function tlsServerOptions(files: TlsFiles): TlsOptions {
  return {
    ...commonOptions(files),
    requestCert: files.caCert !== 'none',
    handshakeTimeout: HANDSHAKE_MS,
  };
}

/** A peer that is silent so long before it has shown who it is goes. */
const HANDSHAKE_MS = 10_000;

function commonOptions({ privateKey, certificate, caCert }: TlsFiles) {
  return {
    key: present(privateKey, 'Private key'),
    cert: present(certificate, 'Certificate'),
    ca: present(caCert, 'CA certificate') === 'none' ? undefined : caCert,
    rejectUnauthorized: caCert !== 'none',
    minVersion: 'TLSv1.2',
  } as const;
}

function present(content: string | undefined, what: string): string {
  if (content !== undefined && content !== '') return content;
  throw new TapflowError('BAD_TLS', `${what} must be configured to use SSL`);
}
