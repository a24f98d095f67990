/**
 * `ovs-appctl`: has a running daemon carry out a command, as ovs-appctl(8)
 * describes it.
 *
 *   exit code 0   the daemon did it
 *             1   misuse; the daemon is not there
 *             2   the daemon says that it is an error
 *
 * Most of its time is that of loading code, so little is imported.
 */
import { getopt, type OptionSpec } from '../../daemon/getopt.ts';
import { TapflowError } from '../../lib/error.ts';
import { type UnixctlReply, unixctlRequest } from '../../unixctl/client.ts';
import { type Output, processOutput } from '../ovs-program/output.ts';
import { findSocket } from './target.ts';
import { type Warn, warnings } from './warnings.ts';

const PROGRAM = 'ovs-appctl';

/** @param argv without the interpreter and the script. @returns the exit code */
export async function main(
  argv: readonly string[],
  output: Output = processOutput,
): Promise<number> {
  try {
    return await run(argv, output);
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    output.printError(`${PROGRAM}: ${error.message}\n`);
    return 1;
  }
}

const OPTIONS: readonly OptionSpec[] = [
  { name: 'target', short: 't', argument: 'required' },
  { name: 'timeout', short: 'T', argument: 'required' },
  { name: 'help', short: 'h', argument: 'none' },
  { name: 'version', short: 'V', argument: 'none' },
  { name: 'verbose', short: 'v', argument: 'optional' },
  { name: 'log-file', argument: 'optional' },
  { name: 'syslog-method', argument: 'required' },
  { name: 'syslog-target', argument: 'required' },
];

async function run(argv: readonly string[], output: Output): Promise<number> {
  const { options, positionals } = getopt(argv, OPTIONS, { stopsAtPositional: true });
  const find = (name: string) => options.findLast((each) => each.name === name)?.value;
  const shows = options.find(({ name }) => name === 'help' || name === 'version')?.name;
  if (shows !== undefined) return await showText(shows, output);
  const verbose = options.filter(({ name }) => name === 'verbose').map(({ value = '' }) => value);
  const warn = await warnings(PROGRAM, verbose, output.printError);
  const [command, ...args] = positionals;
  await limitTime(find('timeout'), warn);
  if (command === undefined) {
    throw new TapflowError(
      'USAGE',
      'at least one non-option argument is required (use --help for help)',
    );
  }
  const target = find('target') ?? 'ovs-vswitchd';
  const reply = await call(target, await findSocket(target, warn), command, args, warn);
  if ('result' in reply) {
    output.print(reply.result);
    return 0;
  }
  output.printError(`${reply.error}${PROGRAM}: ${target}: server returned an error\n`);
  return 2;
}

async function showText(name: string, output: Output): Promise<number> {
  if (name === 'version') {
    const { versionText } = await import('../../lib/version.ts');
    output.print(versionText(PROGRAM));
  } else {
    output.print(HELP);
  }
  return 0;
}

async function limitTime(seconds: string | undefined, warn: Warn): Promise<void> {
  if (seconds === undefined) return;
  const { endAfter } = await import('../ovs-program/signals.ts');
  endAfter(seconds, '-T or --timeout', (text) => warn('fatal_signal', text));
}

/** @throws TapflowError NO_TARGET, NO_REPLY */
async function call(
  target: string,
  socket: string,
  command: string,
  args: readonly string[],
  warn: Warn,
): Promise<UnixctlReply> {
  try {
    return await unixctlRequest(socket, command, args);
  } catch (cause) {
    const { code, syscall, message } = cause as NodeJS.ErrnoException;
    const { strerror } = await import('../../lib/strerror.ts');
    if (syscall === 'connect') {
      await warn('unixctl', `failed to connect to ${socket}`);
      const what = `cannot connect to "${socket}" (${strerror(cause)})`;
      throw new TapflowError('NO_TARGET', what, { cause });
    }
    const isNonsense = code === 'BAD_REPLY';
    const reason = isNonsense ? 'Invalid argument' : reasonOf(code, strerror(cause));
    const fault = isNonsense ? message : `error communicating with unix:${socket}: ${reason}`;
    await warn('unixctl', fault);
    throw new TapflowError('NO_REPLY', `${target}: transaction error (${reason})`, { cause });
  }
}

function reasonOf(code: string | undefined, text: string): string {
  if (code === 'NO_REPLY') return 'End of file';
  return code === 'BAD_JSON' ? 'Protocol error' : text;
}

const HELP = `ovs-appctl: has a running daemon carry out a command
usage: ovs-appctl [OPTIONS] COMMAND [ARG...]

  -t, --target=TARGET   the daemon: the path of its control socket, or the name
                        of its pidfile; the default is ovs-vswitchd
  -T, --timeout=SECS    wait so long at most
  -v, --verbose[=SPEC]  set levels of the log
  -h, --help
  -V, --version

Commands that every daemon has:
  list-commands         the daemon's commands
  version
  exit
  vlog/list             modules of its log, and their levels
  vlog/list-pattern     patterns of its destinations
  vlog/set [SPEC]       set levels: a module, "console", "syslog" or "file", and
                        "off", "emer", "err", "warn", "info" or "dbg"
  vlog/reopen           go on in a new log file
`;
