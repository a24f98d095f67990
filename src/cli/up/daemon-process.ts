/**
 * A daemon of the switch as a child process: `ovsdb-server` or `vswitchd`, the
 * same program as ours.
 *
 * It has a process group of its own, so that a terminal's Ctrl-C reaches it
 * only through us, in order; and an IPC channel to us, over which it says that
 * it is ready, and whose end, however it comes, ends it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { exitOf, startup } from '../../daemon/child.ts';
import { describeExit } from '../../daemon/exit-status.ts';
import type { MonitoredDaemon } from '../../daemon/monitor.ts';
import { CliError } from '../control.ts';
import type { SwitchFiles } from './switch-files.ts';

export interface DaemonCommand {
  name: 'ovsdb-server' | 'vswitchd';
  args: readonly string[];
  files: SwitchFiles;
  logDir: string | undefined;
}

export interface RunningDaemon extends MonitoredDaemon {
  stop(): void;
}

/** @throws CliError when it ends before it is ready: it has said why on standard error */
export async function startDaemon(command: DaemonCommand): Promise<RunningDaemon> {
  const { child, daemon } = spawnDaemon(command);
  const failure = await startup(child);
  if (failure === undefined) return daemon;
  throw new CliError(`${command.name} did not start: ${describeExit(failure)}`);
}

/** After a crash: whoever depends on it waits for it anyway. */
export function restartDaemon(command: DaemonCommand): RunningDaemon {
  return spawnDaemon(command).daemon;
}

function spawnDaemon(command: DaemonCommand): { child: ChildProcess; daemon: RunningDaemon } {
  const { name, args, files, logDir } = command;
  const log = logDir === undefined ? [] : ['--log-file'];
  const child = spawn(process.execPath, [...FLAGS[name], MAIN, name, ...SHARED, ...log, ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, OVS_RUNDIR: files.run, ...(logDir && { OVS_LOGDIR: logDir }) },
  });
  const daemon = { pid: child.pid ?? 0, exited: exitOf(child), stop: () => void child.kill() };
  return { child, daemon };
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** What a daemon warns of is in its log, and in what `up` and `show` say of the switch. */
const SHARED = ['--pidfile', '--overwrite-pidfile', '-vconsole:err'];

/**
 * Frames and upcalls wait while V8 collects garbage. By default it would, eight seconds after it
 * has been busy, collect all there is just to give memory back, 10 ms in each thread (bench row 3);
 * and young garbage in portions of 16 MB, up to 20 ms while a large database is read.
 */
const FLAGS = {
  'ovsdb-server': [],
  vswitchd: ['--no-memory-reducer', '--max-semi-space-size=2'],
} as const;
