/** The command line's end of the switch's control socket, and the words for what fails there. */
import { type UnixctlReply, unixctlRequest } from '../unixctl/client.ts';
import { controlSocket } from './up/switch-files.ts';

/** A failure to tell the user about, in one line and without a stack. */
export class CliError extends Error {}

/** @throws CliError when no switch listens, or it answers with an error */
export async function request(
  stateDir: string,
  method: string,
  params: readonly string[] = [],
): Promise<string> {
  const socket = controlSocket(stateDir);
  if (socket === undefined) throw noSwitch(`there is no ovs-vswitchd.pid in ${stateDir}`);
  const reply = await exchange(socket, method, params);
  if ('error' in reply) throw new CliError(reply.error.trimEnd());
  return reply.result;
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

async function exchange(
  path: string,
  method: string,
  params: readonly string[],
): Promise<UnixctlReply> {
  try {
    return await unixctlRequest(path, method, params);
  } catch (error) {
    throw connectError(path, error as NodeJS.ErrnoException);
  }
}

function connectError(path: string, error: NodeJS.ErrnoException): CliError {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return noSwitch(`nothing listens at ${path}`);
  }
  if (error.code === 'EACCES') {
    return new CliError(`the switch at ${path} belongs to another user: try sudo`);
  }
  return new CliError(`${path}: ${error.message}`);
}

const noSwitch = (reason: string): NoSwitch =>
  new NoSwitch(`no switch is running (${reason}): start one with: tapflow up FILE`);
