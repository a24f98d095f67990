/** The command line of ovsdb-server: ovsdb-server(1). */
import path from 'node:path';
import { directories } from '../../daemon/directories.ts';
import type { OptionSpec } from '../../daemon/getopt.ts';
import { type DaemonArguments, parseDaemonArguments } from '../../daemon/options.ts';
import { TapflowError } from '../../lib/error.ts';
import type { TlsOptions } from './tls-config.ts';

export const PROGRAM = 'ovsdb-server';

export interface Arguments extends Pick<DaemonArguments, 'daemon' | 'log'> {
  /** Instead of serving: to print something. */
  readonly show: 'help' | 'version' | undefined;
  readonly remotes: readonly string[];
  readonly tls: TlsOptions;
  /** A shell command, with whose end the server ends. */
  readonly run: string | undefined;
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** @throws TapflowError USAGE, UNSUPPORTED */
export function parseArguments(argv: readonly string[]): Arguments {
  const { daemon, log, own, positionals } = parseDaemonArguments(PROGRAM, argv, OPTIONS);
  const value = (name: string) => own.findLast((option) => option.name === name)?.value;
  const isGiven = (name: string) => own.some((option) => option.name === name);
  for (const { name } of own) if (UNSUPPORTED.has(name)) throw unsupported(`--${name}`);
  const relay = positionals.find((name) => name.startsWith('relay:'));
  if (relay !== undefined) throw unsupported(`relay databases (${relay})`);
  const files = positionals.length > 0 ? positionals : defaultFiles(isGiven('no-dbs'));
  return {
    daemon,
    log,
    show: isGiven('help') ? 'help' : isGiven('version') ? 'version' : undefined,
    remotes: own.flatMap((option) => (option.name === 'remote' ? (option.value ?? []) : [])),
    tls: {
      privateKey: value('private-key'),
      certificate: value('certificate'),
      caCert: value('ca-cert'),
    },
    run: value('run'),
    files: files.map((file) => path.resolve(file)),
  };
}

const defaultFiles = (hasNone: boolean): string[] =>
  hasNone ? [] : [path.join(directories().db, 'conf.db')];

const required = (name: string, short?: string): OptionSpec => ({
  name,
  short,
  argument: 'required',
});
const none = (name: string, short?: string): OptionSpec => ({ name, short, argument: 'none' });

/** Of stock, and not of ours: said so, instead of left without effect. */
const REFUSED: readonly OptionSpec[] = [
  required('sync-from'),
  required('sync-exclude-tables'),
  none('active'),
  required('bootstrap-ca-cert'),
  required('peer-ca-cert'),
  required('ssl-protocols'),
  required('ssl-ciphers'),
  { name: 'record', argument: 'optional' },
  { name: 'replay', argument: 'optional' },
];

const UNSUPPORTED: ReadonlySet<string> = new Set(REFUSED.map(({ name }) => name));

const OPTIONS: readonly OptionSpec[] = [
  required('remote'),
  required('private-key', 'p'),
  required('certificate', 'c'),
  required('ca-cert', 'C'),
  required('run'),
  none('no-dbs'),
  // Records are differences where that is smaller, which all stock servers since 2.15 read.
  none('disable-file-column-diff'),
  none('help', 'h'),
  none('version', 'V'),
  ...REFUSED,
];

function unsupported(what: string): TapflowError {
  return new TapflowError('UNSUPPORTED', `${what}: tapflow's ovsdb-server does not support this`);
}
