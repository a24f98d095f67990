/**
 * `ovs-vsctl`: configures the switch by its database. What the commands are,
 * and in which order things happen, session.ts and commands.ts say; here the
 * command line becomes a session, and failures become messages and exit codes.
 */
import { openSyslog, openSyslogTarget } from '../../daemon/syslog.ts';
import { Vlog } from '../../daemon/vlog.ts';
import { TapflowError } from '../../lib/error.ts';
import { type Command, escapeArguments } from './command.ts';
import { parseCommands } from './command-line.ts';
import { VsctlError } from './failure.ts';
import { type Logs, openLogs } from './logs.ts';
import { Needs } from './needs.ts';
import { type Options, parseOptions } from './options.ts';
import { loadSchema } from './schema.ts';
import { runSession } from './session.ts';

const PROGRAM = 'ovs-vsctl';

/** What a run has to do with the process around it. */
export interface Surroundings {
  writeOut(text: string): void;
  writeError(text: string): void;
  /** Whether somebody looks at what is written. */
  readonly isTerminal: boolean;
  /** Ends the process as alarm(2) does. @returns the exit code, where it cannot */
  alarm(): number;
}

/** @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  // Whoever reads our output may stop to: that is no failure.
  process.stdout.on('error', () => {});
  return run(argv, {
    writeOut: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    isTerminal: process.stdout.isTTY === true,
    alarm() {
      process.kill(process.pid, 'SIGALRM');
      return ALARM_CODE;
    },
  });
}

/** What a shell makes of a process that SIGALRM has ended. */
const ALARM_CODE = 142;

export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  const complain = (text: string): void => around.writeError(`${PROGRAM}: ${text}\n`);
  try {
    return await runLine(argv, around, complain);
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    if (error.message !== '') complain(error.message);
    return error instanceof VsctlError ? error.exitCode : 1;
  }
}

async function runLine(
  argv: readonly string[],
  around: Surroundings,
  complain: (text: string) => void,
): Promise<number> {
  const { options, commandOptions, words } = parseOptions(argv);
  if (options.information !== undefined) return inform(options.information, around);
  const logs = startLogs(options, around);
  const commands = parseCommands(words, commandOptions);
  const line = escapeArguments([PROGRAM, ...argv]);
  const level = commands.some(({ syntax }) => syntax.writes) ? 'info' : 'dbg';
  logs.vsctl.log(level, `Called as ${line}`);
  const needs = await prepare(commands, logs, around);
  const print = (text: string): void => around.writeOut(text);
  const session = runSession({ options, commands, needs, logs, line, print, complain });
  return withTimeout(session, options.timeout, () => {
    logs.vlog.module('fatal_signal').warn('terminating with signal 14 (Alarm clock)');
    return around.alarm();
  });
}

async function inform(
  what: NonNullable<Options['information']>,
  around: Surroundings,
): Promise<number> {
  const { informationText } = await import('./help.ts');
  around.writeOut(informationText(what, await loadSchema()));
  return 0;
}

function startLogs(options: Options, around: Surroundings): Logs {
  const vlog = new Vlog({
    program: PROGRAM,
    modules: MODULES,
    writeConsole: (text) => around.writeError(text),
  });
  for (const spec of QUIET) vlog.set(spec);
  for (const spec of options.verbose) applyVerbose(vlog, spec);
  vlog.syslogs = [
    openSyslog(options.syslogMethod),
    ...(options.syslogTarget === undefined ? [] : [openSyslogTarget(options.syslogTarget)]),
  ];
  if (options.logFile !== undefined) {
    vlog.openFile(options.logFile);
    // It has said why.
    if (!vlog.hasFile) throw new VsctlError('');
  }
  return openLogs(vlog);
}

const QUIET = ['console:warn', 'reconnect:warn'];

/** What -v may name: stock's modules that speak up in a run, whether ours have anything to say or not. */
const MODULES = [
  'db_ctl_base',
  'fatal_signal',
  'jsonrpc',
  'ovsdb_cs',
  'ovsdb_idl',
  'poll_loop',
  'process',
  'reconnect',
  'socket_util',
  'stream',
  'stream_fd',
  'stream_ssl',
  'stream_tcp',
  'stream_unix',
  'timeval',
  'util',
  'vsctl',
];

function applyVerbose(vlog: Vlog, spec: string): void {
  try {
    vlog.set(spec);
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    throw new VsctlError(`processing "${spec}": ${error.message}`);
  }
}

async function prepare(
  commands: readonly Command[],
  logs: Logs,
  { isTerminal }: Surroundings,
): Promise<Needs> {
  const needs = new Needs(await loadSchema());
  for (const command of commands) command.syntax.prepare?.(command, { needs, logs, isTerminal });
  return needs;
}

/** @param expired says the exit code when time is up before the session is over */
async function withTimeout(
  session: Promise<void>,
  seconds: number,
  expired: () => number,
): Promise<number> {
  const done = session.then(() => 0);
  if (seconds === 0) return done;
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<number>((resolve) => {
    timer = setTimeout(() => resolve(expired()), Math.min(seconds * 1000, LONGEST_TIMER));
  });
  try {
    return await Promise.race([done, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds: what setTimeout can do, 24 days. */
const LONGEST_TIMER = 0x7fff_ffff;
