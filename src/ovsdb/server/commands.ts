/**
 * ovs-appctl's commands to ovsdb-server: ovsdb-server(1), "Runtime Management
 * Commands". Texts are stock's.
 */
import { TapflowError } from '../../lib/error.ts';
import { versionLine } from '../../lib/version.ts';
import type { Command } from '../../unixctl/command-table.ts';
import type { HostedDatabase } from './hosted-database.ts';
import { memoryUsage } from './memory-usage.ts';
import { PROGRAM } from './options.ts';
import type { Service } from './service.ts';

export function serverCommands(service: Service, stop: () => void): Command[] {
  const { server, remotes } = service;
  return [
    command('exit', '', () => done(stop)),
    command('version', '', () => versionLine(PROGRAM)),
    command('memory/show', '', () => memoryUsage(server)),
    command('coverage/show', '', () => server.coverage.text()),
    command('ovsdb-server/add-remote', 'REMOTE', ([remote]) => after(remotes.add(remote))),
    command('ovsdb-server/remove-remote', 'REMOTE', ([remote]) => after(remotes.remove(remote))),
    command('ovsdb-server/list-remotes', '', () => lines(remotes.names)),
    command('ovsdb-server/add-db', 'DB', ([file]) => after(service.addDatabase(file))),
    command('ovsdb-server/remove-db', 'DB', ([name]) => after(service.removeDatabase(name))),
    command('ovsdb-server/list-dbs', '', () => lines([...server.databases.keys()].sort())),
    command('ovsdb-server/get-db-storage-status', 'DB', ([name]) => storageStatus(service, name)),
    command('ovsdb-server/reconnect', '', () =>
      done(() => server.reconnect('user ran ovsdb-server/reconnect', 'all')),
    ),
    {
      ...command('ovsdb-server/compact', '', ([name]) => after(service.compact(name))),
      maxArgs: 1,
    },
    command('ovsdb-server/sync-status', '', () => 'state: active'),
  ];
}

/** With as many arguments as its usage has words. */
function command(name: string, usage: string, run: Command['run']): Command {
  const count = usage === '' ? 0 : 1;
  return { name, usage, minArgs: count, maxArgs: count, run };
}

function done(act: () => void): string {
  act();
  return '';
}

async function after(act: Promise<void>): Promise<string> {
  await act;
  return '';
}

const lines = (names: readonly string[]): string => names.map((name) => `${name}\n`).join('');

function storageStatus({ server }: Service, name: string): string {
  const database: HostedDatabase | undefined = server.databases.get(name);
  if (database === undefined) {
    throw new TapflowError('NO_DATABASE', 'Failed to find the database.');
  }
  return database.failure === undefined ? 'status: ok' : `status: ${database.failure}`;
}
