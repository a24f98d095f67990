/** The ovsdb-server process from its start to its end: what program.ts runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { controlSocketPath, directories } from '../../daemon/directories.ts';
import { RateLimit } from '../../daemon/rate-limit.ts';
import type { DaemonProcess } from '../../daemon/run.ts';
import { vlogCommands } from '../../daemon/vlog-commands.ts';
import { systemClock } from '../../lib/clock.ts';
import { TapflowError } from '../../lib/error.ts';
import { versionLine } from '../../lib/version.ts';
import { commandTable } from '../../unixctl/command-table.ts';
import { openUnixctlServer, type UnixctlServer } from '../../unixctl/server.ts';
import { OvsdbError } from '../data/ovsdb-error.ts';
import { serverCommands } from './commands.ts';
import { socketErrorText } from './failure.ts';
import { type Arguments, PROGRAM } from './options.ts';
import { Service } from './service.ts';

/** @returns the exit code. @throws TapflowError when it cannot start */
export async function serve(args: Arguments, daemon: DaemonProcess): Promise<number> {
  const { vlog, stopping } = daemon;
  const service = new Service({
    clock: systemClock,
    runDir: directories().run,
    log: (name) => {
      const module = vlog.module(name);
      // Clients can provoke warnings at will.
      const limit = new RateLimit(WARNINGS_PER_MINUTE, WARNINGS_PER_MINUTE);
      return (level, line) => module.log(level, line, level === 'info' ? undefined : limit);
    },
  });
  let control: UnixctlServer | undefined;
  try {
    for (const file of args.files) await addDatabase(service, file);
    await service.start(args.remotes, args.tls);
    control = await openControl(args, service, daemon);
    vlog.module('ovsdb_server').info(versionLine(PROGRAM));
    await daemon.ready();
    const code = args.run === undefined ? undefined : runCommand(args.run, daemon);
    if (!stopping.aborted) await once(stopping, 'abort');
    return (await code) ?? 0;
  } finally {
    await control?.close();
    await service.close();
  }
}

const WARNINGS_PER_MINUTE = 60;

async function addDatabase(service: Service, file: string): Promise<void> {
  try {
    await service.addDatabase(file);
  } catch (error) {
    if (error instanceof OvsdbError) throw new TapflowError('BAD_RECORD', error.message);
    throw error;
  }
}

async function openControl(
  { daemon: { unixctl } }: Arguments,
  service: Service,
  daemon: DaemonProcess,
): Promise<UnixctlServer | undefined> {
  const socket = controlSocketPath(PROGRAM, unixctl);
  if (socket === undefined) return undefined;
  const commands = [...vlogCommands(daemon.vlog), ...serverCommands(service, () => daemon.stop())];
  try {
    return await openUnixctlServer(socket, commandTable(commands));
  } catch (error) {
    const reason = `could not initialize control socket (${socketErrorText(error, socket)})`;
    throw new TapflowError('NO_CONTROL', `${socket}: ${reason}`, { cause: error });
  }
}

/** --run: the server ends when the command does. @returns the exit code, undefined while it runs on */
async function runCommand(command: string, daemon: DaemonProcess): Promise<number | undefined> {
  const child = spawn('/bin/sh', ['-c', command], { stdio: 'inherit' });
  const ended = once(child, 'exit');
  const stopped = once(daemon.stopping, 'abort').then(() => undefined);
  const exit = await Promise.race([ended, stopped]);
  if (exit === undefined) return undefined;
  const [code, signal] = exit as [number | null, NodeJS.Signals | null];
  daemon.stop();
  if (code === 0) return 0;
  const how = signal === null ? `exit status ${code}` : `killed (${signal})`;
  process.stderr.write(`${PROGRAM}: ${command}: child exited, ${how}\n`);
  return 1;
}
