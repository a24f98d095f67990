import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimPidfile } from '../../src/vswitchd/pidfile.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'tapflow-pidfile-'));
  file = path.join(directory, 'tapflow.pid');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the pidfile', () => {
  it('holds the process id while claimed, and is gone after', () => {
    writeFileSync(file, '123456789\n');
    const pidfile = claimPidfile(file, () => 0);
    expect(readFileSync(file, 'utf8')).toBe(`${process.pid}\n`);
    pidfile.release();
    expect(existsSync(file)).toBe(false);
  });

  it('names the process that holds it, and leaves the file alone', () => {
    writeFileSync(file, '77\n');
    expect(() => claimPidfile(file, () => 77)).toThrow(`process 77 holds ${file}`);
    expect(readFileSync(file, 'utf8')).toBe('77\n');
  });

  it('does not settle on a file that its owner removed meanwhile', () => {
    let first = true;
    const pidfile = claimPidfile(file, () => {
      if (first) rmSync(file);
      first = false;
      return 0;
    });
    expect(readFileSync(file, 'utf8')).toBe(`${process.pid}\n`);
    pidfile.release();
  });
});
