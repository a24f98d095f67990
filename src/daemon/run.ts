/**
 * Runs a daemon as its options have it: `ovsdb-server` and `vswitchd` are a
 * `main` each, and this is the rest of the process.
 *
 *   const args = parseDaemonArguments(program, argv, OWN);
 *   process.exit(await runDaemon({ program, ...args, modules, isDatapath, main }));
 *
 * With --detach, --monitor or --user the same program is started again
 * (child.ts), so until `main` is called little should be imported and nothing
 * done: import what the daemon is made of inside `main`.
 *
 * `main` sets up, calls `ready()` once others may use the daemon, goes on until
 * `stopping` is aborted, cleans up and returns the exit code. What it throws
 * is told on standard error and in the log, and makes exit code 1. An
 * exception that nobody catches is a bug: it is logged and ends the process by
 * SIGABRT, as an assertion does stock, so that --monitor starts it anew.
 *
 *   exit code 0   stopped: by a signal, or as `main` says
 *             1   misuse; cannot start; already running
 *   SIGTERM, SIGINT, SIGHUP, SIGALRM stop it cleanly, as they end stock
 */
import { writeFileSync } from 'node:fs';
import { TapflowError } from '../lib/error.ts';
import { native } from '../native.ts';
import { announceReady, type Role, STOP_SIGNALS, takeRole } from './child.ts';
import { describeSignal } from './exit-status.ts';
import { launch } from './launch.ts';
import type { DaemonOptions, LogOptions } from './options.ts';
import { createPidfile, type Pidfile } from './pidfile.ts';
import { supervise } from './supervise.ts';
import { openSyslog, openSyslogTarget } from './syslog.ts';
import { Vlog } from './vlog.ts';

export interface DaemonSpec {
  /** Such as `ovsdb-server`: names pidfile, log file and control socket. */
  program: string;
  daemon: DaemonOptions;
  log: LogOptions;
  /** The log's modules whose code is loaded later: -v may name them. */
  modules: readonly string[];
  /** Whether it opens network devices, and so keeps the capabilities for that under --user. */
  isDatapath: boolean;
  /** Whether standard output stays open with --detach: for a client that prints. */
  keepsOutput?: boolean;
  /** @returns the exit code */
  main(daemon: DaemonProcess): Promise<number>;
}

/** What `main` has to do with the process it runs in. */
export interface DaemonProcess {
  readonly vlog: Vlog;
  /** Aborted when the daemon is to stop. */
  readonly stopping: AbortSignal;
  /** As the unixctl command `exit` asks. */
  stop(): void;
  /** Tells who waits for the start; with --detach, lets go of terminal and directory. */
  ready(): Promise<void>;
}

/** @returns the exit code, for the caller to exit with at once */
export async function runDaemon(spec: DaemonSpec): Promise<number> {
  const { program, daemon, log } = spec;
  // Standard error may be a pipe whose reader, which started us, has gone.
  process.stderr.on('error', () => undefined);
  const vlog = new Vlog({ program, modules: ['daemon_unix', 'fatal_signal', ...spec.modules] });
  try {
    const role = takeRole();
    applyLogOptions(vlog, log);
    if (role === undefined && (daemon.detach || daemon.user)) {
      return await launch({ ...spec, vlog });
    }
    if (log.file !== undefined) vlog.openFile(log.file);
    if (role !== 'daemon' && daemon.monitor) return await supervise(vlog, daemon.detach);
    return await serve(spec, vlog, role);
  } catch (error) {
    return fatal(vlog, 'daemon_unix', error);
  }
}

function applyLogOptions(vlog: Vlog, log: LogOptions): void {
  vlog.syslogs = [openSyslog(log.syslogMethod)];
  if (log.syslogTarget !== undefined) vlog.syslogs.push(openSyslogTarget(log.syslogTarget));
  for (const spec of log.verbose) {
    try {
      vlog.set(spec);
    } catch (cause) {
      const message = `processing "${spec}": ${(cause as Error).message}`;
      throw new TapflowError('USAGE', message, { cause });
    }
  }
}

async function serve(spec: DaemonSpec, vlog: Vlog, role: Role | undefined): Promise<number> {
  setCommandName(spec.program);
  crashOnBugs(vlog);
  const pidfile = claimPidfile(spec.daemon, vlog);
  const stopping = stopOnSignals(vlog);
  // Who started us and keeps the channel, as `tapflow up` does, takes us along when it ends.
  if (role === undefined) process.once('disconnect', () => stopping.abort());
  try {
    return await spec.main({
      vlog,
      stopping: stopping.signal,
      stop: () => stopping.abort(),
      ready: () => becomeReady(spec.daemon, vlog, role),
    });
  } catch (error) {
    return fatal(vlog, moduleOf(vlog), error);
  } finally {
    pidfile?.remove();
  }
}

function claimPidfile(
  { pidfile, overwritePidfile }: DaemonOptions,
  vlog: Vlog,
): Pidfile | undefined {
  if (pidfile === undefined) return undefined;
  return createPidfile({
    path: pidfile,
    overwrite: overwritePidfile,
    lockFile: (fd) => native().lockFile(fd),
    onStale: (message) => vlog.module('daemon_unix').dbg(message),
  });
}

/** Signals that come again, as from a terminal and from the monitor, ask for nothing new. */
function stopOnSignals(vlog: Vlog): AbortController {
  const stopping = new AbortController();
  for (const name of [...STOP_SIGNALS, 'SIGALRM'] satisfies NodeJS.Signals[]) {
    process.on(name, (_: NodeJS.Signals, number: number) => {
      if (stopping.signal.aborted) return;
      const text = `terminating with signal ${number} (${describeSignal(name)})`;
      vlog.module('fatal_signal').warn(text);
      stopping.abort();
    });
  }
  return stopping;
}

/** Who started us as a role waits for nothing more; another, with a channel of its own, may keep it. */
async function becomeReady(
  { detach, chdir }: DaemonOptions,
  vlog: Vlog,
  role: Role | undefined,
): Promise<void> {
  await announceReady();
  if (role !== undefined && process.connected) process.disconnect();
  if (!detach) return;
  if (chdir) process.chdir('/');
  vlog.set('console:off');
}

function crashOnBugs(vlog: Vlog): void {
  process.on('uncaughtException', (error) => {
    vlog.module(moduleOf(vlog)).emer(`uncaught exception: ${error?.stack ?? error}`);
    process.kill(process.pid, 'SIGABRT');
  });
}

/** Stock's scripts look for a daemon by the name that the kernel has for it, in /proc/PID/comm. */
function setCommandName(program: string): void {
  writeFileSync('/proc/self/comm', program.slice(0, 15));
}

/** As stock names the module of a program's main file. */
const moduleOf = ({ program }: Vlog): string => program.replaceAll('-', '_');

/** The last message: plain for whoever looks, and as an emergency in the log. */
function fatal(vlog: Vlog, module: string, error: unknown): number {
  const text =
    error instanceof TapflowError ? error.message : ((error as Error).stack ?? String(error));
  const log = vlog.module(module);
  vlog.set('console:off');
  log.emer(text);
  process.stderr.write(`${vlog.program}: ${text}\n`);
  return 1;
}
