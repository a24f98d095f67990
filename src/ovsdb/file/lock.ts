/**
 * The lock that keeps a second server from a database file, ours or stock's:
 * an fcntl write lock on `.NAME.~lock~` beside it, which stays when it is let
 * go. The file itself is not locked, so that it can be read, and replaced.
 *
 * fcntl's locks belong to the process and die when it closes *any* descriptor
 * of the lock file. So this process keeps book of those it holds, and looks
 * before it opens one.
 */
import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import type { LockFile } from '../../daemon/pidfile.ts';
import { TapflowError } from '../../lib/error.ts';
import { ioError } from './io-error.ts';

export interface Lock {
  release(): void;
}

/** Lock files that this process holds, by device and inode. */
const held = new Set<string>();

/**
 * @param file with links followed: the database has one lock, whatever the names it is opened by
 * @throws TapflowError LOCKED naming the process that holds it
 */
export function lockDatabase(file: string, lockFile: LockFile): Lock {
  const name = path.join(path.dirname(file), `.${path.basename(file)}.~lock~`);
  for (;;) {
    const before = statSync(name, { throwIfNoEntry: false });
    if (before && held.has(identity(before))) throw locked(file, name, 'this process');
    const fd = openLock(file, name);
    const holder = lockFile(fd);
    if (holder !== 0) {
      closeSync(fd);
      throw locked(file, name, holder < 0 ? 'a process of another container' : `pid ${holder}`);
    }
    if (isStillAt(name, fd)) return hold(fd);
    closeSync(fd);
  }
}

function openLock(file: string, name: string): number {
  try {
    return openSync(name, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    throw ioError(`${file}: failed to open lock file ${name}`, error);
  }
}

function hold(fd: number): Lock {
  const id = identity(fstatSync(fd));
  held.add(id);
  return {
    release() {
      if (!held.delete(id)) return;
      closeSync(fd);
    },
  };
}

/** False when somebody removed the lock file between our opening and locking it. */
function isStillAt(name: string, fd: number): boolean {
  const there = statSync(name, { throwIfNoEntry: false });
  return there !== undefined && identity(there) === identity(fstatSync(fd));
}

const identity = ({ dev, ino }: Stats): string => `${dev}:${ino}`;

/** In the words of stock servers, then who has it. */
function locked(file: string, name: string, holder: string): TapflowError {
  const what = `I/O error: ${file}: failed to lock lockfile (Resource temporarily unavailable)`;
  return new TapflowError(
    'LOCKED',
    `${what}: ${name} is locked by ${holder}, which serves the file`,
  );
}
