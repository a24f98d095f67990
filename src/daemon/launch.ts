/**
 * The process that the user started, where another is to be the daemon: with
 * --detach it waits until that one is ready and ends, so that a script may go
 * on to use the daemon; with --user alone it waits for the daemon's end.
 */
import { closeSync, fchownSync, openSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { exitOf, failedStart, handOnSignals, shellCode, startChild, startup } from './child.ts';
import type { DaemonOptions, LogOptions } from './options.ts';
import { asUser, resolveUser, type User } from './user.ts';
import type { Vlog } from './vlog.ts';

export interface LaunchSettings {
  vlog: Vlog;
  daemon: DaemonOptions;
  log: LogOptions;
  /** Whether the daemon opens network devices. */
  isDatapath: boolean;
  /** Whether standard output stays open with --detach. */
  keepsOutput?: boolean;
}

/** @returns the exit code. @throws TapflowError when the daemon did not start */
export async function launch(settings: LaunchSettings): Promise<number> {
  const { keepsOutput } = settings;
  const { detach, monitor } = settings.daemon;
  const role = monitor ? 'monitor' : 'daemon';
  const prefix = userPrefix(settings);
  const child = startChild({ role, isDetached: detach, keepsOutput, prefix });
  handOnSignals(() => child);
  child.stderr?.pipe(process.stderr, { end: false });
  const exited = exitOf(child);
  const failure = await startup(child);
  if (!detach) return shellCode(await exited);
  return failure === undefined ? lastWords() : failedStart(failure, settings.vlog, VERDICT);
}

const VERDICT = 'could not detach from foreground session';

function userPrefix({ daemon, log, isDatapath }: LaunchSettings): string[] {
  if (daemon.user === undefined) return [];
  const user = resolveUser(daemon.user);
  if (log.file !== undefined) giveLogFile(log.file, user);
  return asUser(user, isDatapath);
}

/** In a directory where only root makes files. If it cannot be done, the daemon will say so. */
function giveLogFile(file: string, { uid, gid }: User): void {
  try {
    const fd = openSync(file, 'a', 0o660);
    fchownSync(fd, uid, gid);
    closeSync(fd);
  } catch {
    // See above.
  }
}

/** What the daemon had to say before it was ready has been sent, but may not have been read yet. */
async function lastWords(): Promise<number> {
  await setImmediate();
  await setImmediate();
  return 0;
}
