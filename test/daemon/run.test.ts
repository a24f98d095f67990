/** Real processes: the sample daemon is started, stopped and killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HAS_APPCTL, isAlive, parentOf, procFile, Sandbox, SCRIPT, until } from './sample.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.close());

const stop = async (pid: number) => {
  process.kill(pid, 'SIGTERM');
  await until(() => !isAlive(pid));
};

describe('a daemon in the foreground', () => {
  it('is named in its pidfile while it runs, and stops cleanly by SIGTERM', async () => {
    const { child, outcome } = sandbox.start('--pidfile');
    expect(await sandbox.pid()).toBe(child.pid);
    expect(procFile(Number(child.pid), 'comm')).toBe('sampled\n');
    await until(() => isListening(Number(child.pid)));
    child.kill('SIGTERM');
    const { code, stderr } = await outcome;
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\|00001\|sample\|INFO\|up\n.*\|00002\|sample\|INFO\|ready\n.*\|00003\|fatal_signal\|WARN\|terminating with signal 15 \(Terminated\)\n$/,
    );
    expect(sandbox.read('sampled.pid')).toBe('');
  });

  it('says why it cannot start, with its name, and leaves no pidfile', async () => {
    const { code, stderr } = await sandbox.start('--pidfile', '--fail=no luck').outcome;
    expect([code, stderr]).toEqual([1, 'sampled: no luck\n']);
    expect(sandbox.read('sampled.pid')).toBe('');
  });

  it('tells who started it with a channel that it is ready, and ends with the channel', async () => {
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const;
    const options = { env: sandbox.env, stdio: [...stdio] };
    const child = spawn(process.execPath, [SCRIPT, '--pidfile'], options);
    await once(child, 'message');
    expect(await sandbox.pid()).toBe(child.pid);
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(sandbox.read('sampled.pid')).toBe('');
  });

  it('names a bad -v', async () => {
    const { code, stderr } = await sandbox.start('-vsample:loud').outcome;
    const reason = 'processing "sample:loud": no destination, level, or module "loud"';
    expect([code, stderr]).toEqual([1, `sampled: ${reason}\n`]);
  });
});

const isListening = (pid: number) =>
  existsSync(sandbox.file(`sampled.${pid}.ctl`)) && sandbox.read('sampled.pid') !== '';

describe('--detach', () => {
  it('returns when the daemon is ready, which has let go of terminal and directory', async () => {
    const { outcome, child } = sandbox.start('--detach', '--pidfile', '--slow=100');
    const { code, stderr, stdout } = await outcome;
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^\S+\|00001\|sample\|INFO\|up\n$/);
    const pid = await sandbox.pid();
    expect(pid).not.toBe(child.pid);
    await until(() => readlinkSync(`/proc/${pid}/cwd`) === '/');
    expect(procFile(pid, 'stat').split(' ')[5]).toBe(String(pid));
    await stop(pid);
    expect(sandbox.read('sampled.pid')).toBe('');
  });

  it('stays in its directory with --no-chdir', async () => {
    await sandbox.start('--detach', '--no-chdir', '--pidfile').outcome;
    expect(readlinkSync(`/proc/${await sandbox.pid()}/cwd`)).toBe(sandbox.directory);
  });

  it('hands on why the daemon did not start', async () => {
    const { code, stderr } = await sandbox.start('--detach', '--fail=no luck').outcome;
    expect([code, stderr]).toEqual([1, 'sampled: no luck\n']);
  });

  it('hands on its exit code', async () => {
    const { code, stderr } = await sandbox.start('--detach', '--monitor', '--exit=7').outcome;
    expect([code, stderr]).toEqual([7, '']);
  });

  it('tells of a signal that ended it too early', async () => {
    const { code, stderr } = await sandbox.start('--detach', '--die=SIGKILL').outcome;
    expect(code).toBe(1);
    expect(stderr).toMatch(/\|daemon_unix\|ERR\|fork child died before signaling startup \(killed/);
    expect(stderr).toContain('sampled: could not detach from foreground session\n');
  });
});

describe('the pidfile', () => {
  it('keeps a second daemon from starting', async () => {
    await sandbox.start('--detach', '--pidfile').outcome;
    const pid = await sandbox.pid();
    const { code, stderr } = await sandbox.start('--detach', '--pidfile').outcome;
    const reason = `${sandbox.pidfile}: already running as pid ${pid}, aborting`;
    expect([code, stderr]).toEqual([1, `sampled: ${reason}\n`]);
    expect(isAlive(pid)).toBe(true);
    expect(await sandbox.pid()).toBe(pid);
  });

  it('of a daemon that was killed is replaced', async () => {
    await sandbox.start('--detach', '--pidfile').outcome;
    const first = await sandbox.pid();
    process.kill(first, 'SIGKILL');
    await until(() => !isAlive(first));
    expect(await sandbox.pid()).toBe(first);
    expect((await sandbox.start('--detach', '--pidfile').outcome).code).toBe(0);
    expect(await sandbox.pid()).not.toBe(first);
  });

  it('that is no pidfile at all is replaced', async () => {
    writeFileSync(sandbox.pidfile, 'garbage');
    expect((await sandbox.start('--detach', '--pidfile').outcome).code).toBe(0);
    expect(isAlive(await sandbox.pid())).toBe(true);
  });

  it('is taken over with --overwrite-pidfile, and left by its former owner', async () => {
    await sandbox.start('--detach', '--pidfile').outcome;
    const first = await sandbox.pid();
    await sandbox.start('--detach', '--pidfile', '--overwrite-pidfile').outcome;
    const second = await sandbox.pid();
    expect(second).not.toBe(first);
    await stop(first);
    expect(await sandbox.pid()).toBe(second);
  });

  it('goes to exactly one of several that start at once', async () => {
    const all = Array.from({ length: 4 }, () => sandbox.start('--pidfile', '--slow=100'));
    const losers = new Set<number>();
    all.forEach(({ outcome }, index) => {
      void outcome.then(() => losers.add(index));
    });
    await until(() => losers.size === 3);
    const winner = all.findIndex((_, index) => !losers.has(index));
    expect(await sandbox.pid()).toBe(all[winner].child.pid);
    for (const index of losers) {
      const { code, stderr } = await all[index].outcome;
      expect(code).toBe(1);
      expect(stderr).toMatch(/already running as pid \d+, aborting|fcntl\(F_SETLK\) failed/);
    }
    process.kill(await sandbox.pid(), 'SIGTERM');
    expect((await all[winner].outcome).code).toBe(0);
  });

  it('that cannot be made is told', async () => {
    const { code, stderr } = await sandbox.start('--pidfile=missing/x.pid').outcome;
    const file = sandbox.file('missing/x.pid.tmp');
    expect(code).toBe(1);
    expect(stderr).toBe(`sampled: ${file}: create failed (No such file or directory)\n`);
  });
});

describe('--monitor', () => {
  const monitored = async () => {
    const { code } = await sandbox.start('--detach', '--monitor', '--pidfile', '--log-file')
      .outcome;
    expect(code).toBe(0);
    const pid = await sandbox.pid();
    return { pid, monitor: parentOf(pid) };
  };
  const title = (monitor: number) => procFile(monitor, 'cmdline').replace(/\0.*/s, '');
  const restarted = async (before: number) => {
    await until(() => ![0, before].includes(Number(sandbox.read('sampled.pid'))));
    return sandbox.pid();
  };

  it('shows health in its title, and restarts what a bug ended', async () => {
    const { pid, monitor } = await monitored();
    await until(() => title(monitor) === `sampled: monitoring pid ${pid} (healthy)`);
    process.kill(pid, 'SIGSEGV');
    const second = await restarted(pid);
    expect(parentOf(second)).toBe(monitor);
    expect(title(monitor)).toBe(
      `sampled: monitoring pid ${second} (1 crashes: pid ${pid} died, killed (Segmentation fault))`,
    );
    expect(sandbox.read('sampled.log')).toMatch(
      /\|daemon_unix\(monitor\)\|ERR\|1 crashes: pid \d+ died, killed \(Segmentation fault\), restarting\n/,
    );
    await stop(second);
    await until(() => !isAlive(monitor));
  });

  it.skipIf(!HAS_APPCTL)(
    'restarts after an exception that nobody caught, which is in the log',
    async () => {
      const { pid, monitor } = await monitored();
      await sandbox.appctl('-t', 'sampled', 'bug');
      const second = await restarted(pid);
      expect(parentOf(second)).toBe(monitor);
      expect(sandbox.read('sampled.log')).toMatch(
        /\|sampled\|EMER\|uncaught exception: SyntaxError: .*JSON/,
      );
    },
  );

  it('waits with the next restart, and gives up when asked to', async () => {
    const { pid, monitor } = await monitored();
    process.kill(pid, 'SIGABRT');
    const second = await restarted(pid);
    process.kill(second, 'SIGABRT');
    await until(() => sandbox.read('sampled.log').includes('waiting until 10 seconds since last'));
    await stop(monitor);
  });

  it('ends with a daemon that was killed on purpose', async () => {
    const { pid, monitor } = await monitored();
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(monitor));
    expect(sandbox.read('sampled.log')).toContain(
      `|daemon_unix(monitor)|INFO|pid ${pid} died, killed (Killed), exiting\n`,
    );
  });

  it('stops the daemon when it is stopped itself', async () => {
    const { pid, monitor } = await monitored();
    await stop(monitor);
    expect(isAlive(pid)).toBe(false);
    expect(sandbox.read('sampled.pid')).toBe('');
  });

  it('works in the foreground', async () => {
    const { child, outcome } = sandbox.start('--monitor', '--pidfile');
    const pid = await sandbox.pid();
    expect(parentOf(pid)).toBe(child.pid);
    await until(() => isListening(pid));
    process.kill(pid, 'SIGTERM');
    expect((await outcome).code).toBe(0);
  });
});

