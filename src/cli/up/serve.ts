/** A started switch until its end: what signals do to it. */
import { applyFile, type StartedSwitch, type SwitchOptions } from './start-switch.ts';

/** @returns the exit code */
export async function serve(running: StartedSwitch, options: SwitchOptions): Promise<number> {
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => running.stop());
  process.on('SIGHUP', () => void reload(options));
  await running.exited;
  return 0;
}

/** Reads the file again. */
async function reload({ file, state }: SwitchOptions): Promise<void> {
  if (file === undefined) return;
  try {
    const { warnings, errors } = await applyFile(state, file);
    const lines = [...warnings, ...errors.map(({ item, message }) => `${item}: ${message}`)];
    for (const line of lines) process.stderr.write(`tapflow: ${line}\n`);
  } catch (error) {
    process.stderr.write(`tapflow: ${(error as Error).message}\n`);
  }
}
