/**
 * The vswitchd process: a switch, the database that it follows, the control
 * socket. Ready when the first configuration is in force.
 *
 * On exit all ports are closed, whatever `exit` was given: devices of type tap
 * and internal are ours, and the kernel deletes them when the process ends. (A
 * stock switch with a kernel datapath leaves that behind unless --cleanup is
 * given; one with a userspace datapath does as we do.)
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { controlSocketPath, directories } from '../daemon/directories.ts';
import type { DaemonProcess } from '../daemon/run.ts';
import type { Vlog } from '../daemon/vlog.ts';
import { vlogCommands } from '../daemon/vlog-commands.ts';
import type { Dpif } from '../dpif/dpif.ts';
import { systemClock } from '../lib/clock.ts';
import { TapflowError } from '../lib/error.ts';
import { createSlowPath } from '../ofproto/slow-path.ts';
import { Replica } from '../ovsdb/replica/replica.ts';
import { connectStream } from '../ovsdb/rpc/connect.ts';
import { type ActiveRemote, isPassive, parseRemote } from '../ovsdb/rpc/remote.ts';
import { commandTable } from '../unixctl/command-table.ts';
import { openUnixctlServer } from '../unixctl/server.ts';
import { commandsOf } from './commands/all.ts';
import { applyCommand } from './commands/apply.ts';
import { daemonCommands } from './commands/daemon.ts';
import { applyTopology } from './database/apply-topology.ts';
import { DATABASE, MONITORED } from './database/columns.ts';
import { DATAPATH_TYPES } from './database/config-of.ts';
import { DatabaseSwitch } from './database/database-switch.ts';
import { watchLinks } from './database/link-watch.ts';
import { kernelNamespaces, noNamespaces } from './namespaces.ts';
import { PROGRAM, type VswitchdOptions } from './program.ts';
import { Switch } from './switch.ts';
import { readTopology } from './topology.ts';

/**
 * @param datapath being opened
 * @returns the exit code
 */
export async function serve(
  daemon: DaemonProcess,
  options: VswitchdOptions,
  datapath: Promise<Dpif>,
): Promise<number> {
  const remote = activeRemote(options.database);
  const vswitchd = await openVswitchd(daemon, options, remote, datapath);
  const commands = commandTable([
    ...commandsOf(vswitchd.switch),
    applyCommand((file, text) => applyTopology(readTopology(text, file), vswitchd)),
    ...vlogCommands(daemon.vlog),
    ...daemonCommands(vswitchd, () => {
      daemon.stop();
      return vswitchd.close();
    }),
  ]);
  const socket = controlSocketPath(PROGRAM, options.unixctl);
  const server = socket === undefined ? undefined : await openUnixctlServer(socket, commands);
  const stopped = daemon.stopping.aborted || once(daemon.stopping, 'abort');
  await Promise.race([vswitchd.database.configured, stopped]);
  if (!daemon.stopping.aborted) await daemon.ready();
  await stopped;
  await vswitchd.close();
  await server?.close();
  return 0;
}

export interface Vswitchd {
  readonly switch: Switch;
  readonly database: DatabaseSwitch;
  readonly replica: Replica;
  /** Resolves when everything is closed; may be called again. */
  close(): Promise<void>;
}

async function openVswitchd(
  { vlog }: DaemonProcess,
  options: VswitchdOptions,
  remote: ActiveRemote,
  datapath: Promise<Dpif>,
): Promise<Vswitchd> {
  const log = vlog.module('bridge');
  // The database is copied while the datapath's threads start.
  let database: DatabaseSwitch | undefined;
  const replica = openReplica(vlog, options, remote, () => database);
  const dpif = await datapath;
  const sw = new Switch({
    dpif,
    slowPath: createSlowPath({ dpif, clock: systemClock, log: (line) => log.err(line) }),
    namespaces: namespacesFor(options),
    log: (line) => log.warn(line),
    previousOfport: (name) => database?.previousOfport(name),
    onPortFailed: () => database?.portFailed(),
  });
  const follower = new DatabaseSwitch({
    ...{ switch: sw, replica, clock: systemClock, log },
    datapathTypes: options.simulated ? ['dummy', ...DATAPATH_TYPES] : DATAPATH_TYPES,
  });
  database = follower;
  follower.lockChanged();
  const links = options.simulated
    ? undefined
    : watchLinks((events) => follower.linksChanged(events));
  let closing: Promise<void> | undefined;
  const close = async () => {
    links?.close();
    const followed = follower.close();
    // A turn that waits for an answer gets none.
    replica.close();
    await followed;
    await sw.close();
  };
  return {
    ...{ switch: sw, database: follower, replica },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function openReplica(
  vlog: Vlog,
  options: VswitchdOptions,
  remote: ActiveRemote,
  database: () => DatabaseSwitch | undefined,
): Replica {
  const log = vlog.module('reconnect');
  const replica = new Replica(
    (signal) => connectStream(remote, { signal, tls: () => tlsFiles(options) }),
    {
      database: DATABASE,
      tables: MONITORED,
      name: options.database,
      log: (level, line) => log.log(level, line),
      changed: (changes) => database()?.changed(changes),
      connected: () => database()?.connected(),
      lockChanged: () => database()?.lockChanged(),
    },
  );
  replica.lock(LOCK);
  // Of an empty database no change is told.
  replica.synced().then(
    () => database()?.synced(),
    () => undefined,
  );
  return replica;
}

/** Which of several vswitchds has the database: stock's name. */
const LOCK = 'ovs_vswitchd';

function namespacesFor({ simulated }: VswitchdOptions) {
  if (simulated) return noNamespaces;
  return kernelNamespaces(path.join(directories().run, 'tapflow-namespaces.json'));
}

/** @throws TapflowError BAD_REMOTE */
function activeRemote(text: string): ActiveRemote {
  const remote = parseRemote(text, directories().run);
  if (!isPassive(remote)) return remote;
  throw new TapflowError('BAD_REMOTE', `"${text}" listens: tcp:, ssl: or unix: was expected`);
}

/** Read for each connection, as files are renewed. */
function tlsFiles({ tls }: VswitchdOptions) {
  const read = (file: string | undefined) =>
    file === undefined ? undefined : readFileSync(file, 'utf8');
  return {
    privateKey: read(tls.privateKey),
    certificate: read(tls.certificate),
    caCert: tls.caCert === 'none' ? 'none' : read(tls.caCert),
  };
}
