/**
 * The file that a log goes to. It is opened for appending, so that rotation by
 * copy as by rename works, and stays where it was opened: a rename is noticed
 * only by `reopen`.
 *
 * Lines are written synchronously. A short append goes to the page cache, a
 * few microseconds, against the work that led to a line worth logging; rates
 * are limited where they are not in our hands; and so the last lines before a
 * crash, those that matter, are there. A disk that is full loses lines, not
 * the daemon.
 */
import { closeSync, fstatSync, openSync, type Stats, statSync, writeSync } from 'node:fs';

export class LogFile {
  readonly path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  /** Opens it where it is not open yet. @throws NodeJS.ErrnoException */
  open(): void {
    this.#fd ??= openSync(this.path, 'a', 0o660);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Whether what is open is what is found under the name now. */
  isCurrent(): boolean {
    const named = statSync(this.path, { throwIfNoEntry: false });
    return this.#fd !== undefined && named !== undefined && isSame(fstatSync(this.#fd), named);
  }

  write(line: string): void {
    try {
      if (this.#fd !== undefined) writeSync(this.#fd, line);
    } catch {
      // The log is the last to tell: there is nowhere else to say it.
    }
  }
}

const isSame = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino;
