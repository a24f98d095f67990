/**
 * What the daemon tells: errors as plain lines on standard error, and, when a
 * log file is named, everything as pino's JSON lines.
 */
import { destination, type Logger, pino } from 'pino';

export interface Log {
  /** For the log file. */
  info(line: string): void;
  /** For whoever looks as well. */
  error(line: string): void;
}

/** @param file for JSON lines; undefined: none */
export function openLog(file: string | undefined): Log {
  const structured = file === undefined ? undefined : openPino(file);
  return {
    info: (line) => structured?.info(line),
    error(line) {
      structured?.error(line);
      process.stderr.write(`tapflow: ${line}\n`);
    },
  };
}

/** Written synchronously: lines are few, and the last ones before a crash are those that matter. */
function openPino(file: string): Logger {
  return pino({ name: 'tapflow' }, destination({ dest: file, sync: true, mkdir: true }));
}