describe('the log file', () => {
  it.skipIf(!HAS_APPCTL)(
    'has lines as stock writes them, and goes on after a rotation',
    async () => {
      const { outcome, child } = sandbox.start('--pidfile', '--log-file', '-vconsole:off', '-vdbg');
      await until(() => isListening(Number(child.pid)));
      renameSync(sandbox.file('sampled.log'), sandbox.file('sampled.log.1'));
      await sandbox.appctl('-t', 'sampled', 'vlog/reopen');
      child.kill('SIGTERM');
      await outcome;
      const line = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|\d{5}\|[a-z_]+\|(INFO|DBG|WARN)\|.+$/;
      const old = sandbox.read('sampled.log.1').trimEnd().split('\n');
      const now = sandbox.read('sampled.log').trimEnd().split('\n');
      for (const each of [...old, ...now]) expect(each).toMatch(line);
      expect(old[0]).toContain(`|00001|vlog|INFO|opened log file ${sandbox.file('sampled.log')}`);
      expect(old.at(-1)).toContain('|vlog|INFO|closing log file');
      expect(now[0]).toContain('|vlog|INFO|opened log file');
    },
  );

  it('that cannot be opened is told, and the daemon runs', async () => {
    const { child, outcome } = sandbox.start('--pidfile', '--log-file=missing/x.log');
    await until(() => isListening(Number(child.pid)));
    child.kill('SIGTERM');
    const { code, stderr } = await outcome;
    expect(code).toBe(0);
    expect(stderr).toContain(
      `|vlog|WARN|failed to open ${sandbox.file('missing/x.log')} for logging: No such file or directory\n`,
    );
  });
});

