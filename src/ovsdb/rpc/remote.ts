/**
 * Remotes as text (ovsdb(7), "Connection methods"): where to connect to, or
 * where to listen.
 *
 *     tcp:HOST[:PORT]    ssl:HOST[:PORT]    unix:FILE
 *     ptcp:[PORT][:HOST] pssl:[PORT][:HOST] punix:FILE
 *
 * An IPv6 address stands in brackets and may have a scope: [fe80::1%eth0].
 * connect.ts and listen.ts open what is parsed here.
 */
import net from 'node:net';
import path from 'node:path';
import { TapflowError } from '../../lib/error.ts';

export type ActiveRemote =
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export type PassiveRemote =
  /** Port 0: the kernel chooses. Without a host: all IPv4 addresses. */
  | { readonly kind: 'ptcp' | 'pssl'; readonly host: string; readonly port: number }
  | { readonly kind: 'punix'; readonly path: string };

export type Remote = ActiveRemote | PassiveRemote;

/** The port that IANA gave OVSDB. */
const DEFAULT_PORT = 6640;

export function isPassive(remote: Remote): remote is PassiveRemote {
  return remote.kind === 'ptcp' || remote.kind === 'pssl' || remote.kind === 'punix';
}

/**
 * @param runDir where a relative path of a unix socket begins
 * @throws TapflowError BAD_REMOTE
 */
export function parseRemote(text: string, runDir: string): Remote {
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  switch (kind) {
    case 'tcp':
    case 'ssl':
      return { kind, ...parseActive(text, rest) };
    case 'ptcp':
    case 'pssl':
      return { kind, ...parsePassive(text, rest) };
    case 'unix':
    case 'punix':
      return { kind, path: parsePath(text, rest, runDir) };
    default:
      throw badRemote(text, 'tcp:, ssl:, unix:, ptcp:, pssl: or punix: was expected');
  }
}

interface Endpoint {
  host: string;
  port: number;
}

/** HOST[:PORT]; an IPv6 address without brackets cannot have a port. */
function parseActive(text: string, rest: string): Endpoint {
  const [, host, port] = (net.isIPv6(rest) ? [rest, rest] : ENDPOINT.exec(rest)) ?? [];
  const endpoint = { host: parseHost(text, host), port: parsePort(text, port) };
  if (endpoint.port === 0) throw badRemote(text, 'a port from 1 to 65535 was expected');
  return endpoint;
}

const ENDPOINT = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/;

/** [PORT][:HOST]. */
function parsePassive(text: string, rest: string): Endpoint {
  const colon = rest.indexOf(':');
  if (colon < 0) return { host: ANY_IPV4, port: parsePort(text, rest) };
  return {
    host: parseHost(text, rest.slice(colon + 1)),
    port: parsePort(text, rest.slice(0, colon)),
  };
}

const ANY_IPV4 = '0.0.0.0';

function parseHost(text: string, host = ''): string {
  const inBrackets = /^\[(.*)\]$/.exec(host)?.[1];
  if (inBrackets !== undefined) {
    if (net.isIPv6(inBrackets)) return inBrackets;
    throw badRemote(text, `an IPv6 address was expected in the brackets, not "${inBrackets}"`);
  }
  if (net.isIP(host) !== 0 || HOST_NAME.test(host)) return host;
  throw badRemote(
    text,
    `an IP address, an IPv6 address in [], or a name was expected, not "${host}"`,
  );
}

const HOST_NAME = /^(?=.{1,253}$)(?=.*[a-z])[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_-]+)*\.?$/i;

function parsePort(text: string, port = ''): number {
  if (port === '') return DEFAULT_PORT;
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65535) return Number(port);
  throw badRemote(text, `a port up to 65535 was expected, not "${port}"`);
}

function parsePath(text: string, file: string, runDir: string): string {
  if (file === '' || file.includes('\0'))
    throw badRemote(text, 'the path of a socket was expected');
  const absolute = path.resolve(runDir, file);
  const size = Buffer.byteLength(absolute);
  if (size > LONGEST_PATH) {
    throw badRemote(
      text,
      `the path ${absolute} has ${size} bytes and Linux takes ${LONGEST_PATH}: use a shorter one`,
    );
  }
  return absolute;
}

/** sockaddr_un's sun_path has 108 bytes, with the NUL that ends it. */
const LONGEST_PATH = 107;

function badRemote(text: string, what: string): TapflowError {
  return new TapflowError('BAD_REMOTE', `"${text}" is no remote: ${what}`);
}
