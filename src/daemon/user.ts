/**
 * --user: the daemon runs as another user with the few capabilities that it
 * needs.
 *
 * Capabilities are per thread and Node cannot set them, so a daemon does not
 * change itself; it is started anew through setpriv(1) of util-linux, with
 * ambient capabilities, which all of its threads have from the start.
 */
import { execFileSync } from 'node:child_process';
import { TapflowError } from '../lib/error.ts';

export interface User {
  uid: number;
  gid: number;
}

/**
 * @param spec USER, USER:GROUP or :GROUP
 * @throws TapflowError NO_USER, in stock's words
 */
export function resolveUser(spec: string): User {
  if (process.getuid?.() !== 0) throw noUser(`only root can use --user option`);
  const [, name, groupName] = /^([^:]*)(?::(.*))?$/s.exec(spec) ?? [];
  const user = findUser(name || 'root');
  if (!groupName) return user;
  const { gid, members } = findGroup(groupName);
  if (gid !== user.gid && !members.includes(name || 'root')) {
    throw noUser(
      `Invalid --user option ${spec} (user ${name || 'root'} is not in group ${groupName}), aborting.`,
    );
  }
  return { uid: user.uid, gid };
}

/** The command that runs another as that user. @param isDatapath whether it opens network devices */
export function asUser({ uid, gid }: User, isDatapath: boolean): string[] {
  const capabilities = ['ipc_lock', 'net_bind_service'];
  if (isDatapath) capabilities.push('net_admin', 'net_broadcast', 'net_raw');
  const added = capabilities.map((name) => `+${name}`).join(',');
  return [
    ...['setpriv', '--clear-groups', `--reuid=${uid}`, `--regid=${gid}`],
    ...[`--inh-caps=-all,${added}`, `--ambient-caps=-all,${added}`, '--'],
  ];
}

function findUser(name: string): User {
  const [, , uid, gid] = lookUp('passwd', name) ?? [];
  if (uid === undefined) throw noUser(`user ${name} not found, aborting.`);
  return { uid: Number(uid), gid: Number(gid) };
}

function findGroup(name: string): { gid: number; members: string[] } {
  const [, , gid, members = ''] = lookUp('group', name) ?? [];
  if (gid === undefined) throw noUser(`group ${name} not found, aborting.`);
  return { gid: Number(gid), members: members.split(',') };
}

/** getent asks what libc would: files, LDAP and so on. */
function lookUp(database: string, name: string): string[] | undefined {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const line = execFileSync('getent', [database, '--', name], {
      encoding: 'utf8',
      stdio: [...stdio],
    });
    return line.trimEnd().split(':');
  } catch {
    return undefined;
  }
}

const noUser = (message: string): TapflowError => new TapflowError('NO_USER', message);
