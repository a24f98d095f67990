import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { controlSocketPath, directories } from '../../src/daemon/directories.ts';
import { parseDaemonArguments } from '../../src/daemon/options.ts';

beforeEach(() => {
  vi.stubEnv('OVS_RUNDIR', '/run/x');
  vi.stubEnv('OVS_LOGDIR', '/log/x');
  vi.stubEnv('OVS_SYSLOG_METHOD', undefined);
});
afterEach(() => vi.unstubAllEnvs());

const parse = (...argv: string[]) =>
  parseDaemonArguments('sampled', argv, [{ name: 'remote', argument: 'required' }]);

describe('the options of a daemon', () => {
  it('are all off unless given', () => {
    expect(parse('conf.db')).toEqual({
      daemon: {
        ...{ detach: false, chdir: true, monitor: false, pidfile: undefined },
        ...{ overwritePidfile: false, user: undefined, unixctl: undefined },
      },
      log: { verbose: [], file: undefined, syslogMethod: 'libc', syslogTarget: undefined },
      own: [],
      positionals: ['conf.db'],
    });
  });

  it('resolve names of files, a pidfile in the run directory, a log file where we are', () => {
    expect(parse('--pidfile').daemon.pidfile).toBe('/run/x/sampled.pid');
    expect(parse('--pidfile=y.pid').daemon.pidfile).toBe('/run/x/y.pid');
    expect(parse('--pidfile=/z/y.pid').daemon.pidfile).toBe('/z/y.pid');
    expect(parse('--log-file').log.file).toBe('/log/x/sampled.log');
    expect(parse('--log-file=y.log').log.file).toBe(`${process.cwd()}/y.log`);
    const socket = `/run/x/sampled.${process.pid}.ctl`;
    expect(controlSocketPath('sampled')).toBe(socket);
    expect(controlSocketPath('sampled', 'y.ctl')).toBe('/run/x/y.ctl');
    expect(controlSocketPath('sampled', 'none')).toBeUndefined();
  });

  it('are separated from those of the one daemon', () => {
    const { daemon, log, own } = parse(
      ...['--detach', '--no-chdir', '--monitor', '--overwrite-pidfile', '--user=a:b'],
      ...['--unixctl', 'y.ctl', '-vdbg', '--remote=punix:s', '--verbose', '--no-self-confinement'],
      ...['--syslog-method=null', '--syslog-target=[::1]:514'],
    );
    expect(daemon).toMatchObject({ detach: true, chdir: false, monitor: true, user: 'a:b' });
    expect(daemon).toMatchObject({ overwritePidfile: true, unixctl: 'y.ctl' });
    expect(log.verbose).toEqual(['dbg', '']);
    expect(log).toMatchObject({ syslogMethod: 'null', syslogTarget: '[::1]:514' });
    expect(own).toEqual([{ name: 'remote', value: 'punix:s' }]);
  });
});

describe('the directories', () => {
  it("are Debian's, unless the environment moves them", () => {
    expect(directories({ OVS_RUNDIR: '' })).toEqual({
      ...{ run: '/var/run/openvswitch', log: '/var/log/openvswitch', db: '/etc/openvswitch' },
      ...{ sysconf: '/etc', pkgData: '/usr/share/openvswitch' },
    });
    expect(directories({ OVS_SYSCONFDIR: '/x', OVS_PKGDATADIR: '/y' })).toMatchObject({
      ...{ db: '/x/openvswitch', sysconf: '/x', pkgData: '/y' },
    });
    expect(directories({ OVS_SYSCONFDIR: '/x', OVS_DBDIR: '/z' }).db).toBe('/z');
  });
});
