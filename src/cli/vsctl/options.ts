/**
 * The options in front of the commands: of the program, and of the first
 * command, since getopt takes those too while no word has come.
 */
import { directories, logFilePath } from '../../daemon/directories.ts';
import { getopt, type OptionSpec, type ParsedOption } from '../../daemon/getopt.ts';
import { TABLE_OPTIONS, type TableStyle, tableStyle, takeTableOption } from '../ovs-table/style.ts';
import { COMMANDS } from './commands.ts';
import { VsctlError } from './failure.ts';

export interface Options {
  /** Remotes, separated by commas. */
  database: string;
  waits: boolean;
  isDryRun: boolean;
  isOneLine: boolean;
  retries: boolean;
  /** Seconds; 0: no limit. */
  timeout: number;
  style: TableStyle;
  verbose: string[];
  /** An absolute path. */
  logFile: string | undefined;
  syslogMethod: string;
  syslogTarget: string | undefined;
  tls: TlsPaths;
  /** What to print in place of doing anything. */
  information: 'help' | 'version' | 'commands' | 'options' | undefined;
}

/** Files in PEM. */
export interface TlsPaths {
  privateKey?: string;
  certificate?: string;
  caCert?: string;
  /** Of a CA certificate that may be missing: then it is what the server shows. */
  bootstrapCaCert?: string;
  peerCaCert?: string;
  protocols?: string;
  ciphers?: string;
}

export interface ParsedLine {
  options: Options;
  /** Of the first command. */
  commandOptions: ReadonlyMap<string, string | undefined>;
  words: readonly string[];
}

/** @throws VsctlError; TapflowError USAGE */
export function parseOptions(argv: readonly string[]): ParsedLine {
  const settings = { stopsAtPositional: true };
  const parsed = getopt(argv, [...OPTIONS, ...commandSpecs()], settings);
  const options = defaults();
  const commandOptions = new Map<string, string | undefined>();
  for (const option of parsed.options) {
    if (options.information !== undefined) break;
    if (OPTIONS.some(({ name }) => name === option.name)) take(options, option);
    else commandOptions.set(`--${option.name}`, option.value);
  }
  return { options, commandOptions, words: parsed.positionals };
}

/** In the order of --options. */
export const OPTIONS: readonly OptionSpec[] = [
  { name: 'db', argument: 'required' },
  { name: 'no-syslog', argument: 'none' },
  { name: 'no-wait', argument: 'none' },
  { name: 'dry-run', argument: 'none' },
  { name: 'oneline', argument: 'none' },
  { name: 'timeout', short: 't', argument: 'required' },
  { name: 'retry', argument: 'none' },
  { name: 'help', short: 'h', argument: 'none' },
  { name: 'commands', argument: 'none' },
  { name: 'options', argument: 'none' },
  { name: 'leader-only', argument: 'none' },
  { name: 'no-leader-only', argument: 'none' },
  { name: 'shuffle-remotes', argument: 'none' },
  { name: 'no-shuffle-remotes', argument: 'none' },
  { name: 'version', short: 'V', argument: 'none' },
  { name: 'verbose', short: 'v', argument: 'optional' },
  { name: 'log-file', argument: 'optional' },
  { name: 'syslog-method', argument: 'required' },
  { name: 'syslog-target', argument: 'required' },
  ...TABLE_OPTIONS,
  { name: 'private-key', short: 'p', argument: 'required' },
  { name: 'certificate', short: 'c', argument: 'required' },
  { name: 'ca-cert', short: 'C', argument: 'required' },
  { name: 'ssl-protocols', argument: 'required' },
  { name: 'ssl-ciphers', argument: 'required' },
  { name: 'bootstrap-ca-cert', argument: 'required' },
  { name: 'peer-ca-cert', argument: 'required' },
];

export const defaultDatabase = (): string => `unix:${directories().run}/db.sock`;

function commandSpecs(): OptionSpec[] {
  const all = [...COMMANDS.values()].flatMap(({ options }) => options);
  return [...new Set(all)].map((option) => ({
    name: option.slice(2).replace(/=$/, ''),
    argument: option.endsWith('=') ? 'required' : 'none',
    kind: 'command',
  }));
}

function defaults(): Options {
  return {
    database: defaultDatabase(),
    waits: true,
    isDryRun: false,
    isOneLine: false,
    retries: false,
    timeout: 0,
    style: tableStyle('list'),
    verbose: [],
    logFile: undefined,
    syslogMethod: process.env.OVS_SYSLOG_METHOD || 'libc',
    syslogTarget: undefined,
    tls: {},
    information: undefined,
  };
}

function take(options: Options, option: ParsedOption): void {
  if (takeTableOption(options.style, option)) return;
  TAKERS[option.name]?.(options, option.value ?? '');
}

/** Those that are missing concern clusters of servers, which a switch's own database never is. */
const TAKERS: Readonly<Record<string, (options: Options, value: string) => void>> = {
  db: (options, value) => {
    options.database = value;
  },
  'no-syslog': (options) => options.verbose.push('vsctl:syslog:warn'),
  'no-wait': (options) => {
    options.waits = false;
  },
  'dry-run': (options) => {
    options.isDryRun = true;
  },
  oneline: (options) => {
    options.isOneLine = true;
  },
  timeout: (options, value) => {
    options.timeout = parseTimeout(value);
  },
  retry: (options) => {
    options.retries = true;
  },
  help: (options) => {
    options.information = 'help';
  },
  version: (options) => {
    options.information = 'version';
  },
  commands: (options) => {
    options.information = 'commands';
  },
  options: (options) => {
    options.information = 'options';
  },
  verbose: (options, value) => options.verbose.push(value),
  'log-file': (options, value) => {
    options.logFile = logFilePath('ovs-vsctl', value || undefined);
  },
  'syslog-method': (options, value) => {
    options.syslogMethod = value;
  },
  'syslog-target': (options, value) => {
    options.syslogTarget = value;
  },
  'private-key': ({ tls }, value) => {
    tls.privateKey = value;
  },
  certificate: ({ tls }, value) => {
    tls.certificate = value;
  },
  'ca-cert': ({ tls }, value) => {
    tls.caCert = value;
  },
  'bootstrap-ca-cert': ({ tls }, value) => {
    tls.bootstrapCaCert = value;
  },
  'peer-ca-cert': ({ tls }, value) => {
    tls.peerCaCert = value;
  },
  'ssl-protocols': ({ tls }, value) => {
    tls.protocols = value;
  },
  'ssl-ciphers': ({ tls }, value) => {
    tls.ciphers = value;
  },
};

function parseTimeout(text: string): number {
  const seconds = /^\s*\+?\d+$/.test(text) ? Number(text) : Number.NaN;
  // The manual has 0 for no limit, but stock refuses it.
  if (seconds > 0 && seconds <= UINT_MAX) return seconds;
  throw new VsctlError(`value ${text} on -t or --timeout is invalid`);
}

const UINT_MAX = 0xffff_ffff;
