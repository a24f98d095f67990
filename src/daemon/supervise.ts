/**
 * The monitor's process: starts the daemon, says that it is ready when the
 * daemon is, and keeps it running as monitor.ts has it. Asked to end, it asks
 * the daemon, and ends with it.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { announceReady, exitOf, failedStart, handOnSignals, startChild, startup } from './child.ts';
import { type MonitoredDaemon, type MonitorSettings, monitorDaemon } from './monitor.ts';
import type { Vlog } from './vlog.ts';

/**
 * @param isDetached whether the terminal is to be let go of
 * @returns the exit code. @throws TapflowError when the daemon did not start
 */
export async function supervise(vlog: Vlog, isDetached: boolean): Promise<number> {
  vlog.subprogram = 'monitor';
  const stopping = new AbortController();
  let child = startDaemon();
  handOnSignals(
    () => child,
    () => stopping.abort(),
  );
  const first = monitored(child);
  const failure = await startup(child);
  if (failure !== undefined) return failedStart(failure, vlog, VERDICT);
  await announceReady();
  if (isDetached) vlog.set('console:off');
  const restart = () => {
    child = startDaemon();
    return monitored(child);
  };
  await monitorDaemon(first, { restart, ...settings(vlog, stopping.signal) });
  return 0;
}

const VERDICT = 'could not initiate process monitoring';

const startDaemon = (): ChildProcess => startChild({ role: 'daemon', isDetached: false });

function monitored(child: ChildProcess): MonitoredDaemon {
  return { pid: child.pid ?? 0, exited: exitOf(child) };
}

function settings(vlog: Vlog, stopping: AbortSignal): Omit<MonitorSettings, 'restart'> {
  return {
    program: vlog.program,
    log: vlog.module('daemon_unix'),
    setTitle(title) {
      process.title = title;
    },
    now: () => performance.now(),
    // Cut short by a request to end, which is no failure.
    sleep: (ms) => setTimeout(ms, undefined, { signal: stopping }).catch(() => undefined),
    isStopping: () => stopping.aborted,
  };
}
