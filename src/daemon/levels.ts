/** The words of vlog: levels, destinations and syslog's facilities, in stock's order. */

/** From nothing to everything: a message is logged where the level set is at or past its own. */
export const LEVELS = ['off', 'emer', 'err', 'warn', 'info', 'dbg'] as const;
export type Level = (typeof LEVELS)[number];

/** A level that a message can have. */
export type MessageLevel = Exclude<Level, 'off'>;

export const DESTINATIONS = ['syslog', 'console', 'file'] as const;
export type Destination = (typeof DESTINATIONS)[number];

/** RFC 5424 severities. */
export const SEVERITIES: Readonly<Record<Level, number>> = {
  off: 1,
  emer: 1,
  err: 3,
  warn: 4,
  info: 5,
  dbg: 7,
};

/** RFC 5424 facilities under stock's names, times 8: PRI is facility plus severity. */
export const FACILITIES: ReadonlyMap<string, number> = new Map(
  [
    ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'clock'],
    // 10 is authpriv, which stock has no name for.
    ...['', 'ftp', 'ntp', 'audit', 'alert', 'clock2'],
    ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
  ].flatMap((name, code): [string, number][] => (name === '' ? [] : [[name, code << 3]])),
);
