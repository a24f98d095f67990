/**
 * The command line's end of the control socket: one request, one reply, as any
 * outsider would (unixctl's JSON-RPC; `ovs-appctl -t SOCKET` does the same).
 *
 * The request ends with the end of our sending side, so the reply is complete
 * when the other side ends too; no framing is needed.
 */
import net from 'node:net';
import path from 'node:path';

/** A failure to tell the user about, in one line and without a stack. */
export class CliError extends Error {}

export const DEFAULT_STATE_DIR = '/run/tapflow';

export const socketPath = (stateDir: string): string => path.join(stateDir, 'tapflow.ctl');

/** @throws CliError when no switch listens, or it answers with an error */
export async function request(
  stateDir: string,
  method: string,
  params: readonly string[] = [],
): Promise<string> {
  const reply = await exchange(socketPath(stateDir), JSON.stringify({ method, params, id: 0 }));
  const { result, error } = parseReply(reply);
  if (typeof error === 'string') throw new CliError(error.trimEnd());
  return typeof result === 'string' ? result : '';
}

/** Whether a switch answers there. */
export async function isRunning(stateDir: string): Promise<boolean> {
  try {
    await request(stateDir, 'version');
    return true;
  } catch (error) {
    if (error instanceof NoSwitch) return false;
    throw error;
  }
}

class NoSwitch extends CliError {}

function exchange(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(path, () => socket.end(text));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.on('error', (error: NodeJS.ErrnoException) => reject(connectError(path, error)));
  });
}

function connectError(path: string, error: NodeJS.ErrnoException): CliError {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return new NoSwitch(
      `no switch is running (nothing listens at ${path}): start one with: tapflow up FILE`,
    );
  }
  if (error.code === 'EACCES') {
    return new CliError(`the switch at ${path} belongs to another user: try sudo`);
  }
  return new CliError(`${path}: ${error.message}`);
}

function parseReply(text: string): { result?: unknown; error?: unknown } {
  if (text === '') throw new CliError('the switch closed the connection without an answer');
  try {
    return JSON.parse(text) as { result?: unknown; error?: unknown };
  } catch {
    throw new CliError(`the switch's answer is not JSON: ${text.slice(0, 80)}`);
  }
}
