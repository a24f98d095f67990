import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RateLimit } from '../../src/daemon/rate-limit.ts';
import { openSyslog, openSyslogTarget } from '../../src/daemon/syslog.ts';
import { Vlog } from '../../src/daemon/vlog.ts';
import { vlogCommands } from '../../src/daemon/vlog-commands.ts';
import { ManualClock } from '../../src/lib/clock.ts';

let clock: ManualClock;
let written: string[];
let vlog: Vlog;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'tapflow-vlog-'));
  clock = new ManualClock();
  written = [];
  vlog = new Vlog({
    program: 'sampled',
    modules: ['jsonrpc', 'sample'],
    clock,
    wallClock: () => new Date(Date.UTC(2026, 10, 22, 21, 5, 9, 7)),
    writeConsole: (text) => void written.push(text),
  });
});
afterEach(() => {
  vlog.closeFile();
  rmSync(directory, { recursive: true });
});

const sample = () => vlog.module('sample');
const run = (name: string, ...args: string[]) =>
  vlogCommands(vlog)
    .find((command) => command.name === name)
    ?.run(args);
const lineWith = (pattern: string, message = 'm') => {
  vlog.set(`PATTERN:console:${pattern}`);
  sample().warn(message);
  return written.at(-1);
};

describe('a message', () => {
  it('goes to the console in the stock format', () => {
    sample().info('hello\n\n');
    vlog.module('jsonrpc').err('bad');
    expect(written).toEqual([
      '2026-11-22T21:05:09Z|00001|sample|INFO|hello\n',
      '2026-11-22T21:05:09Z|00002|jsonrpc|ERR|bad\n',
    ]);
  });

  it('below the level of each destination is not made, nor numbered', () => {
    sample().dbg('hidden');
    expect(sample().isEnabled('dbg')).toBe(false);
    vlog.set('sample:console:dbg');
    sample().dbg('shown');
    vlog.module('jsonrpc').dbg('hidden');
    expect(written).toEqual(['2026-11-22T21:05:09Z|00001|sample|DBG|shown\n']);
  });

  it('is silenced everywhere by off', () => {
    vlog.set('off');
    sample().emer('the end');
    expect(written).toEqual([]);
  });

  it.each([
    ['%A %c %p %m %%', 'sampled sample WARN m %\n'],
    ['[%5p][%-5p][%08N][%-03N][%2c]', '[ WARN][WARN ][00000001][100][sample]\n'],
    ['%P|%E|%B', `${process.pid}|${hostname()}|132\n`],
    ['%D', '2026-11-22 21:05:09.007\n'],
    ['%D{%H.##}%n%D{x', '21.00\nx\n'],
    ['%r %t%T', '1500 main\n'],
    ['%y%', 'y\n'],
    ['%c{ignored}!', 'sample!\n'],
    ['', '\n'],
  ])('is written by the pattern %j', (pattern, line) => {
    clock.advance(1500.5);
    expect(lineWith(pattern)).toBe(line);
  });

  it('names the subprogram', () => {
    vlog.subprogram = 'monitor';
    expect(lineWith('%t%T')).toBe('monitor(monitor)\n');
  });

  it('carries the facility that was set in %B', () => {
    vlog.set('FACILITY:local7');
    expect(lineWith('%B')).toBe('188\n');
  });
});

describe('vlog/set', () => {
  it.each([
    ['nonsense', 'no destination, level, or module "nonsense"'],
    ['dbg,info', 'cannot specify multiple levels'],
    ['file console', 'cannot specify multiple destinations'],
    ['sample:jsonrpc', 'cannot specify multiple modules'],
    ['PATTERN', 'missing destination'],
    ['pattern:disk:%m', 'unknown destination "disk"'],
    ['FACILITY:disk', 'invalid facility'],
    ['FACILITY', 'invalid facility'],
  ])('refuses %j', (spec, message) => {
    expect(() => run('vlog/set', spec)).toThrow(message);
  });

  it('takes words in any order and case, and ANY for nothing', () => {
    run('vlog/set', 'ANY WARN,File:\tSample');
    expect(sample().levels).toEqual({ syslog: 'info', console: 'info', file: 'warn' });
    run('vlog/set', 'any:any:err', 'jsonrpc:off');
    expect(sample().levels).toEqual({ syslog: 'err', console: 'err', file: 'err' });
    expect(vlog.module('jsonrpc').levels.console).toBe('off');
  });

  it('without arguments sets all to dbg', () => {
    run('vlog/set');
    expect(sample().levels).toEqual({ syslog: 'dbg', console: 'dbg', file: 'dbg' });
  });

  it('takes a pattern for one destination or for any, as it stands', () => {
    run('vlog/set', 'PATTERN:any:a: b,%m');
    run('vlog/set', 'pattern file :x');
    expect(run('vlog/list-pattern')).toBe(
      [
        '         prefix                            format',
        '         ------                            ------',
        'SYSLOG   none                              a: b,%m',
        'CONSOLE  none                              a: b,%m',
        'FILE     none                              :x',
        '',
      ].join('\n'),
    );
  });
});

describe('vlog/list', () => {
  it('has a line for each module, sorted, with levels and remarks', () => {
    vlog.set('jsonrpc:console:off');
    vlog.set('jsonrpc:file:emer');
    run('vlog/disable-rate-limit', 'SAMPLE');
    expect(run('vlog/list')).toBe(
      [
        '                 console    syslog    file',
        '                 -------    ------    ------',
        'jsonrpc            OFF       INFO       EMER',
        'sample            INFO       INFO       INFO    (rate limiting disabled)',
        'vlog              INFO       INFO       INFO',
        '',
      ].join('\n'),
    );
  });
});