describe.skipIf(process.getuid?.() !== 0)('--user', () => {
  it('runs as that user with the capabilities for devices', async () => {
    const directory = sandbox.file('of-daemon');
    const prepared = sandbox.spawn('install', ['-d', '-o', 'daemon', '-m', '755', directory]);
    expect((await prepared.outcome).code).toBe(0);
    await sandbox.spawn('chmod', ['755', sandbox.directory]).outcome;
    const pidfile = `${directory}/x.pid`;
    const { code, stderr } = await sandbox.start(
      ...['--detach', '--user=daemon', '--log-file', `--pidfile=${pidfile}`],
      `--unixctl=${directory}/x.ctl`,
    ).outcome;
    expect([code, stderr.match(/failed|cannot/)]).toEqual([0, null]);
    const pid = await sandbox.pid('of-daemon/x.pid');
    expect(procFile(pid, 'status')).toMatch(/^Uid:\s+1\s+1\s+1\s+1$/m);
    // ipc_lock, net_raw, net_admin, net_broadcast, net_bind_service: bits 14 to 10.
    expect(procFile(pid, 'status')).toMatch(/^CapEff:\s+0*7c00$/m);
    expect(sandbox.read('sampled.log')).toContain('|sample|INFO|up\n');
    await stop(pid);
  });

  it('names a user that does not exist', async () => {
    const { code, stderr } = await sandbox.start('--user=nobody-at-all').outcome;
    expect([code, stderr]).toEqual([1, 'sampled: user nobody-at-all not found, aborting.\n']);
  });
});

describe.skipIf(!HAS_APPCTL)('stock ovs-appctl', () => {
  it('finds the daemon by its name', async () => {
    expect(await sandbox.start('--detach', '--pidfile').outcome).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await sandbox.appctl('-t', 'sampled', 'vlog/list');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^sample +OFF +INFO +INFO$/m);
    const pid = await sandbox.pid();
    expect((await sandbox.appctl('-t', 'sampled', 'exit')).code).toBe(0);
    await until(() => !isAlive(pid));
  });
});
