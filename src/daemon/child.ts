/**
 * The processes of a daemon, and how one starts the next. Node cannot fork, so
 * each is this same program with the same arguments and, in its environment, a
 * role:
 *
 *   what the user started --detach--> monitor --monitor--> daemon
 *
 * where what has no role plays the first role that its options ask for. A
 * child says over Node's IPC channel that it is ready, once, and leaves the
 * channel; who started it waits for that, or for its end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { TapflowError } from '../lib/error.ts';
import { strerror } from '../lib/strerror.ts';
import { describeExit, type ExitStatus } from './exit-status.ts';
import type { Vlog } from './vlog.ts';

export type Role = 'monitor' | 'daemon';

/** Not left in the environment: what the daemon starts is no daemon. @returns undefined when started by a user */
export function takeRole(): Role | undefined {
  const role = process.env[ROLE_VARIABLE];
  delete process.env[ROLE_VARIABLE];
  return role === 'monitor' || role === 'daemon' ? role : undefined;
}

export interface ChildSettings {
  role: Role;
  /** In a session of its own, its standard error piped to us, the rest closed; else all as ours. */
  isDetached: boolean;
  /** With isDetached: standard output stays as ours. */
  keepsOutput?: boolean;
  /** What runs it, such as `setpriv --reuid=7 --`. */
  prefix?: readonly string[];
}

export function startChild(settings: ChildSettings): ChildProcess {
  const { role, isDetached, keepsOutput, prefix = [] } = settings;
  const options = process.execArgv.filter((each) => !each.startsWith(TITLE_OPTION));
  if (role === 'monitor') options.push(TITLE_OPTION + 'monitor'.padEnd(TITLE_SIZE));
  const command = [...prefix, process.execPath, ...options, ...process.argv.slice(1)];
  return spawn(command[0], command.slice(1), {
    detached: isDetached,
    stdio: isDetached
      ? ['ignore', keepsOutput ? 'inherit' : 'ignore', 'pipe', 'ipc']
      : ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [ROLE_VARIABLE]: role },
  });
}

/** In the child, to who started it. Resolves when it is sent, or nobody is left who would care. */
export async function announceReady(): Promise<void> {
  if (process.send === undefined) return;
  await new Promise<void>((resolve) => {
    process.send?.('ready', undefined, undefined, () => resolve());
  });
}

/** @returns undefined when the child is ready, else how it ended before it was */
export function startup(child: ChildProcess): Promise<ExitStatus | undefined> {
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(undefined));
    child.once('error', (cause) => {
      const message = `${child.spawnfile} cannot be started: ${strerror(cause)}`;
      reject(new TapflowError('NO_DAEMON', message, { cause }));
    });
    // After all that it said on standard error has arrived.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

export function exitOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: 1, signal: null }));
  });
}

/** As a shell gives it. */
export function shellCode({ code, signal }: ExitStatus): number {
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}

/** The signals that ask a daemon to end. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Who waits for a daemon and is asked to end asks the daemon. */
export function handOnSignals(child: () => ChildProcess, onSignal?: () => void): void {
  for (const name of STOP_SIGNALS) {
    process.on(name, () => {
      onSignal?.();
      child().kill(name);
    });
  }
}

/**
 * The child ended before it was ready: its exit code is ours, for it has told why.
 * @throws TapflowError with the verdict when it could not
 */
export function failedStart(exit: ExitStatus, vlog: Vlog, verdict: string): number {
  if (exit.code) return exit.code;
  const reason = `fork child died before signaling startup (${describeExit(exit)})`;
  vlog.module('daemon_unix').err(reason);
  throw new TapflowError('NO_DAEMON', verdict);
}

const ROLE_VARIABLE = 'TAPFLOW_DAEMON_ROLE';
const TITLE_OPTION = '--title=';
/** A title later on has the room of the command line as it was started. */
const TITLE_SIZE = 128;
