/** The commands of ovsdb-client. Each is loaded when it is called. */
import type { Command } from './command.ts';

const ANY = Number.POSITIVE_INFINITY;

export const COMMANDS: readonly Command[] = [
  schemaCommand('list-dbs', 'server', 0, 0, 'listDbs'),
  schemaCommand('get-schema', 'database', 0, 0, 'getSchema'),
  schemaCommand('get-schema-version', 'database', 0, 0, 'getSchemaVersion'),
  schemaCommand('get-schema-cksum', 'database', 0, 0, 'getSchemaCksum'),
  schemaCommand('list-tables', 'database', 0, 0, 'listTables'),
  schemaCommand('list-columns', 'database', 0, 1, 'listColumns'),
  schemaCommand('needs-conversion', 'server', 1, 1, 'needsConversion'),
  schemaCommand('convert', 'server', 1, 1, 'convert'),
  dataCommand('transact', 'server', 1, 1, 'transact'),
  dataCommand('query', 'server', 1, 1, 'query'),
  dataCommand('dump', 'database', 0, ANY, 'dump'),
  {
    name: 'backup',
    needs: 'database',
    minArgs: 0,
    maxArgs: 0,
    handler: async () => (await import('./backup.ts')).backup,
  },
  {
    name: 'restore',
    needs: 'database',
    minArgs: 0,
    maxArgs: 0,
    handler: async () => (await import('./restore.ts')).restore,
  },
  monitorCommand('monitor', 1, ANY, 'monitor'),
  monitorCommand('monitor-cond', 2, 3, 'monitorCond'),
  monitorCommand('monitor-cond-since', 2, 4, 'monitorCondSince'),
  lockCommand('lock'),
  lockCommand('steal'),
  lockCommand('unlock'),
];

type Needs = Command['needs'];

function schemaCommand(
  name: string,
  needs: Needs,
  minArgs: number,
  maxArgs: number,
  handler: keyof typeof import('./schema-commands.ts'),
): Command {
  const load = async () => (await import('./schema-commands.ts'))[handler];
  return { name, needs, minArgs, maxArgs, handler: load };
}

function dataCommand(
  name: string,
  needs: Needs,
  minArgs: number,
  maxArgs: number,
  handler: 'transact' | 'query' | 'dump',
): Command {
  const load = async () => (await import('./data-commands.ts'))[handler];
  return { name, needs, minArgs, maxArgs, handler: load };
}

function monitorCommand(
  name: string,
  minArgs: number,
  maxArgs: number,
  handler: keyof typeof import('./monitor.ts'),
): Command {
  const load = async () => (await import('./monitor.ts'))[handler];
  return { name, needs: 'database', minArgs, maxArgs, isLasting: true, handler: load };
}

function lockCommand(name: 'lock' | 'steal' | 'unlock'): Command {
  const load = async () => (await import('./lock.ts')).lockHandler(name);
  return { name, needs: 'server', minArgs: 1, maxArgs: 1, isLasting: true, handler: load };
}
