/** Listens on passive remotes (remote.ts). */
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { TapflowError } from '../../lib/error.ts';
import { errorText } from './error-text.ts';
import { noLog, type RpcLog } from './log.ts';
import type { PassiveRemote } from './remote.ts';
import { type TlsFiles, tlsServerOptions } from './tls.ts';

export interface ListenOptions {
  /** Takes a stream. @param name of the peer, such as "tcp:127.0.0.1:45678" or "unix#3" */
  accept(stream: Duplex, name: string): void;
  log?: RpcLog;
  /** Needed for pssl: remotes. */
  tls?: TlsFiles;
}

export interface Listener {
  /** The port, chosen by the kernel for port 0; undefined for a unix socket. */
  readonly boundPort: number | undefined;
  /** For peers that connect from now on. @throws TapflowError BAD_TLS */
  replaceTls(files: TlsFiles): void;
  /** Takes no more peers; those that have connected stay. Removes a unix socket. */
  close(): void;
}

/** @throws TapflowError BAD_LISTEN, which names the remote and what stands against it; BAD_TLS */
export async function listen(remote: PassiveRemote, options: ListenOptions): Promise<Listener> {
  const log = options.log ?? noLog;
  const server = newServer(remote, options);
  try {
    if (remote.kind === 'punix') await listenOnPath(server, remote.path);
    else await listening(server, () => server.listen(remote.port, remote.host));
  } catch (error) {
    throw cannotListen(remote, error);
  }
  server.on('error', (error) => log('warn', `${describe(remote)}: accept: ${errorText(error)}`));
  const address = server.address();
  return {
    boundPort: typeof address === 'object' && address !== null ? address.port : undefined,
    replaceTls(files) {
      if (server instanceof tls.Server) server.setSecureContext(tlsServerOptions(files));
    },
    close: () => server.close(),
  };
}

function newServer(remote: PassiveRemote, { accept, log = noLog, tls: files }: ListenOptions) {
  if (remote.kind === 'punix') {
    return net.createServer((socket) => accept(socket, `unix#${unixPeers++}`));
  }
  if (remote.kind === 'ptcp') {
    return net.createServer({ noDelay: true }, (socket) => accept(socket, peerName('tcp', socket)));
  }
  const options = { noDelay: true, ...tlsServerOptions(files ?? {}) };
  const server = tls.createServer(options, (socket) => accept(socket, peerName('ssl', socket)));
  server.on('tlsClientError', (error, socket) => {
    // A peer whose certificate is refused is gone by now, and its address with it.
    const name = socket.remoteAddress ? peerName('ssl', socket) : describe(remote);
    const why = String(socket.authorizationError ?? error.message).trim();
    log('warn', `${name}: SSL_accept: ${why}`);
    socket.destroy();
  });
  return server;
}

/** Peers on unix sockets have no name of their own. */
let unixPeers = 0;

function peerName(kind: 'tcp' | 'ssl', socket: net.Socket): string {
  const { remoteAddress = '?', remotePort = 0 } = socket;
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  return `${kind}:${net.isIPv6(address) ? `[${address}]` : address}:${remotePort}`;
}

/**
 * Owner and group may connect, as far as the umask lets them, and no others:
 * whoever can connect may change everything. So does Open vSwitch.
 */
async function listenOnPath(server: net.Server, path: string): Promise<void> {
  removeStale(path);
  await withMask(0o077, () => listening(server, () => server.listen(path)));
  chmodSync(path, SOCKET_MODE & ~process.umask());
}

/** A server binds before `listen` returns, so no other file is made under this mask. */
function withMask<T>(mask: number, act: () => T): T {
  const before = process.umask(mask);
  try {
    return act();
  } finally {
    process.umask(before);
  }
}

const SOCKET_MODE = 0o770;

/** A socket that a dead process left, or that this one replaces; never a file. */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error('it exists and is not a socket: move it away');
  rmSync(path, { force: true });
}

function listening(server: net.Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

function cannotListen(remote: PassiveRemote, error: unknown): TapflowError {
  const message = `${describe(remote)}: cannot listen: ${errorText(error)}`;
  return new TapflowError('BAD_LISTEN', message, { cause: error });
}

function describe(remote: PassiveRemote): string {
  if (remote.kind === 'punix') return `punix:${remote.path}`;
  const host = net.isIPv6(remote.host) ? `[${remote.host}]` : remote.host;
  return `${remote.kind}:${remote.port}:${host}`;
}
