/** ovsdb-server as a process, ours or stock's, in a sandbox. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RawClient, type Sandbox } from './servers.ts';

const SCRIPT = fileURLToPath(new URL('server-child.js', import.meta.url));

/** The command that runs our server. */
export const OURS: readonly string[] = [process.execPath, SCRIPT];
export const STOCK: readonly string[] = ['ovsdb-server'];

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it printed and logged. */
  text: string;
}

export class Daemon {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  text = '';
  readonly #sandbox: Sandbox;

  /** @param command OURS or STOCK, perhaps behind a command that runs it */
  constructor(
    sandbox: Sandbox,
    command: readonly string[],
    args: readonly string[],
    options: SpawnOptions = {},
  ) {
    this.#sandbox = sandbox;
    this.child = spawn(command[0], [...command.slice(1), '-vsyslog:off', ...args], {
      env: sandbox.env,
      cwd: sandbox.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (piece) => {
        this.text += piece;
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => resolve({ code, signal, text: this.text }));
    });
  }

  /** With the file `db`, the socket `sock`, and the control socket `ctl`. */
  static async serve(
    sandbox: Sandbox,
    command: readonly string[] = OURS,
    args: readonly string[] = [],
  ): Promise<Daemon> {
    const paths = [`--unixctl=${sandbox.file('ctl')}`, `--remote=punix:${sandbox.file('sock')}`];
    const daemon = new Daemon(sandbox, command, [...paths, ...args, sandbox.file('db')]);
    await daemon.until(() => daemon.text.includes('ovsdb-server (Open vSwitch)'));
    return daemon;
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.#sandbox.file('sock'));
  }

  appctl(...args: string[]): string {
    return this.#sandbox.run('ovs-appctl', '-t', this.#sandbox.file('ctl'), ...args);
  }

  async until(isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
      if (tries > 1000 || this.child.exitCode !== null) throw new Error(this.text);
      await delay(10);
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}

export const HAS_STOCK: boolean =
  existsSync('/usr/sbin/ovsdb-server') && existsSync('/usr/bin/ovs-vsctl');
if (!HAS_STOCK && process.env.TAPFLOW_REQUIRE_SYSTEM === '1') {
  throw new Error('TAPFLOW_REQUIRE_SYSTEM is set, but Open vSwitch is not installed');
}
