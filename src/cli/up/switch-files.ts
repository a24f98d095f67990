/** Where a switch that `tapflow up` started keeps its files, and by which its own commands find it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export const DEFAULT_STATE_DIR = '/run/tapflow';

export interface SwitchFiles {
  /** Sockets and pidfiles: OVS_RUNDIR of both daemons. */
  run: string;
  database: string;
  /** Where vswitchd and every client reach the database. */
  databaseSocket: string;
  /** Of `tapflow up` itself: SIGHUP to it applies its file again, SIGTERM stops the switch. */
  pidfile: string;
}

/** By default the database outlives a reboot, the rest does not; `--state DIR` moves all of it. */
export function switchFiles(state: string): SwitchFiles {
  const run = path.resolve(state);
  const kept = run === DEFAULT_STATE_DIR ? '/etc/tapflow' : run;
  return {
    run,
    database: path.join(kept, 'conf.db'),
    databaseSocket: path.join(run, 'db.sock'),
    pidfile: path.join(run, 'tapflow.pid'),
  };
}

/** vswitchd's control socket, as `ovs-appctl` finds it. @returns undefined when no switch has run here */
export function controlSocket(state: string): string | undefined {
  const { run } = switchFiles(state);
  try {
    const pid = readFileSync(path.join(run, 'ovs-vswitchd.pid'), 'utf8').trim();
    return path.join(run, `ovs-vswitchd.${pid}.ctl`);
  } catch {
    return undefined;
  }
}
