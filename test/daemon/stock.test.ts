/** The log's commands beside those of a stock ovsdb-server: the same requests, the same answers. */
import { existsSync, renameSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_APPCTL, Sandbox, until } from './sample.ts';

const STOCK = '/usr/sbin/ovsdb-server';
const sandboxes: Sandbox[] = [];
let ours: Sandbox;
let stock: Sandbox;

beforeAll(() => {
  if (!HAS_APPCTL) return;
  ours = opened();
  stock = opened();
  ours.start('--pidfile', '--log-file', '--unixctl=x.ctl');
  stock.spawn(STOCK, ['--no-dbs', '--pidfile', '--log-file', '--unixctl=x.ctl']);
  return until(() => sandboxes.every((each) => existsSync(each.file('x.ctl'))));
});
afterAll(async () => {
  for (const each of sandboxes) await each.close();
});

function opened(): Sandbox {
  const sandbox = new Sandbox();
  sandboxes.push(sandbox);
  return sandbox;
}

/** Ours and stock's, with what must differ made the same. */
async function both(...request: string[]): Promise<[string, string]> {
  const outcomes = await Promise.all(
    [ours, stock].map((each) => each.appctl('-t', each.file('x.ctl'), ...request)),
  );
  const [a, b] = outcomes.map(({ code, stdout, stderr }) => `${code}\n${stdout}${stderr}`);
  return [plain(a, ours), plain(b, stock)];
}

const plain = (text: string, { directory }: Sandbox): string =>
  text.replaceAll(directory, 'DIR').replaceAll('sampled', 'ovsdb-server');

async function expectSame(...request: string[]): Promise<string> {
  const [a, b] = await both(...request);
  expect(a).toBe(b);
  return a;
}

const logOf = (sandbox: Sandbox, program: string) => plain(sandbox.read(`${program}.log`), sandbox);

/** What each logs when its file was renamed: always one line. */
async function rotated(): Promise<[string, string]> {
  renameSync(ours.file('sampled.log'), ours.file('old.log'));
  renameSync(stock.file('ovsdb-server.log'), stock.file('old.log'));
  await expectSame('vlog/reopen');
  return [logOf(ours, 'sampled'), logOf(stock, 'ovsdb-server')];
}

describe.skipIf(!HAS_APPCTL)('beside stock', () => {
  it('patterns are listed alike, as they are by default and as they are set', async () => {
    await expectSame('vlog/list-pattern');
    await expectSame('vlog/set', 'PATTERN:console:%D{%H}: %m');
    await expectSame('vlog/set', 'pattern syslog a,b');
    await expectSame('vlog/list-pattern');
  });

  it.each([
    ['nonsense'],
    ['dbg:info'],
    ['file,console'],
    ['vlog daemon_unix'],
    ['PATTERN'],
    ['PATTERN:disk:%m'],
    ['FACILITY:disk'],
    ['FACILITY'],
    ['vlog:file:dbg', 'nonsense'],
  ])('vlog/set %j is answered alike', async (...specs) => {
    await expectSame('vlog/set', ...specs);
  });

  it('other commands are answered alike when misused', async () => {
    await expectSame('vlog/list', 'x');
    await expectSame('vlog/enable-rate-limit', 'nonsense');
    await expectSame('vlog/disable-rate-limit', 'vlog');
  });

  it('levels are listed alike', async () => {
    for (const spec of ['vlog:console:off', 'vlog:file:info', 'daemon_unix:emer', 'ANY:syslog']) {
      await expectSame('vlog/set', spec);
    }
    const [a, b] = await both('vlog/list');
    const common = (text: string) => text.match(/^(0| .*|vlog .*|daemon_unix .*)$/gm);
    expect(common(a)).toHaveLength(5);
    expect(common(a)).toEqual(common(b));
    await expectSame('vlog/set', 'vlog:info');
  });

  it.each([
    '%A|%c|%-6p|%6p|%06p|%m|%t|%T|%%|%y|%n%c{x}',
    '%B',
    '%D{%Y-%m-%dT%H}|%D{%a %b %e %j %p %Z}|%d{%Y %z}',
    '%E',
  ])('the pattern %s makes the same line', async (pattern) => {
    await expectSame('vlog/set', `PATTERN:file:${pattern}`);
    const [a, b] = await rotated();
    expect(a).not.toBe('');
    expect(a).toBe(b);
  });

  it('times have the same shape', async () => {
    await expectSame('vlog/set', 'PATTERN:file:%D|%d|%D{%S.###}');
    const [a, b] = (await rotated()).map((text) => text.replaceAll(/\d/g, '9'));
    expect(a).toBe(b);
  });

  it.each(['kern', 'daemon', 'clock', 'ftp', 'ntp', 'audit', 'alert', 'clock2', 'local7'])(
    'the facility %s has the same number',
    async (facility) => {
      await expectSame('vlog/set', 'PATTERN:file:%B');
      await expectSame('vlog/set', `FACILITY:${facility}`);
      const [a, b] = await rotated();
      expect(a).toBe(b);
    },
  );

  it('a file that was closed logs nothing, and is reopened', async () => {
    await expectSame('vlog/set', 'PATTERN:file:%p %m');
    await rotated();
    await expectSame('vlog/close');
    await expectSame('vlog/close');
    await expectSame('vlog/reopen');
    expect(logOf(ours, 'sampled')).toBe(logOf(stock, 'ovsdb-server'));
  });
});
