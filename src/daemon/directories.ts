/**
 * Where Open vSwitch's programs keep their files: the directories that Debian
 * builds in, each moved by an environment variable of the stock name, and the
 * files that are found there by their name alone.
 *
 * A variable that is set but empty counts as unset. OVS_DBDIR's default hangs
 * off OVS_SYSCONFDIR, as in stock.
 */
import path from 'node:path';

export interface Directories {
  /** OVS_RUNDIR: sockets and pidfiles. */
  run: string;
  /** OVS_LOGDIR */
  log: string;
  /** OVS_DBDIR: conf.db. */
  db: string;
  /** OVS_SYSCONFDIR */
  sysconf: string;
  /** OVS_PKGDATADIR: the schema files. */
  pkgData: string;
}

export function directories(env: NodeJS.ProcessEnv = process.env): Directories {
  const sysconf = env.OVS_SYSCONFDIR || '/etc';
  return {
    run: env.OVS_RUNDIR || '/var/run/openvswitch',
    log: env.OVS_LOGDIR || '/var/log/openvswitch',
    db: env.OVS_DBDIR || path.join(sysconf, 'openvswitch'),
    sysconf,
    pkgData: env.OVS_PKGDATADIR || '/usr/share/openvswitch',
  };
}

/** @param name as given to --pidfile: relative to the run directory; undefined: the default */
export function pidfilePath(program: string, name?: string): string {
  return path.resolve(directories().run, name ?? `${program}.pid`);
}

/** @param name as given to --log-file: relative to where we are; undefined: the default */
export function logFilePath(program: string, name?: string): string {
  return path.resolve(name ?? path.join(directories().log, `${program}.log`));
}

/**
 * @param name as given to --unixctl, relative to the run directory; undefined: the default,
 *   which is where `ovs-appctl -t PROGRAM` looks, for this very process
 * @returns undefined for `none`: no control socket
 */
export function controlSocketPath(program: string, name?: string): string | undefined {
  if (name === 'none') return undefined;
  return path.resolve(directories().run, name ?? `${program}.${process.pid}.ctl`);
}
