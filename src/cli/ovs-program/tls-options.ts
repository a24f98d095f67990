/** The options of a TLS client: "Public Key Infrastructure Options" of ovsdb-client(1). */
import { readFileSync } from 'node:fs';
import type { OptionSpec, ParsedOption } from '../../daemon/getopt.ts';
import { TapflowError } from '../../lib/error.ts';
import { strerror } from '../../lib/strerror.ts';
import type { TlsFiles } from '../../ovsdb/rpc/tls.ts';

/** Names of files. */
export interface TlsNames {
  privateKey?: string;
  certificate?: string;
  caCert?: string;
}

export const TLS_OPTIONS: readonly OptionSpec[] = [
  { name: 'private-key', short: 'p', argument: 'required' },
  { name: 'certificate', short: 'c', argument: 'required' },
  { name: 'ca-cert', short: 'C', argument: 'required' },
];

/** @returns whether the option is one of them */
export function takeTlsOption(names: TlsNames, { name, value }: ParsedOption): boolean {
  if (name === 'private-key') names.privateKey = value;
  else if (name === 'certificate') names.certificate = value;
  else if (name === 'ca-cert') names.caCert = value;
  else return false;
  return true;
}

/** The log's module `stream_ssl`. */
interface TlsLog {
  err(text: string): void;
  warn(text: string): void;
}

/** @throws TapflowError BAD_TLS when a file is missing or cannot be read, which is logged */
export function readTlsFiles(names: TlsNames, log: TlsLog): TlsFiles {
  const { privateKey, certificate, caCert } = names;
  const complain = (text: string) => log.err(text);
  if (caCert === 'none') log.warn('Peer certificate validation disabled (this is a security risk)');
  const files: TlsFiles = {
    privateKey: contents(privateKey, 'Private key', complain),
    certificate: contents(certificate, 'Certificate', complain),
    caCert: caCert === 'none' ? caCert : contents(caCert, 'CA certificate', complain),
  };
  if (Object.values(files).every((file) => file !== undefined)) return files;
  throw new TapflowError('BAD_TLS', 'the files for TLS are missing');
}

function contents(
  name: string | undefined,
  what: string,
  complain: (text: string) => void,
): string | undefined {
  try {
    if (name !== undefined) return readFileSync(name, 'utf8');
    complain(`${what} must be configured to use SSL`);
  } catch (cause) {
    complain(`${name}: cannot be read (${strerror(cause)})`);
  }
  return undefined;
}
