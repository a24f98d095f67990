/** How a child process ended, and what stock says and does about it. */
import { constants } from 'node:os';

export interface ExitStatus {
  /** null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** As it stands in stock's messages. */
export function describeExit({ code, signal }: ExitStatus): string {
  return signal === null ? `exit status ${code}` : `killed (${describeSignal(signal)})`;
}

/** strsignal(3)'s text. */
export function describeSignal(signal: NodeJS.Signals): string {
  return SIGNAL_TEXTS[signal] ?? `signal ${constants.signals[signal]}`;
}

/** Whether a bug ended it, so that --monitor starts it anew: the signals that daemon(8) pages list. */
export function isCrash({ signal }: ExitStatus): boolean {
  return signal !== null && CRASH_SIGNALS.has(signal);
}

const CRASH_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set([
  ...(['SIGABRT', 'SIGALRM', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGPIPE'] as const),
  ...(['SIGSEGV', 'SIGXCPU', 'SIGXFSZ'] as const),
  // Not in stock's list: how V8 ends itself at a failed check of its own.
  'SIGTRAP' as const,
]);

const SIGNAL_TEXTS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGHUP: 'Hangup',
  SIGINT: 'Interrupt',
  SIGQUIT: 'Quit',
  SIGILL: 'Illegal instruction',
  SIGTRAP: 'Trace/breakpoint trap',
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGKILL: 'Killed',
  SIGUSR1: 'User defined signal 1',
  SIGSEGV: 'Segmentation fault',
  SIGUSR2: 'User defined signal 2',
  SIGPIPE: 'Broken pipe',
  SIGALRM: 'Alarm clock',
  SIGTERM: 'Terminated',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'File size limit exceeded',
};
