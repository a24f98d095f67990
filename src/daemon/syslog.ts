/**
 * Where messages for syslog go: to the system's log, /dev/log, as libc sends
 * them (`libc`, the default), to another unix socket (`unix:FILE`), to a UDP
 * port (`udp:IP:PORT`, and the copy for --syslog-target), or nowhere (`null`).
 */
import { createSocket } from 'node:dgram';
import { writeSync } from 'node:fs';
import { isIP } from 'node:net';
import { TapflowError } from '../lib/error.ts';
import { native } from '../native.ts';

export interface Syslog {
  /** As vlog/list-pattern shows it. */
  readonly prefix: string;
  /** The pattern of what comes before a message. */
  readonly header: string;
  /** Never waits; what cannot be sent is lost. */
  send(line: string): void;
}

/**
 * @param method as given to --syslog-method
 * @throws TapflowError USAGE
 */
export function openSyslog(method: string): Syslog {
  const [kind] = method.split(':', 1);
  const target = method.slice(kind.length + 1);
  if (kind === 'libc') return { ...LIBC, send: datagramSender('/dev/log') };
  if (kind === 'null') return { prefix: '', header: '', send: discard };
  if (kind === 'unix') return { prefix: PRIORITY, header: PRIORITY, send: datagramSender(target) };
  if (kind === 'udp') return { prefix: PRIORITY, header: PRIORITY, send: udpSender(target) };
  throw new TapflowError('USAGE', `unsupported syslog method '${method}'`);
}

/** For --syslog-target: a second syslog with the header of RFC 5424. */
export function openSyslogTarget(target: string): Syslog {
  return { prefix: RFC5424_HEADER, header: RFC5424_HEADER, send: udpSender(target) };
}

/** Ends in a byte order mark: what follows is UTF-8 (RFC 5424, 6.4). */
const RFC5424_HEADER = '<%B>1 %D{%Y-%m-%dT%H:%M:%S.###Z} %E %A %P %c - \ufeff';

const PRIORITY = '<%B>';
/** What syslog(3) sends is not quite what stock says of it: local time, and no host. */
const LIBC = { prefix: '<%B> %D{%h %e %T} %E %A:', header: '<%B>%d{%h %e %T} %A: ' };

const discard = (): void => undefined;

/** Connects when there is something to say, and anew once whoever listened has been restarted. */
function datagramSender(path: string): (line: string) => void {
  let fd: number | undefined;
  return (line) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        fd ??= native().openDatagram(path);
        writeSync(fd, line);
        return;
      } catch {
        if (fd !== undefined) native().closeFd(fd);
        fd = undefined;
      }
    }
  };
}

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
