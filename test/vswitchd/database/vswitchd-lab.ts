/**
 * A stock ovsdb-server, vswitchds on its database (ours, or stock's to compare
 * with), and the stock tools, all in one temporary directory.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openVswitchSchema } from '../../../src/schema/schema.ts';
import { StockServer } from '../../ovsdb/replica/stock-server.ts';

const SCRIPT = fileURLToPath(new URL('vswitchd.js', import.meta.url));
const SECONDS = 1000;

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class VswitchdLab {
  readonly server = new StockServer([openVswitchSchema]);
  /** What the daemon is started with: a network namespace, say. */
  readonly #prefix: readonly string[];
  readonly #pidfiles: string[] = [];

  constructor(prefix: readonly string[] = []) {
    this.#prefix = prefix;
  }

  async start(): Promise<void> {
    await this.server.start();
    // Its socket is there a moment before it listens.
    await this.until(() => this.tryVsctl('--no-wait', 'init').code === 0);
  }

  /** @throws Error when it takes more than ten seconds */
  async until(isSo: () => boolean): Promise<void> {
    for (const end = performance.now() + 10 * SECONDS; !isSo(); await delay(20)) {
      if (performance.now() > end) throw new Error(`not so in 10 s: ${isSo}`);
    }
  }

  /** Ours, detached: when it has returned, the daemon is ready. @throws Error when it is not */
  vswitchd(name = 'ovs-vswitchd', ...options: string[]): void {
    const { code, stderr } = this.#run(this.#command(name, options));
    if (code === 0 && stderr === '') return;
    throw new Error(`vswitchd ${options.join(' ')} ended with ${code}: ${stderr}`);
  }

  /** Ours, detached. Resolves with the exit code when it is ready. */
  async vswitchdInTime(name: string, ...options: string[]): Promise<number> {
    const [program, ...args] = this.#command(name, options);
    const child = spawn(program, args, { env: this.server.env, stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    return Number(code);
  }

  /** Stock's, whose ports are all dummies. */
  stockVswitchd(): void {
    this.#pidfiles.push(this.file('ovs-vswitchd.pid'));
    const dummies = ['--enable-dummy=override', '--disable-system'];
    this.#run(['ovs-vswitchd', ...dummies, ...this.#common('ovs-vswitchd')]);
  }

  /** @throws Error when it says that something is wrong */
  vsctl(...args: string[]): string {
    const { code, stdout, stderr } = this.tryVsctl(...args);
    if (code !== 0 || stderr !== '') throw new Error(`ovs-vsctl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  tryVsctl(...args: string[]): Outcome {
    return this.#run(['ovs-vsctl', '-t10', `--db=unix:${this.server.socket}`, ...args]);
  }

  appctl(...args: string[]): Outcome {
    return this.#run(['ovs-appctl', ...args]);
  }

  /** One cell as ovs-vsctl prints it. */
  get(table: string, row: string, column: string): string {
    return this.vsctl('get', table, row, column).trim();
  }

  /** Until the cell is this, for as long as a user would wait. */
  async becomes(row: string, column: string, value: string): Promise<void> {
    for (const end = performance.now() + SECONDS; performance.now() < end; ) {
      if (this.get('Interface', row, column) === value) return;
      await delay(20);
    }
    throw new Error(`${column} of ${row} is ${this.get('Interface', row, column)}, not ${value}`);
  }

  file(name: string): string {
    return join(this.server.dir, name);
  }

  read(name: string): string {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8') : '';
  }

  pid(name = 'ovs-vswitchd'): number {
    return Number(this.read(`${name}.pid`));
  }

  async ended(pid: number): Promise<void> {
    for (let tries = 0; existsSync(`/proc/${pid}`); tries++) {
      if (tries > 500) throw new Error(`process ${pid} has not ended in 5 s`);
      await delay(10);
    }
  }

  async close(): Promise<void> {
    const pids = this.#pidfiles.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : ''));
    for (const pid of pids.map(Number).filter((each) => each > 0)) {
      try {
        process.kill(pid, 'SIGTERM');
        await this.ended(pid);
      } catch {
        // It has ended.
      }
    }
    await this.server.destroy();
  }

  #command(name: string, options: readonly string[]): string[] {
    this.#pidfiles.push(this.file(`${name}.pid`));
    return [...this.#prefix, process.execPath, SCRIPT, ...this.#common(name), ...options];
  }

  #common(name: string): string[] {
    return [
      ...[`unix:${this.server.socket}`, '--detach', '--no-chdir', '-vsyslog:off', '-vconsole:off'],
      ...[`--pidfile=${this.file(`${name}.pid`)}`, `--log-file=${this.file(`${name}.log`)}`],
    ];
  }

  #run([program, ...args]: readonly string[]): Outcome {
    const { env } = this.server;
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      ...{ env, encoding: 'utf8', timeout: 20 * SECONDS },
    });
    if (error !== undefined) throw error;
    return { code: status, stdout, stderr };
  }
}
