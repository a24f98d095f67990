/**
 * The daemon's process: arguments, signals, exit code.
 *
 *   node dist/vswitchd/main.js [--state DIR] [--workers N] [--backend NAME]
 *                              [--simulated] [--detached] [--log-file FILE] FILE
 *
 * SIGTERM and SIGINT stop it, SIGHUP has it read FILE again. Started by
 * `tapflow up` it reports over Node's IPC channel, once: {ready} or {failed};
 * and unless --detached it stops when that channel closes, so that it never
 * outlives who started it.
 */
import { parseArgs } from 'node:util';
import { TapflowError } from '../lib/error.ts';
import { type Daemon, type DaemonOptions, openDaemon } from './daemon.ts';
import { openLog } from './log.ts';
import type { ItemError } from './switch.ts';
import { welcome } from './welcome.ts';

const DEFAULT_STATE = '/run/tapflow';
const { values, positionals } = parseArgs({
  options: {
    state: { type: 'string', default: DEFAULT_STATE },
    workers: { type: 'string' },
    backend: { type: 'string' },
    simulated: { type: 'boolean', default: false },
    detached: { type: 'boolean', default: false },
    'log-file': { type: 'string' },
  },
  allowPositionals: true,
});
const log = openLog(values['log-file']);
process.exit(await main());

async function main(): Promise<number> {
  try {
    const opened = listenToSignals();
    const daemon = await openDaemon(daemonOptions());
    opened(daemon);
    const { warnings, errors } = daemon.report;
    for (const line of [...warnings, ...errors.map(errorLine)]) log.info(line);
    log.info(`the switch is up, process ${process.pid}, state in ${values.state}`);
    await announce({ ready: { ...daemon.report, text: welcomeText(daemon) } });
    await daemon.stopped;
    log.info('the switch has stopped');
    return 0;
  } catch (error) {
    const { message } = error as Error;
    if (process.send === undefined) log.error(message);
    else log.info(message);
    await announce({ failed: message });
    return 1;
  }
}

function daemonOptions(): DaemonOptions {
  const { state, simulated } = values;
  const [file, ...surplus] = positionals;
  if (file === undefined || surplus.length > 0) throw misuse('one topology file was expected');
  return { file, state, simulated, workers: workers(), backend: backend(), log };
}

function workers(): number | undefined {
  if (values.workers === undefined) return undefined;
  const count = Number(values.workers);
  if (Number.isInteger(count) && count > 0) return count;
  throw misuse(`--workers ${values.workers}: a number of threads, at least 1, was expected`);
}

function backend(): 'io_uring' | 'plain' | undefined {
  const name = values.backend;
  if (name === undefined || name === 'io_uring' || name === 'plain') return name;
  throw misuse(`--backend ${name}: io_uring or plain was expected`);
}

function misuse(message: string): TapflowError {
  return new TapflowError('USAGE', message);
}

function errorLine({ item, message }: ItemError): string {
  return `${item}: ${message}`;
}

function welcomeText(daemon: Daemon): string {
  const { state, detached } = values;
  return welcome(daemon.switch, daemon.report, { state, detached, defaultState: DEFAULT_STATE });
}

/** Before the daemon is open: half of a start cannot be undone, so a signal waits until it is whole. */
function listenToSignals(): (daemon: Daemon) => void {
  let open: Daemon | undefined;
  let isUnwanted = false;
  const stop = () => {
    isUnwanted = true;
    open?.stop().catch((error: Error) => log.error(error.message));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', () => open && void reload(open));
  if (!values.detached && process.send !== undefined) process.on('disconnect', stop);
  return (daemon) => {
    open = daemon;
    if (isUnwanted) stop();
  };
}

async function reload(daemon: Daemon): Promise<void> {
  try {
    const { changes, warnings, errors } = await daemon.reload();
    log.info(`the file was read again: ${changes.length} changes`);
    for (const line of [...warnings, ...errors.map(errorLine)]) log.error(line);
  } catch (error) {
    log.error((error as Error).message);
  }
}

/** Resolves when it is sent: the process may exit next. */
async function announce(message: { ready: object } | { failed: string }): Promise<void> {
  if (process.send === undefined) return;
  await new Promise((resolve) => process.send?.(message, undefined, undefined, resolve));
}
