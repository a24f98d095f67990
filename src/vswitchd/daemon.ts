/**
 * The daemon: a switch with its control socket and the state directory that is
 * its own. It is started with a topology file, and can be told to read one
 * again; stopping it removes everything that it made.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SimulatedDatapath } from '../datapath/simulated.ts';
import { openThreadedDatapath } from '../datapath/threaded.ts';
import type { Dpif } from '../dpif/dpif.ts';
import { systemClock } from '../lib/clock.ts';
import { TapflowError } from '../lib/error.ts';
import { packageVersion } from '../lib/version.ts';
import { native } from '../native.ts';
import { createSlowPath } from '../ofproto/slow-path.ts';
import { openUnixctlServer, type UnixctlServer } from '../unixctl/server.ts';
import { switchCommands } from './commands/all.ts';
import type { Log } from './log.ts';
import { kernelNamespaces, noNamespaces } from './namespaces.ts';
import { claimPidfile, type LockFile, type Pidfile } from './pidfile.ts';
import { type ApplyReport, Switch } from './switch.ts';
import { readTopology } from './topology.ts';

export interface DaemonOptions {
  /** Topology file. */
  file: string;
  /** Directory for pidfile, control socket and the record of namespaces. */
  state: string;
  workers?: number;
  backend?: 'io_uring' | 'plain';
  /** Dummy ports only, on the main thread; needs neither root nor the addon. */
  simulated: boolean;
  log: Log;
}

/** @throws TapflowError; nothing is left running or locked then */
export async function openDaemon(options: DaemonOptions): Promise<Daemon> {
  const config = readTopology(readText(options.file), options.file);
  makeStateDir(options.state);
  const pidfile = claimPidfile(path.join(options.state, 'tapflow.pid'), lockFile(options));
  const cleanup: (() => Promise<void> | void)[] = [() => pidfile.release()];
  try {
    const sw = await openSwitch(options);
    cleanup.unshift(() => sw.close());
    const report = await sw.apply(config);
    const daemon = new Daemon(options, sw, report, pidfile);
    await daemon.listen();
    return daemon;
  } catch (error) {
    for (const undo of cleanup) await undo();
    throw error;
  }
}

export class Daemon {
  /** What the first `apply` did. */
  readonly report: ApplyReport;
  readonly switch: Switch;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
  readonly #options: DaemonOptions;
  readonly #pidfile: Pidfile;
  /** The topology file applied last. */
  #file: string;
  #server: UnixctlServer | undefined;
  #closing: Promise<void> | undefined;
  #announceStop: () => void = () => undefined;

  constructor(options: DaemonOptions, sw: Switch, report: ApplyReport, pidfile: Pidfile) {
    this.#options = options;
    this.#file = options.file;
    this.switch = sw;
    this.report = report;
    this.#pidfile = pidfile;
    this.stopped = new Promise((resolve) => {
      this.#announceStop = resolve;
    });
  }

  async listen(): Promise<void> {
    const commands = switchCommands(this.switch, {
      version: packageVersion(),
      apply: (fileName, text) => this.apply(fileName, text),
      stop: () => this.stop(),
    });
    this.#server = await openUnixctlServer(path.join(this.#options.state, SOCKET), commands);
  }

  /** @throws TapflowError that names line and column; nothing has changed then */
  async apply(fileName: string, text: string): Promise<ApplyReport> {
    const report = await this.switch.apply(readTopology(text, fileName));
    this.#file = fileName;
    for (const change of report.changes) this.#options.log.info(change);
    return report;
  }

  /** Reads the file that was applied last again. */
  async reload(): Promise<ApplyReport> {
    return this.apply(this.#file, readText(this.#file));
  }

  /** Resolves when the switch is closed and has removed what it made; may be called again. */
  stop(): Promise<void> {
    this.#closing ??= this.switch.close().finally(() => void this.#leave());
    return this.#closing;
  }

  /**
   * After the switch is closed, for the last request may have been `exit`,
   * which is answered now. The socket goes before the lock, so that a successor
   * finds both free; the answers may take longer.
   */
  async #leave(): Promise<void> {
    const answered = this.#server?.close();
    this.#pidfile.release();
    await answered;
    this.#announceStop();
  }
}

const SOCKET = 'tapflow.ctl';

async function openSwitch(options: DaemonOptions): Promise<Switch> {
  const { state, simulated, log } = options;
  const dpif = await openDatapath(options);
  const slowPath = createSlowPath({ dpif, clock: systemClock, log: (line) => log.error(line) });
  const namespaces = simulated
    ? noNamespaces
    : kernelNamespaces(path.join(state, 'namespaces.json'));
  return new Switch({ dpif, slowPath, namespaces, log: (line) => log.error(line) });
}

async function openDatapath({ simulated, workers, backend }: DaemonOptions): Promise<Dpif> {
  return simulated ? new SimulatedDatapath() : openThreadedDatapath({ workers, backend });
}

/** A simulated switch does without the addon, hence without the lock: it is for trying things out. */
function lockFile({ simulated }: DaemonOptions): LockFile {
  return simulated ? () => 0 : (fd) => native().lockFile(fd);
}

function makeStateDir(state: string): void {
  try {
    mkdirSync(state, { recursive: true });
  } catch (cause) {
    throw new TapflowError(
      'NO_STATE_DIR',
      `the state directory ${state} cannot be made: ${(cause as Error).message}; run as root, or name another with --state`,
      { cause },
    );
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new TapflowError('NO_FILE', `${file} cannot be read: ${reason}`, { cause });
  }
}
