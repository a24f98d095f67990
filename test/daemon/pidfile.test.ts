/** With a lock that is only pretended; run.test.ts has the real one, between processes. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPidfile, type LockFile } from '../../src/daemon/pidfile.ts';

let directory: string;
let file: string;
let told: string[];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'tapflow-pidfile-'));
  file = path.join(directory, 'sampled.pid');
  told = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const create = (lockFile: LockFile = () => 0, overwrite = false) =>
  createPidfile({ path: file, overwrite, lockFile, onStale: (message) => void told.push(message) });
const content = () => readFileSync(file, 'utf8');
/** The first file locked is the temporary one, the second an existing pidfile. */
const second = (holder: number): LockFile => {
  let calls = 0;
  return () => (++calls === 2 ? holder : 0);
};

describe('the pidfile', () => {
  it('holds the process id, alone in the directory, and is gone after', () => {
    const pidfile = create();
    expect(content()).toBe(`${process.pid}\n`);
    expect(readdirSync(directory)).toEqual(['sampled.pid']);
    pidfile.remove();
    expect(existsSync(file)).toBe(false);
  });

  it('replaces a stale one, and says so', () => {
    writeFileSync(file, '123456789\n');
    create().remove();
    expect(told).toEqual([`${file}: deleted stale pidfile`]);
  });

  it('of a living daemon is left alone', () => {
    writeFileSync(file, '77\n');
    expect(() => create(second(77))).toThrow(`${file}: already running as pid 77, aborting`);
    expect(content()).toBe('77\n');
    expect(readdirSync(directory)).toEqual(['sampled.pid']);
  });

  it('that another is deleting is not trusted', () => {
    writeFileSync(file, '77\n');
    expect(() => create(second(78))).toThrow(
      `${file}: pidfile check failed (No such process), aborting`,
    );
  });

  it('waits for nobody who is starting too', () => {
    expect(() => create(() => 77)).toThrow(
      `${file}.tmp: fcntl(F_SETLK) failed (Resource temporarily unavailable)`,
    );
  });

  it('does not settle on a temporary file that its owner renamed meanwhile', () => {
    let calls = 0;
    const pidfile = create(() => {
      if (++calls === 1) renameSync(`${file}.tmp`, `${file}.other`);
      return 0;
    });
    expect(content()).toBe(`${process.pid}\n`);
    expect(readFileSync(`${file}.other`, 'utf8')).toBe('');
    pidfile.remove();
  });

  it('is not removed once it is the file of another', () => {
    const first = create();
    const other = create(() => 0, true);
    first.remove();
    expect(content()).toBe(`${process.pid}\n`);
    other.remove();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('that cannot be put in its place leaves nothing behind', () => {
    mkdirSync(file);
    expect(() => create(() => 0, true)).toThrow(`to "${file}" (Is a directory)`);
    expect(readdirSync(directory)).toEqual(['sampled.pid']);
  });
});
