/**
 * `tapflow vswitchd [DATABASE]`: the command line, as ovs-vswitchd(8) has it.
 * What it runs is in serve.ts, which is loaded in the daemon's own process only.
 *
 * Options of Open vSwitch that make no sense here are taken and have no effect:
 * there is no kernel datapath to disable, and memory is not locked. Options of
 * ours:
 *
 *   --workers=N     datapath threads; by default the CPUs allowed less one
 *   --backend=NAME  io_uring or plain; by default io_uring where it works
 *   --simulated     no devices: ports are dummies, so that it needs no root
 *
 * --enable-dummy is --simulated; with `=override` ports of any type are dummies.
 */
import { directories } from '../daemon/directories.ts';
import type { OptionSpec } from '../daemon/getopt.ts';
import { type DaemonArguments, parseDaemonArguments } from '../daemon/options.ts';
import { runDaemon } from '../daemon/run.ts';
import { TapflowError } from '../lib/error.ts';
import { versionText } from '../lib/version.ts';
import type { DatapathOptions } from './open-datapath.ts';

export const PROGRAM = 'ovs-vswitchd';

export interface VswitchdOptions extends DatapathOptions {
  /** A remote, such as unix:/run/openvswitch/db.sock. */
  database: string;
  /** Names of PEM files. */
  tls: { privateKey?: string; certificate?: string; caCert?: string };
  /** As given to --unixctl. */
  unixctl: string | undefined;
}

/** @returns the exit code. @param argv without node and the script */
export async function main(argv: readonly string[]): Promise<number> {
  let args: DaemonArguments;
  let options: VswitchdOptions;
  try {
    args = parseDaemonArguments(PROGRAM, argv, OPTIONS);
    const asked = args.own.find(({ name }) => name === 'help' || name === 'version')?.name;
    if (asked !== undefined) return print(asked === 'help' ? usage() : versionText(PROGRAM));
    options = readOptions(args);
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    process.stderr.write(`${PROGRAM}: ${error.message}\n`);
    return 1;
  }
  return runDaemon({
    program: PROGRAM,
    ...args,
    modules: ['bridge', 'reconnect', 'dpif'],
    isDatapath: !options.simulated,
    async main(daemon) {
      const datapath = import('./open-datapath.ts').then((module) => module.openDatapath(options));
      // It is awaited later, and may fail before.
      datapath.catch(() => undefined);
      const { serve } = await import('./serve.ts');
      return serve(daemon, options, datapath);
    },
  });
}

const none = (...names: readonly string[]): OptionSpec[] =>
  names.map((name) => ({ name, argument: 'none' }));

const required = (...names: readonly string[]): OptionSpec[] =>
  names.map((name) => ({ name, argument: 'required' }));

const OPTIONS: readonly OptionSpec[] = [
  { name: 'help', short: 'h', argument: 'none' },
  { name: 'version', short: 'V', argument: 'none' },
  ...none('simulated', 'mlockall', 'disable-system', 'disable-system-route'),
  ...required('workers', 'backend', 'ssl-protocols', 'ssl-ciphers'),
  ...required('bootstrap-ca-cert', 'dummy-numa'),
  { name: 'enable-dummy', argument: 'optional' },
  { name: 'private-key', short: 'p', argument: 'required' },
  { name: 'certificate', short: 'c', argument: 'required' },
  { name: 'ca-cert', short: 'C', argument: 'required' },
];

/** @throws TapflowError USAGE */
function readOptions({ own, positionals, daemon }: DaemonArguments): VswitchdOptions {
  const [database = `unix:${directories().run}/db.sock`, ...surplus] = positionals;
  if (surplus.length > 0) {
    throw misuse('at most one non-option argument accepted; use --help for usage');
  }
  const given = new Map(own.map(({ name, value }) => [name, value]));
  for (const name of UNSUPPORTED) {
    if (given.has(name)) throw misuse(`--${name} is not supported`);
  }
  return {
    database,
    workers: workersOf(given.get('workers')),
    backend: backendOf(given.get('backend')),
    simulated: given.has('simulated') || given.has('enable-dummy'),
    dummiesOnly: given.get('enable-dummy') === 'override',
    tls: {
      privateKey: given.get('private-key'),
      certificate: given.get('certificate'),
      caCert: given.get('ca-cert'),
    },
    unixctl: daemon.unixctl,
  };
}

/** Whoever asks for these relies on them. */
const UNSUPPORTED = ['bootstrap-ca-cert', 'ssl-protocols', 'ssl-ciphers'];

function workersOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw misuse(`--workers=${text}: a number of threads, at least 1, was expected`);
}

function backendOf(name: string | undefined): VswitchdOptions['backend'] {
  if (name === undefined || name === 'io_uring' || name === 'plain') return name;
  throw misuse(`--backend=${name}: io_uring or plain was expected`);
}

const misuse = (message: string): TapflowError => new TapflowError('USAGE', message);

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

const usage = (): string => `${PROGRAM}: virtual switch daemon of tapflow
usage: ${PROGRAM} [OPTIONS] [DATABASE]
where DATABASE is a socket on which ovsdb-server is listening
      (default: "unix:${directories().run}/db.sock").

DATABASE connection methods: tcp:HOST:PORT, ssl:HOST:PORT, unix:FILE

Datapath options:
  --workers=N             threads that forward (default: CPUs less one)
  --backend=NAME          io_uring or plain (default: io_uring where it works)
  --simulated             dummy ports only: needs no root

TLS options, for ssl:
  -p, --private-key=FILE  file with private key
  -c, --certificate=FILE  file with certificate for private key
  -C, --ca-cert=FILE      file with peer CA certificate

Daemon options:
  --detach                run in background as daemon
  --monitor               creates a process to monitor this daemon
  --user=username[:group] changes the effective daemon user:group
  --no-chdir              do not chdir to '/'
  --pidfile[=FILE]        create pidfile (default: ${directories().run}/${PROGRAM}.pid)
  --overwrite-pidfile     with --pidfile, start even if already running

Logging options:
  -vSPEC, --verbose=SPEC   set logging levels
  -v, --verbose            set maximum verbosity level
  --log-file[=FILE]        enable logging to specified FILE
                           (default: ${directories().log}/${PROGRAM}.log)
  --syslog-method=(libc|unix:file|udp:ip:port)
                           specify how to send messages to syslog daemon
  --syslog-target=HOST:PORT  also send syslog msgs to HOST:PORT via UDP

Other options:
  --unixctl=SOCKET          override default control socket name
  -h, --help                display this help message
  -V, --version             display version information
`;
