/**
 * The pidfile: which process a daemon is, and proof that it lives, since that
 * process holds an fcntl write lock on the file. `ovs-appctl -t NAME` believes
 * no pidfile without one. A daemon that was killed leaves its file, but not
 * the lock, so the next start replaces it.
 *
 *   PIDFILE.tmp, locked, filled ----rename----> PIDFILE, still locked
 *
 * Starts at the same time meet in the temporary file: one locks it, the others
 * fail. With --overwrite-pidfile each has a temporary file of its own, and the
 * last one wins. Only then is a running daemon's file replaced.
 *
 * fcntl's locks end when the process closes *any* descriptor of the file: a
 * daemon must never open its own pidfile. Messages are stock's.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { TapflowError } from '../lib/error.ts';
import { strerror } from '../lib/strerror.ts';

/** native's: 0 when the descriptor's file is locked now; or who holds it, -1 where it is not known */
export type LockFile = (fd: number) => number;

export interface PidfileSettings {
  path: string;
  /** Replaces that of a living daemon. */
  overwrite: boolean;
  lockFile: LockFile;
  /** Told when a dead daemon's file is replaced. */
  onStale: (message: string) => void;
}

export interface Pidfile {
  /** Removes the file, unless another daemon has put its own there, and unlocks it. */
  remove(): void;
}

/** @throws TapflowError ALREADY_RUNNING or NO_PIDFILE; nothing is left behind then */
export function createPidfile(settings: PidfileSettings): Pidfile {
  const { path, overwrite, lockFile } = settings;
  const temporary = overwrite ? `${path}.tmp${process.pid}` : `${path}.tmp`;
  const fd = openLocked(temporary, lockFile);
  try {
    if (!overwrite) removeStale(settings);
    fill(fd, temporary);
    moveInto(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    closeSync(fd);
    throw error;
  }
  return { remove: () => remove(path, fd) };
}

/** Locked, and still what the name stands for: its last owner may have renamed it meanwhile. */
function openLocked(file: string, lockFile: LockFile): number {
  for (;;) {
    const fd = attempt(`${file}: create failed`, () =>
      openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o666),
    );
    const holder = lockFile(fd);
    if (holder === 0 && isAt(file, fd)) return fd;
    closeSync(fd);
    if (holder !== 0) throw busy(`${file}: fcntl(F_SETLK) failed (${RESOURCE_BUSY})`);
  }
}

/** EAGAIN's text. */
const RESOURCE_BUSY = 'Resource temporarily unavailable';

const isAt = (file: string, fd: number): boolean =>
  statSync(file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;

/** A dead daemon's pidfile goes; a living one's is an error. */
function removeStale(settings: PidfileSettings): void {
  const { path, lockFile, onStale } = settings;
  const fd = openExisting(path);
  if (fd === undefined) return;
  try {
    const holder = lockFile(fd);
    if (holder !== 0) throw alreadyRunning(path, holder);
    if (isAt(path, fd)) unlinkSync(path);
    onStale(`${path}: deleted stale pidfile`);
  } finally {
    closeSync(fd);
  }
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw checkFailed(path, strerror(error));
  }
}

/** Who holds the lock but is not named in the file is deleting it, and does not run for us. */
function alreadyRunning(path: string, holder: number): TapflowError {
  const recorded = readFileSync(path, 'utf8').trim();
  return recorded === String(holder)
    ? busy(`${path}: already running as pid ${holder}, aborting`)
    : checkFailed(path, 'No such process');
}

function checkFailed(path: string, reason: string): TapflowError {
  return busy(`${path}: pidfile check failed (${reason}), aborting`);
}

function fill(fd: number, file: string): void {
  attempt(`${file}: truncate failed`, () => ftruncateSync(fd, 0));
  attempt(`${file}: write failed`, () => writeSync(fd, `${process.pid}\n`));
}

function moveInto(from: string, to: string): void {
  attempt(`failed to rename "${from}" to "${to}"`, () => renameSync(from, to));
}

function attempt<T>(message: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new TapflowError('NO_PIDFILE', `${message} (${strerror(cause)})`, { cause });
  }
}

function remove(path: string, fd: number): void {
  if (isAt(path, fd)) unlinkSync(path);
  closeSync(fd);
}

const busy = (message: string): TapflowError => new TapflowError('ALREADY_RUNNING', message);
