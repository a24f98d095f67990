/**
 * How a command that waits ends: by a signal, from outside or from its own
 * --timeout. As stock ones do, it says so in its log and then dies by that
 * very signal, so that a shell sees 128 and more as the exit code.
 */
import { constants } from 'node:os';
import { describeSignal } from '../../daemon/exit-status.ts';
import { TapflowError } from '../../lib/error.ts';

type LogWarning = (text: string) => void | Promise<void>;

/** @param warn of the log's module `fatal_signal` */
export function endBySignals(warn: LogWarning): void {
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(name, () => endBy(name, warn));
  }
}

/** @param seconds as given to --timeout. @throws TapflowError USAGE; it names `option` */
export function endAfter(seconds: string, option: string, warn: LogWarning): void {
  const count = /^\d+$/.test(seconds) ? Number(seconds) : 0;
  if (count === 0 || count > MAX_SECONDS) {
    throw new TapflowError('USAGE', `value ${seconds} on ${option} is invalid`);
  }
  setTimeout(() => endBy('SIGALRM', warn), Math.min(count * 1000, LONGEST_TIMER)).unref();
}

/** C's unsigned int. */
const MAX_SECONDS = 0xffff_ffff;
/** Of Node: 24 days. */
const LONGEST_TIMER = 0x7fff_ffff;

async function endBy(name: NodeJS.Signals, warn: LogWarning): Promise<void> {
  await warn(`terminating with signal ${constants.signals[name]} (${describeSignal(name)})`);
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}
