/**
 * --monitor: a process whose only work is to start the daemon anew when a bug
 * ends it. A daemon that ends in another way was meant to end, and so does its
 * monitor. Restarts are 10 seconds apart at least, the first one is at once.
 * The process's title tells how it goes, for `ps`, in stock's words.
 *
 * How a daemon is started is the caller's (run.ts); the loop here only knows
 * that it has a process id and ends.
 */
import { describeExit, type ExitStatus, isCrash } from './exit-status.ts';
import type { VlogModule } from './vlog-module.ts';

export interface MonitoredDaemon {
  pid: number;
  exited: Promise<ExitStatus>;
}

export interface MonitorSettings {
  program: string;
  log: VlogModule;
  restart(): MonitoredDaemon;
  setTitle(title: string): void;
  /** Milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Whether the end of it all was asked for: then nothing is restarted. */
  isStopping(): boolean;
}

const RESTART_INTERVAL_MS = 10_000;

/** Resolves when the daemon has ended for good. */
export async function monitorDaemon(
  first: MonitoredDaemon,
  settings: MonitorSettings,
): Promise<void> {
  const { program, log, now, isStopping } = settings;
  let daemon = first;
  let status = 'healthy';
  let lastRestart = Number.NEGATIVE_INFINITY;
  for (let crashes = 1; ; crashes++) {
    settings.setTitle(`${program}: monitoring pid ${daemon.pid} (${status})`);
    const exit = await daemon.exited;
    const death = `pid ${daemon.pid} died, ${describeExit(exit)}`;
    if (!isCrash(exit) || isStopping()) return log.info(`${death}, exiting`);
    status = `${crashes} crashes: ${death}`;
    await waitForTurn(lastRestart + RESTART_INTERVAL_MS - now(), status, settings);
    if (isStopping()) return log.info(`${death}, exiting`);
    lastRestart = now();
    log.err(`${status}, restarting`);
    daemon = settings.restart();
  }
}

async function waitForTurn(ms: number, status: string, settings: MonitorSettings): Promise<void> {
  if (ms <= 0) return;
  settings.log.warn(`${status}, waiting until 10 seconds since last restart`);
  await settings.sleep(ms);
}
