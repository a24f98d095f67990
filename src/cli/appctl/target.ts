/**
 * Which control socket a target's name means: itself when it is a path, else
 * that of the process that its pidfile names and that holds the write lock on
 * it, since only that proves that the process lives.
 *
 * Who holds the lock is read in /proc/locks, where looking takes no lock.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { directories } from '../../daemon/directories.ts';
import { TapflowError } from '../../lib/error.ts';
import { strerror } from '../../lib/strerror.ts';
import type { Warn } from './warnings.ts';

/** @throws TapflowError NO_TARGET */
export async function findSocket(target: string, warn: Warn): Promise<string> {
  if (target.startsWith('/')) return target;
  const { run } = directories();
  const pid = await readPidfile(`${run}/${target}.pid`, warn);
  return `${run}/${target}.${pid}.ctl`;
}

async function readPidfile(path: string, warn: Warn): Promise<number> {
  const fd = await openPidfile(path, warn);
  try {
    const pid = Number.parseInt(readFileSync(fd, 'utf8'), 10);
    if (!isLockedBy(pid, fstatSync(fd).ino)) throw cannotRead(path, 'No such process');
    return pid;
  } finally {
    closeSync(fd);
  }
}

async function openPidfile(path: string, warn: Warn): Promise<number> {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    await warn('daemon_unix', `${path}: open: ${strerror(error)}`);
    throw cannotRead(path, strerror(error));
  }
}

/**
 * Lines are `1: POSIX  ADVISORY  WRITE 4711 00:1a:9876 0 EOF`. The device is
 * not compared, as file systems in layers have several; the process is 0 when
 * it is in a namespace that we do not see.
 */
function isLockedBy(pid: number, inode: number): boolean {
  const lines = readFileSync('/proc/locks', 'utf8').split('\n');
  return lines.some((line) => {
    const [, kind, , access, holder, file] = line.split(/\s+/);
    const isOurs = kind === 'POSIX' && access === 'WRITE' && file?.split(':')[2] === String(inode);
    return isOurs && (Number(holder) === pid || Number(holder) === 0);
  });
}

function cannotRead(path: string, reason: string): TapflowError {
  return new TapflowError('NO_TARGET', `cannot read pidfile "${path}" (${reason})`);
}
