/** Opens streams to active remotes (remote.ts). */
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { ActiveRemote } from './remote.ts';
import { type TlsFiles, tlsClientOptions } from './tls.ts';

export interface ConnectOptions {
  /** Gives the attempt up. */
  signal?: AbortSignal;
  /** Needed for ssl: remotes; read anew for each attempt, as files change. */
  tls?: () => TlsFiles;
}

/**
 * @throws Error of node's net or tls, for errorText; TapflowError BAD_TLS
 */
export async function connectStream(
  remote: ActiveRemote,
  options: ConnectOptions = {},
): Promise<Duplex> {
  const socket = await openSocket(remote, options);
  try {
    const ready = remote.kind === 'ssl' ? 'secureConnect' : 'connect';
    await once(socket, ready, { signal: options.signal });
    return socket;
  } catch (error) {
    // Errors after the first one, of a socket that nobody has any more.
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  }
}

/** Node's TLS is loaded when it is needed: a command on a unix socket takes less time than that. */
async function openSocket(remote: ActiveRemote, options: ConnectOptions): Promise<net.Socket> {
  if (remote.kind === 'unix') return net.connect(remote.path);
  const { host, port } = remote;
  if (remote.kind === 'tcp') return net.connect({ host, port, noDelay: true });
  const { default: tls } = await import('node:tls');
  const socket = tls.connect({ host, port, ...tlsClientOptions(options.tls?.() ?? {}) });
  return socket.setNoDelay(true);
}