describe('rate limits', () => {
  it('let a burst pass, then a steady rate, and tell what they dropped', () => {
    const limit = new RateLimit(6, 2);
    for (let i = 0; i < 5; i++) sample().warn(`m${i}`, limit);
    clock.advance(7000);
    sample().warn('dropped too', limit);
    clock.advance(3000);
    sample().warn('passes', limit);
    expect(written.map((line) => line.split('|').at(-1))).toEqual([
      'm0\n',
      'm1\n',
      'Dropped 4 log messages in last 10 seconds (most recently, 3 seconds ago) due to excessive rate\n',
      'passes\n',
    ]);
  });

  it('never pass more than rate and burst allow, however time goes', () => {
    const limit = new RateLimit(60, 10);
    let passed = 0;
    for (let i = 0; i < 1000; i++) {
      if (limit.admit(clock.now())) passed++;
      clock.advance(17);
    }
    expect(passed).toBe(10 + 16);
  });

  it('do not count what is not logged anyway', () => {
    const limit = new RateLimit(1, 1);
    for (let i = 0; i < 5; i++) sample().dbg('hidden', limit);
    sample().info('shown', limit);
    expect(written).toHaveLength(1);
  });

  it('are off and on by command, for a module or for all', () => {
    const limit = new RateLimit(1, 1);
    const burst = () => {
      const before = written.length;
      for (let i = 0; i < 3; i++) sample().warn('m', limit);
      return written.length - before;
    };
    expect(burst()).toBe(1);
    run('vlog/disable-rate-limit', 'sample');
    expect(burst()).toBe(3);
    run('vlog/enable-rate-limit');
    expect(burst()).toBe(0);
    run('vlog/disable-rate-limit', 'any');
    expect(burst()).toBe(3);
    expect(() => run('vlog/enable-rate-limit', 'nonsense')).toThrow('unknown module');
  });
});

describe('the log file', () => {
  const file = () => path.join(directory, 'sampled.log');
  const text = (name = file()) =>
    readFileSync(name, 'utf8').replaceAll('2026-11-22T21:05:09.007Z|', '');

  it('is opened, rotated and closed', () => {
    vlog.openFile(file());
    run('vlog/reopen');
    sample().warn('one');
    renameSync(file(), `${file()}.1`);
    run('vlog/reopen');
    sample().warn('two');
    run('vlog/close');
    sample().warn('lost');
    expect(text(`${file()}.1`)).toBe(
      `00001|vlog|INFO|opened log file ${file()}\n00002|sample|WARN|one\n00003|vlog|INFO|closing log file\n`,
    );
    expect(text()).toBe(`00004|vlog|INFO|opened log file ${file()}\n00005|sample|WARN|two\n`);
    run('vlog/reopen');
    expect(text()).toContain(`00007|vlog|INFO|opened log file ${file()}\n`);
  });

  it('has no part in deciding whether to log while it is not open', () => {
    vlog.set('off');
    vlog.set('file:dbg');
    expect(sample().isEnabled('err')).toBe(false);
    vlog.openFile(file());
    expect(sample().isEnabled('dbg')).toBe(true);
  });

  it('cannot be reopened when there was none', () => {
    expect(() => run('vlog/reopen')).toThrow('Logging to file not configured');
  });

  it('that cannot be reopened leaves the old one in use', () => {
    vlog.openFile(file());
    renameSync(directory, `${directory}.moved`);
    expect(() => run('vlog/reopen')).toThrow('No such file or directory');
    renameSync(`${directory}.moved`, directory);
    sample().warn('still here');
    expect(text()).toContain('|sample|WARN|still here\n');
  });

  it('does not mind a full disk', () => {
    vlog.openFile('/dev/full');
    expect(() => sample().warn('lost')).not.toThrow();
  });
});

describe('syslog', () => {
  it('gets each line as a datagram, with a header', async () => {
    const server = createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    vlog.syslogs = [openSyslog('null'), openSyslogTarget(`127.0.0.1:${server.address().port}`)];
    const received: string[] = [];
    server.on('message', (message) => received.push(message.toString()));
    sample().warn('one\ntwo');
    while (received.length < 2) await once(server, 'message');
    server.close();
    const header = `<132>1 2026-11-22T21:05:09.007Z ${hostname()} sampled ${process.pid} sample - \ufeff`;
    expect(received).toEqual([`${header}ovs|00001|sample|WARN|one`, `${header}two`]);
  });

  it('is a unix socket, and found again when it has been made anew', async () => {
    const socket = path.join(directory, 'log');
    vlog.syslogs = [openSyslog(`unix:${socket}`)];
    sample().warn('nobody listens');
    for (const message of ['once', 'again']) {
      const listener = spawn('python3', ['-c', PRINT_ONE_DATAGRAM, socket]);
      const output: string[] = [];
      listener.stdout.on('data', (text) => output.push(String(text)));
      await once(listener.stdout, 'data');
      sample().warn(message);
      await once(listener, 'close');
      expect(output.join('')).toMatch(
        new RegExp(`<132>ovs\\|0000\\d\\|sample\\|WARN\\|${message}$`),
      );
    }
  });

  it.each(['carrier-pigeon', 'udp:localhost:514', 'udp:127.0.0.1', 'udp:127.0.0.1:99999'])(
    'refuses the method %s',
    (method) => {
      expect(() => openSyslog(method)).toThrow(/was expected|unsupported syslog method/);
    },
  );
});

/** Node has no datagram sockets of this kind. */
const PRINT_ONE_DATAGRAM = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('ready', flush=True)
sys.stdout.write(s.recv(4096).decode())
os.unlink(sys.argv[1])
`;
