/**
 * How a message becomes a line: patterns with escapes such as %05N or
 * %D{%H:%M:%S.###}, ovs-appctl(8), "vlog/set PATTERN". The defaults are stock's.
 */
import { hostname } from 'node:os';
import { type Destination, type MessageLevel, SEVERITIES } from './levels.ts';
import { strftime } from './strftime.ts';

export const DEFAULT_PATTERNS: Readonly<Record<Destination, string>> = {
  syslog: 'ovs|%05N|%c%T|%p|%m',
  console: '%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m',
  file: '%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m',
};

/** A message with all that a pattern may ask for. */
export interface LogRecord {
  program: string;
  /** '' for the primary process. */
  subprogram: string;
  module: string;
  level: MessageLevel;
  message: string;
  /** From 1 in this run of the program. */
  serial: number;
  /** Of syslog, times 8. */
  facility: number;
  time: Date;
  /** Milliseconds since the program began. */
  uptime: number;
}

/** @returns the line, without a newline at its end unless the pattern has one */
export function formatRecord(pattern: string, record: LogRecord): string {
  return pattern.replace(ESCAPE, (...match: string[]) => expand(match, record));
}

function expand(match: readonly string[], record: LogRecord): string {
  const [, left, zero, width, letter, braces] = match;
  const text = conversion(letter, braces, record);
  const size = Math.min(Number(width), MAX_WIDTH);
  const pad = zero === '' ? ' ' : '0';
  return left === '' ? text.padStart(size, pad) : text.padEnd(size, pad);
}

/** Flags, width, letter; and braces after those letters that take them. */
const ESCAPE = /%(-?)(0?)(\d*)(.?)(?:(?<=[cdD])\{([^}]*)\}?)?/gsu;

/** Nobody means more; patterns come from outside. */
const MAX_WIDTH = 1024;
const DEFAULT_TIME = '%Y-%m-%d %H:%M:%S.###';

function conversion(letter: string, braces: string | undefined, record: LogRecord): string {
  if (letter === 'd' || letter === 'D') {
    return strftime(braces ?? DEFAULT_TIME, record.time, letter === 'D');
  }
  // What is no escape stands for itself, as does %%.
  return CONVERSIONS[letter]?.(record) ?? letter;
}

const CONVERSIONS: Readonly<Record<string, (record: LogRecord) => string>> = {
  A: ({ program }) => program,
  B: ({ facility, level }) => String(facility + SEVERITIES[level]),
  c: ({ module }) => module,
  E: () => hostname(),
  m: ({ message }) => message.replace(/\n+$/, ''),
  N: ({ serial }) => String(serial),
  n: () => '\n',
  p: ({ level }) => level.toUpperCase(),
  P: () => String(process.pid),
  r: ({ uptime }) => String(Math.floor(uptime)),
  t: ({ subprogram }) => subprogram || 'main',
  T: ({ subprogram }) => (subprogram === '' ? '' : `(${subprogram})`),
};
