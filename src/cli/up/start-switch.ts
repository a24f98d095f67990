/**
 * Starts a switch, for `up` and `demo`: its two daemons (supervisor.ts), and
 * the topology file applied to its database.
 */
import { readFileSync } from 'node:fs';
import { CliError, request } from '../control.ts';
import { type SupervisedSwitch, superviseSwitch } from './supervisor.ts';
import { switchFiles } from './switch-files.ts';

export interface SwitchOptions {
  /** A topology file; without one the switch is what its database says. */
  file?: string;
  state: string;
  workers?: string;
  backend?: string;
  /** Without devices and root: dummy ports, and forwarding on the main thread. */
  simulated?: boolean;
  /** Where the daemons write their logs. */
  logDir?: string;
}

/** What applying a file did: the switch's answer. */
export interface AppliedReport {
  /** The below as text. */
  text: string;
  changes: string[];
  warnings: string[];
  errors: { item: string; message: string }[];
}

export interface StartedSwitch extends SupervisedSwitch {
  report: AppliedReport;
}

/** Resolves when the switch forwards. @throws CliError; nothing is left running then */
export async function startSwitch(options: SwitchOptions): Promise<StartedSwitch> {
  const { file, state, logDir } = options;
  const text = file === undefined ? undefined : readText(file);
  const forwarding = forwardingOptions(options);
  const running = await superviseSwitch({ files: switchFiles(state), logDir, forwarding });
  try {
    const report = file === undefined ? NOTHING : await applyFile(state, file, text);
    return { ...running, report };
  } catch (error) {
    running.stop();
    await running.exited;
    throw error;
  }
}

/** Makes the running switch's database what the file says. @throws CliError */
export async function applyFile(
  state: string,
  file: string,
  text: string = readText(file),
): Promise<AppliedReport> {
  return JSON.parse(await request(state, 'apply', ['--json', file, text])) as AppliedReport;
}

const NOTHING: AppliedReport = { text: '', changes: [], warnings: [], errors: [] };

function forwardingOptions({ workers, backend, simulated }: SwitchOptions): string[] {
  return [
    ...(workers === undefined ? [] : [`--workers=${workers}`]),
    ...(backend === undefined ? [] : [`--backend=${backend}`]),
    ...(simulated ? ['--simulated'] : []),
  ];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
