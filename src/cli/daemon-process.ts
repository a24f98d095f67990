/**
 * Starts the switch as a child process, for `up` and `demo`.
 *
 * The two talk over Node's IPC channel, and only once: the child says that it
 * is ready and what it set up, or why it failed. In the foreground the channel
 * then stays open, unused: when this process dies, however it dies, the child
 * sees it close and stops cleanly.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CliError } from './control.ts';

export interface DaemonOptions {
  file: string;
  state: string;
  workers?: string;
  backend?: string;
  /** Without devices and root: dummy ports, and forwarding on the main thread. */
  simulated?: boolean;
  /** The child goes on when this process ends. */
  detached?: boolean;
  /** Where a log in JSON lines is written. */
  logFile?: string;
  /** What the switch says later on, on standard error, is not shown. */
  quiet?: boolean;
}

/** What `apply` did: the daemon's answer, both at its start and later. */
export interface AppliedReport {
  /** The above as text. */
  text: string;
  changes: string[];
  warnings: string[];
  errors: { item: string; message: string }[];
}

export interface Daemon {
  pid: number;
  report: AppliedReport;
  /** The exit code, 0 after a clean stop. */
  exited: Promise<number>;
  signal(name: NodeJS.Signals): void;
}

/** Resolves when the switch forwards. @throws CliError with what it said, when it does not */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const child = spawn(process.execPath, [...V8_FLAGS, ENTRY, ...flags(options)], {
    detached: options.detached === true,
    stdio: ['ignore', 'ignore', options.detached || options.quiet ? 'ignore' : 'inherit', 'ipc'],
  });
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  const report = await firstMessage(child, exited);
  if (options.detached) {
    child.disconnect();
    child.unref();
  }
  return { pid: Number(child.pid), report, exited, signal: (name) => child.kill(name) };
}

/**
 * V8 would, eight seconds after it has been busy, collect all garbage just to give memory back: in
 * each thread, while frames wait for 10 ms (bench row 3).
 */
const V8_FLAGS = ['--no-memory-reducer'];

const ENTRY = fileURLToPath(new URL('../vswitchd/main.js', import.meta.url));

function flags(options: DaemonOptions): string[] {
  const valued = [
    ['--state', options.state],
    ['--workers', options.workers],
    ['--backend', options.backend],
    ['--log-file', options.logFile],
  ].flatMap(([flag, value]) => (value === undefined ? [] : [String(flag), value]));
  const bare = [
    options.simulated ? ['--simulated'] : [],
    options.detached ? ['--detached'] : [],
  ].flat();
  return [...valued, ...bare, '--', options.file];
}

type FirstMessage = { ready: AppliedReport } | { failed: string };

async function firstMessage(child: ChildProcess, exited: Promise<number>): Promise<AppliedReport> {
  const message = await Promise.race([
    new Promise<FirstMessage>((resolve) =>
      child.once('message', (m) => resolve(m as FirstMessage)),
    ),
    exited.then((code) => ({ failed: `the switch ended at once, with exit code ${code}` })),
  ]);
  if ('ready' in message) return message.ready;
  await exited;
  throw new CliError(message.failed);
}
