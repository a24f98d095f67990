/**
 * The options that every daemon takes: of the process (--detach, --pidfile,
 * --monitor ...) and of its log (-v, --log-file ...). What they do is in
 * run.ts and in vlog.ts. Names given are resolved to paths here, before
 * anybody changes directory.
 */
import { logFilePath, pidfilePath } from './directories.ts';
import { getopt, type OptionSpec, type ParsedOption } from './getopt.ts';

export interface DaemonOptions {
  detach: boolean;
  /** After detaching the daemon goes to `/`, so that it holds no file system, unless this is false. */
  chdir: boolean;
  monitor: boolean;
  /** An absolute path. */
  pidfile: string | undefined;
  overwritePidfile: boolean;
  /** USER, USER:GROUP or :GROUP */
  user: string | undefined;
  /** As given to --unixctl, for `controlSocketPath`. */
  unixctl: string | undefined;
}

export interface LogOptions {
  /** SPECs in the order given; '' is a bare -v. */
  verbose: string[];
  /** An absolute path. */
  file: string | undefined;
  /** `libc`, `null`, `unix:FILE` or `udp:IP:PORT` */
  syslogMethod: string;
  /** HOST:PORT that gets a copy. */
  syslogTarget: string | undefined;
}

export interface DaemonArguments {
  daemon: DaemonOptions;
  log: LogOptions;
  /** The daemon's own, in the order given. */
  own: ParsedOption[];
  positionals: string[];
}

/**
 * @param argv without the interpreter and the script
 * @param own options of this daemon alone
 * @throws TapflowError USAGE
 */
export function parseDaemonArguments(
  program: string,
  argv: readonly string[],
  own: readonly OptionSpec[],
): DaemonArguments {
  const { options, positionals } = getopt(argv, [...own, ...SHARED]);
  const common: Shared = { daemon: { ...DAEMON_DEFAULTS }, log: logDefaults() };
  const remaining = options.filter(({ name, value }) => !take(common, program, name, value));
  return { ...common, own: remaining, positionals };
}

type Shared = Pick<DaemonArguments, 'daemon' | 'log'>;

const SHARED: readonly OptionSpec[] = [
  { name: 'detach', argument: 'none' },
  { name: 'no-chdir', argument: 'none' },
  { name: 'monitor', argument: 'none' },
  { name: 'pidfile', argument: 'optional' },
  { name: 'overwrite-pidfile', argument: 'none' },
  { name: 'no-self-confinement', argument: 'none' },
  { name: 'user', argument: 'required' },
  { name: 'unixctl', argument: 'required' },
  { name: 'verbose', short: 'v', argument: 'optional' },
  { name: 'log-file', argument: 'optional' },
  { name: 'syslog-method', argument: 'required' },
  { name: 'syslog-target', argument: 'required' },
];

const DAEMON_DEFAULTS: DaemonOptions = {
  detach: false,
  chdir: true,
  monitor: false,
  pidfile: undefined,
  overwritePidfile: false,
  user: undefined,
  unixctl: undefined,
};

function logDefaults(): LogOptions {
  const syslogMethod = process.env.OVS_SYSLOG_METHOD || 'libc';
  return { verbose: [], file: undefined, syslogMethod, syslogTarget: undefined };
}

/** @returns false when it is not one of ours */
function take({ daemon, log }: Shared, program: string, name: string, value = ''): boolean {
  if (name === 'detach') daemon.detach = true;
  else if (name === 'no-chdir') daemon.chdir = false;
  else if (name === 'monitor') daemon.monitor = true;
  else if (name === 'pidfile') daemon.pidfile = pidfilePath(program, value || undefined);
  else if (name === 'overwrite-pidfile') daemon.overwritePidfile = true;
  else if (name === 'user') daemon.user = value;
  else if (name === 'unixctl') daemon.unixctl = value;
  else if (name === 'verbose') log.verbose.push(value);
  else if (name === 'log-file') log.file = logFilePath(program, value || undefined);
  else if (name === 'syslog-method') log.syslogMethod = value;
  else if (name === 'syslog-target') log.syslogTarget = value;
  // Stock confines itself to its directories by checking names; we do not, so there is nothing to turn off.
  else return name === 'no-self-confinement';
  return true;
}
