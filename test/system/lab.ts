/**
 * A switch under test, as a user would start it, with names of its own: each
 * lab has a number that no other process has, and every name in it ends in it.
 * `close` removes all that the lab made, whatever state the test left it in.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CLI } from './requirements.ts';

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs to its end; never rejects. */
export function run(command: string, ...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 30_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
      resolve({ code, stdout, stderr });
    });
  });
}

let labs = 0;

export class Lab {
  #state: string | undefined;
  readonly #tag = `${process.pid}${labs++}`;
  readonly #children = new Set<ChildProcess>();

  /** The switch's state directory; made when first asked for, so a skipped test leaves none. */
  get state(): string {
    this.#state ??= mkdtempSync(path.join(tmpdir(), 'tapflow-lab-'));
    return this.#state;
  }

  /** A namespace of this lab. */
  ns(name: string): string {
    return `tfl-${this.#tag}-${name}`;
  }

  /** An interface of this lab, at most 15 bytes. */
  iface(name: string): string {
    return `${name}-${this.#tag}`.slice(0, 15);
  }

  get file(): string {
    return path.join(this.state, 'lab.yaml');
  }

  write(yaml: string): void {
    writeFileSync(this.file, yaml);
  }

  tapflow(verb: string, ...args: string[]): Promise<Result> {
    return run(process.execPath, CLI, verb, '--state', this.state, ...args);
  }

  async json<T>(verb: string, ...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.tapflow(verb, '--json', ...args);
    if (code !== 0) throw new Error(`tapflow ${verb}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** `tapflow up` with this topology, in the background. @throws with what it said unless it comes up */
  async up(yaml: string, ...args: string[]): Promise<string> {
    this.write(yaml);
    const { code, stdout, stderr } = await this.tapflow('up', '--detach', ...args, this.file);
    if (code !== 0) throw new Error(`tapflow up: ${stderr}${stdout}`);
    return stdout;
  }

  /** The same, on the running switch. */
  async reapply(yaml: string): Promise<Result> {
    this.write(yaml);
    return this.tapflow('up', this.file);
  }

  /** Process ids: of `tapflow up`, and of the daemon that forwards. */
  get pids(): { up: number; vswitchd: number } {
    const read = (file: string) => Number(readFileSync(path.join(this.state, file), 'utf8'));
    return { up: read('tapflow.pid'), vswitchd: read('ovs-vswitchd.pid') };
  }

  /** Runs in a namespace of this lab. */
  inside(ns: string, command: string, ...args: string[]): Promise<Result> {
    return run('ip', 'netns', 'exec', this.ns(ns), command, ...args);
  }

  /** How many of `count` pings were answered. */
  async ping(ns: string, address: string, count = 3, ...options: string[]): Promise<number> {
    const args = ['-n', '-c', String(count), '-i', '0.05', '-W', '1', ...options, address];
    const { stdout } = await this.inside(ns, 'ping', ...args);
    return Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
  }

  /** Starts in a namespace, and resolves when it has printed its first line. */
  async serve(ns: string, command: string, ...args: string[]): Promise<ChildProcess> {
    const child = spawn('ip', ['netns', 'exec', this.ns(ns), command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.on('data', (chunk) => {
        said += String(chunk);
      });
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${said}`)));
    });
    return child;
  }

  /** Namespaces of this lab that exist. */
  namespaces(): string[] {
    if (!existsSync('/run/netns')) return [];
    return readdirSync('/run/netns').filter((name) => name.startsWith(this.ns('')));
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.tapflow('down');
    for (const name of this.namespaces()) await run('ip', 'netns', 'del', name);
    rmSync(this.state, { recursive: true, force: true });
  }
}

/** Polls until it holds. @throws after `ms` */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 5000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`after ${ms} ms still not so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
