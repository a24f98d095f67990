/**
 * The two daemons of a switch: started in order, kept running, stopped in
 * order.
 *
 *   ovsdb-server    holds the configuration, unix:RUN/db.sock
 *   vswitchd        forwards as it says
 *
 * One that crashes is started anew, as `--monitor` does it (daemon/monitor.ts);
 * when one ends in another way, so does the other, and the switch is down.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { monitorDaemon } from '../../daemon/monitor.ts';
import { Vlog } from '../../daemon/vlog.ts';
import type { VlogModule } from '../../daemon/vlog-module.ts';
import { createDatabase } from '../../ovsdb/server/database-file.ts';
import { openVswitchSchema } from '../../schema/schema.ts';
import { CliError } from '../control.ts';
import {
  type DaemonCommand,
  type RunningDaemon,
  restartDaemon,
  startDaemon,
} from './daemon-process.ts';
import type { SwitchFiles } from './switch-files.ts';

export interface SupervisorOptions {
  files: SwitchFiles;
  /** Where the daemons write their logs. */
  logDir?: string;
  /** vswitchd's own options. */
  forwarding: readonly string[];
}

export interface SupervisedSwitch {
  /** Resolves when both daemons have ended. */
  exited: Promise<void>;
  stop(): void;
}

/** Resolves when the switch forwards as its database says. @throws CliError; nothing runs then */
export async function superviseSwitch(options: SupervisorOptions): Promise<SupervisedSwitch> {
  makeDirectories(options);
  await makeDatabase(options.files.database);
  const stopping = new AbortController();
  const server = await supervised(serverCommand(options), stopping);
  try {
    const forwarder = await supervised(forwarderCommand(options), stopping);
    stopping.signal.addEventListener('abort', () => forwarder.stop());
    writeFileSync(options.files.pidfile, `${process.pid}\n`);
    const exited = forwarder.exited.then(async () => {
      server.stop();
      await server.exited;
      rmSync(options.files.pidfile, { force: true });
    });
    void server.exited.then(() => stopping.abort());
    return { exited, stop: () => stopping.abort() };
  } catch (error) {
    server.stop();
    await server.exited;
    throw error;
  }
}

/** As Open vSwitch's own scripts do at their first start. */
async function makeDatabase(file: string): Promise<void> {
  if (existsSync(file)) return;
  try {
    await createDatabase(file, openVswitchSchema);
  } catch (error) {
    throw new CliError(`the database ${file} cannot be made: ${(error as Error).message}`);
  }
}

function serverCommand({ files, logDir }: SupervisorOptions): DaemonCommand {
  const args = [
    `--remote=punix:${files.databaseSocket}`,
    '--remote=db:Open_vSwitch,Open_vSwitch,manager_options',
    '--private-key=db:Open_vSwitch,SSL,private_key',
    '--certificate=db:Open_vSwitch,SSL,certificate',
    '--ca-cert=db:Open_vSwitch,SSL,ca_cert',
    files.database,
  ];
  return { name: 'ovsdb-server', args, files, logDir };
}

function forwarderCommand({ files, logDir, forwarding }: SupervisorOptions): DaemonCommand {
  const args = [...forwarding, `unix:${files.databaseSocket}`];
  return { name: 'vswitchd', args, files, logDir };
}

interface Supervised {
  exited: Promise<void>;
  stop(): void;
}

/** Resolves when it is ready; `exited` when it has ended for good. */
async function supervised(command: DaemonCommand, stopping: AbortController): Promise<Supervised> {
  let running: RunningDaemon = await startDaemon(command);
  let isStopped = false;
  const isStopping = () => isStopped || stopping.signal.aborted;
  const exited = monitorDaemon(running, {
    program: command.name,
    log: log(),
    restart() {
      running = restartDaemon(command);
      return running;
    },
    setTitle: () => undefined,
    now: () => performance.now(),
    // Cut short by a request to end, which is no failure.
    sleep: (ms) => setTimeout(ms, undefined, { signal: stopping.signal }).catch(() => undefined),
    isStopping,
  });
  return {
    exited,
    stop() {
      isStopped = true;
      running.stop();
    },
  };
}

function log(): VlogModule {
  const vlog = new Vlog({ program: 'tapflow', modules: ['up'] });
  vlog.set('console:warn');
  return vlog.module('up');
}

function makeDirectories({ files, logDir }: SupervisorOptions): void {
  const needed = [files.run, path.dirname(files.database), ...(logDir ? [logDir] : [])];
  for (const directory of needed) {
    try {
      mkdirSync(directory, { recursive: true });
    } catch (error) {
      throw new CliError(
        `the directory ${directory} cannot be made: ${(error as Error).message}; run as root, or name another with --state`,
      );
    }
  }
}
