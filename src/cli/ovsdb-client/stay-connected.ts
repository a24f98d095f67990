/**
 * For the commands of ovsdb-client that go on until the connection ends or
 * somebody ends them: in the foreground, or as a daemon with --detach, which
 * `ovs-appctl -t ovsdb-client` reaches.
 */
import type { DaemonProcess } from '../../daemon/run.ts';
import { TapflowError } from '../../lib/error.ts';
import type { Command as UnixctlCommand } from '../../unixctl/command-table.ts';
import type { UnixctlServer } from '../../unixctl/server.ts';
import type { Context } from './command.ts';

/**
 * @param commands of the control socket
 * @param start does all that comes before a daemon lets go of its terminal; a fault that
 *   comes later is given to `failed`
 * @returns the exit code
 */
export async function stayConnected(
  context: Context,
  commands: readonly UnixctlCommand[],
  start: (failed: (error: Error) => void) => Promise<void>,
): Promise<number> {
  const end = endOf(context);
  await Promise.race([start(end.fail), end.promise]);
  const { background } = context;
  if (background === undefined) return await end.promise;
  const control = await openControl(context, background, commands);
  await background.ready();
  background.stopping.addEventListener('abort', end.stop);
  try {
    return await end.promise;
  } finally {
    await control?.close();
  }
}

function endOf({ server }: Context) {
  let stop = (): void => {};
  let fail = (_error: Error): void => {};
  const promise = new Promise<number>((resolve, reject) => {
    stop = () => resolve(0);
    fail = reject;
  });
  server.lost.catch((cause) => {
    const message = `${server.remote}: receive failed (${server.reason})`;
    fail(new TapflowError('LOST', message, { cause }));
  });
  promise.catch(() => {});
  return { promise, stop, fail };
}

async function openControl(
  { daemon }: Context,
  { vlog, stop }: DaemonProcess,
  commands: readonly UnixctlCommand[],
): Promise<UnixctlServer | undefined> {
  if (!daemon.daemon.detach) return undefined;
  const { controlSocketPath } = await import('../../daemon/directories.ts');
  const { vlogCommands } = await import('../../daemon/vlog-commands.ts');
  const { commandTable } = await import('../../unixctl/command-table.ts');
  const { openUnixctlServer } = await import('../../unixctl/server.ts');
  const { versionText } = await import('../../lib/version.ts');
  const path = controlSocketPath(vlog.program, daemon.daemon.unixctl);
  if (path === undefined) return undefined;
  const none = { usage: '', minArgs: 0, maxArgs: 0 };
  const exit = (): string => {
    stop();
    return '';
  };
  const shared: UnixctlCommand[] = [
    { name: 'exit', ...none, run: exit },
    { name: 'version', ...none, run: () => versionText(vlog.program) },
    ...vlogCommands(vlog),
  ];
  return await openUnixctlServer(path, commandTable([...commands, ...shared]));
}
