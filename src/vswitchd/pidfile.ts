/**
 * The pidfile: proof that one switch, and which process, owns a state
 * directory.
 *
 * The file is locked with fcntl, not merely present, so a switch that was
 * killed leaves nothing to clean up. fcntl's locks die when the process closes
 * *any* descriptor of the file: nothing here opens it a second time.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { TapflowError } from '../lib/error.ts';

/** @returns 0, or the process id that holds the lock: native's `lockFile` */
export type LockFile = (fd: number) => number;

export interface Pidfile {
  /** Removes the file, then unlocks it. */
  release(): void;
}

/** @throws TapflowError ALREADY_RUNNING naming the process that holds it */
export function claimPidfile(path: string, lockFile: LockFile): Pidfile {
  for (;;) {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    const holder = lockFile(fd);
    if (holder !== 0) {
      closeSync(fd);
      throw new TapflowError(
        'ALREADY_RUNNING',
        `a switch is already running here: process ${holder} holds ${path}`,
      );
    }
    if (isStillAt(path, fd)) return claimed(path, fd);
    closeSync(fd);
  }
}

/** False when the previous owner removed the file between our opening and locking it. */
function isStillAt(path: string, fd: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
}

function claimed(path: string, fd: number): Pidfile {
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid}\n`, 0);
  return {
    release() {
      unlinkSync(path);
      closeSync(fd);
    },
  };
}
