/**
 * `tapflow up --detach`: the same command again, in a session of its own, which
 * tells us over Node's IPC channel, once, what it set up or why it failed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { CliError } from '../control.ts';
import { serve } from './serve.ts';
import { type AppliedReport, type SwitchOptions, startSwitch } from './start-switch.ts';

/** Whether this process is to be the one in the background. */
export function isBackground(): boolean {
  return process.env[ROLE] === BACKGROUND && process.send !== undefined;
}

/** In the one that the user started. @throws CliError with what the other one said */
export async function startInBackground(): Promise<AppliedReport> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, [ROLE]: BACKGROUND },
  });
  child.stderr?.pipe(process.stderr, { end: false });
  const outcome = await firstMessage(child);
  if (child.connected) child.disconnect();
  child.stderr?.destroy();
  child.unref();
  if ('ready' in outcome) return outcome.ready;
  throw new CliError(outcome.failed);
}

/** In the one in the background. @returns the exit code, when the switch has ended */
export async function runInBackground(options: SwitchOptions): Promise<number> {
  delete process.env[ROLE];
  // The reader of what the start says is gone after it.
  process.stderr.on('error', () => undefined);
  try {
    const running = await startSwitch(options);
    await announce({ ready: running.report });
    return await serve(running, options);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    await announce({ failed: error.message });
    return 1;
  }
}

type Outcome = { ready: AppliedReport } | { failed: string };

const ROLE = 'TAPFLOW_UP_ROLE';
const BACKGROUND = 'background';

function firstMessage(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    child.once('message', (message) => resolve(message as Outcome));
    child.once('exit', (code) => resolve({ failed: `it ended at once, with exit code ${code}` }));
  });
}

async function announce(outcome: Outcome): Promise<void> {
  await new Promise<void>((resolve) => {
    process.send?.(outcome, undefined, undefined, () => resolve());
  });
  if (process.connected) process.disconnect();
}
