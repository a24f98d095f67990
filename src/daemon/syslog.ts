/**
 * Where messages for syslog go.
 *
 * Node can send a datagram to a UDP port, not to a unix socket, and the
 * system's /dev/log is one: so of stock's methods `udp:IP:PORT` works, as does
 * the copy to --syslog-target, while `libc`, the default, and `unix:FILE` are
 * accepted and discard. Under systemd nothing is lost by that: the journal
 * takes what a daemon in the foreground writes to its console.
 */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { TapflowError } from '../lib/error.ts';

export interface Syslog {
  /** A pattern that comes before the message's own; shown by vlog/list-pattern. */
  readonly prefix: string;
  /** Never waits; what cannot be sent is lost. */
  send(line: string): void;
}

/**
 * @param method as given to --syslog-method
 * @throws TapflowError USAGE
 */
export function openSyslog(method: string): Syslog {
  const prefix = PREFIXES[method.split(':', 1)[0]];
  if (prefix === undefined) {
    throw new TapflowError('USAGE', `unsupported syslog method '${method}'`);
  }
  return { prefix, send: method.startsWith('udp:') ? udpSender(method.slice(4)) : discard };
}

/** For --syslog-target: a second syslog with the header of RFC 5424. */
export function openSyslogTarget(target: string): Syslog {
  return { prefix: RFC5424_HEADER, send: udpSender(target) };
}

/** Ends in a byte order mark: what follows is UTF-8 (RFC 5424, 6.4). */
const RFC5424_HEADER = '<%B>1 %D{%Y-%m-%dT%H:%M:%S.###Z} %E %A %P %c - \ufeff';

const PREFIXES: Readonly<Record<string, string>> = {
  libc: '<%B> %D{%h %e %T} %E %A:',
  null: '',
  unix: '<%B>',
  udp: '<%B>',
};

const discard = (): void => undefined;

/** The socket keeps no process alive. */
function udpSender(target: string): (line: string) => void {
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(target) ?? [];
  const version = isIP(host ?? '');
  if (version === 0 || Number(port) > 65535) {
    throw new TapflowError('USAGE', `syslog at ${target}: a numeric IP:PORT was expected`);
  }
  const socket = createSocket(version === 6 ? 'udp6' : 'udp4').unref();
  socket.on('error', discard);
  return (line) => socket.send(line, Number(port), host, discard);
}
