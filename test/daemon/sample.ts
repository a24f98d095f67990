/** Starts sample-daemon.js in a directory of its own, and looks at what runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const SCRIPT = fileURLToPath(new URL('sample-daemon.js', import.meta.url));

/** Whether Open vSwitch's own tools are installed. */
export const HAS_APPCTL: boolean = existsSync('/usr/bin/ovs-appctl');

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  /** When it has ended, and nobody holds its output any more. */
  outcome: Promise<Outcome>;
}

/** Runtime directories for one test, and the processes that it started there. */
export class Sandbox {
  readonly directory: string = mkdtempSync(path.join(tmpdir(), 'tapflow-daemon-'));
  readonly #started: ChildProcess[] = [];

  get pidfile(): string {
    return this.file('sampled.pid');
  }

  get env(): NodeJS.ProcessEnv {
    const { directory } = this;
    return {
      ...{ ...process.env, OVS_RUNDIR: directory, OVS_LOGDIR: directory },
      ...{ OVS_DBDIR: directory, OVS_SYSCONFDIR: directory },
    };
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  read(name: string): string {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8') : '';
  }

  /** The sample daemon. */
  start(...args: string[]): Started {
    return this.spawn(process.execPath, [SCRIPT, ...args]);
  }

  /** Another program, in the same directories. */
  spawn(command: string, args: readonly string[]): Started {
    const child = spawn(command, args, {
      cwd: this.directory,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#started.push(child);
    return { child, outcome: outcomeOf(child) };
  }

  /** Runs a stock tool. */
  async appctl(...args: string[]): Promise<Outcome> {
    return this.spawn('ovs-appctl', ['-T', '5', ...args]).outcome;
  }

  /** The process id in the pidfile, once it is there. */
  async pid(name = 'sampled.pid'): Promise<number> {
    await until(() => this.read(name) !== '');
    return Number(this.read(name));
  }

  /** Ends what is left, monitors first lest they restart something. */
  async close(): Promise<void> {
    const pid = Number(this.read('sampled.pid'));
    const parent = isSample(pid) ? parentOf(pid) : 0;
    for (const each of [parent, pid].filter((one) => one > 1 && isSample(one))) kill(each);
    for (const child of this.#started.filter((each) => each.exitCode === null)) {
      child.kill('SIGKILL');
    }
    await setTimeout(20);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** Never a process that is not ours. */
function isSample(pid: number): boolean {
  const words = procFile(pid, 'cmdline');
  return words.includes('sample-daemon.js') || words.startsWith('sampled: monitoring');
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (chunk) => {
      texts[name] += chunk;
    });
  }
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, ...texts }));
  });
}

/** @throws when it has not come true within 5 seconds */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return;
    await setTimeout(10);
  }
  throw new Error(`did not come true: ${condition}`);
}

export function isAlive(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(procFile(pid, 'status'));
}

/** '' when there is no such process. */
export function procFile(pid: number, name: string): string {
  const file = `/proc/${pid}/${name}`;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(procFile(pid, 'status'))?.[1] ?? 0);
}
