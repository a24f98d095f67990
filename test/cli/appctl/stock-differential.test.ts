/** Our ovs-appctl and the stock one, called alike: they print the same and end alike. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/appctl/program.ts';
import { stockMissing } from '../../ovsdb/database/stock-database.ts';
import { StockServer } from '../../ovsdb/replica/stock-server.ts';

const SCHEMA = { name: 'A', tables: { B: { columns: { c: { type: 'string' } } } } };

/** Times of log lines. */
const timeless = (text: string) => text.replace(/^\S+Z(?=\|)/gm, 'TIME');

describe.skipIf(stockMissing() && !process.env.TAPFLOW_REQUIRE_SYSTEM)('ovs-appctl', () => {
  let server: StockServer;
  const listeners: net.Server[] = [];
  const environment = { ...process.env };

  beforeAll(async () => {
    server = new StockServer([SCHEMA], ['--pidfile']);
    await server.start();
    const pid = readFileSync(join(server.dir, 'ovsdb-server.pid'), 'utf8').trim();
    symlinkSync('ctl', join(server.dir, `ovsdb-server.${pid}.ctl`));
    Object.assign(process.env, server.env);
    writeFileSync(join(server.dir, 'dead.pid'), '99999\n');
    writeFileSync(join(server.dir, 'odd.pid'), 'odd');
    writeFileSync(join(server.dir, 'empty.pid'), '');
    mkdirSync(join(server.dir, 'dir.pid'));
    await listen('drops', (socket) => socket.once('data', () => socket.destroy()));
    await listen('babbles', (socket) => socket.once('data', () => socket.end('{"id":0,')));
    await listen('odd', (socket) =>
      socket.once('data', () => socket.end('{"id":0,"result":"","error":null}')),
    );
    await listen('fails', (socket) =>
      socket.once('data', () => socket.end('{"id":0,"result":null,"error":"no\\nway\\n"}')),
    );
  });

  afterAll(async () => {
    for (const listener of listeners) listener.close();
    process.env = environment;
    await server.destroy();
  });

  async function listen(name: string, accept: (socket: net.Socket) => void): Promise<void> {
    const listener = net.createServer(accept).listen(join(server.dir, name));
    await once(listener, 'listening');
    listeners.push(listener);
  }

  async function stock(args: readonly string[]) {
    const child = spawn('ovs-appctl', args, { env: server.env });
    const result = { stdout: '', stderr: '' };
    child.stdout.on('data', (text) => {
      result.stdout += text;
    });
    child.stderr.on('data', (text) => {
      result.stderr += text;
    });
    const [code] = await once(child, 'close');
    return { stdout: result.stdout, stderr: timeless(result.stderr), code };
  }

  async function ours(args: readonly string[]) {
    const result = { stdout: '', stderr: '' };
    const code = await main(args, {
      print: (text) => {
        result.stdout += text;
      },
      printError: (text) => {
        result.stderr += text;
      },
    });
    return { stdout: result.stdout, stderr: timeless(result.stderr), code };
  }

  it.each<string[][]>([
    [[]],
    [['version']],
    [['-t', 'ovsdb-server', 'version']],
    [['-t', 'ovsdb-server', 'list-commands']],
    [['--target=ovsdb-server', 'vlog/list']],
    [['-t', 'ovsdb-server', 'ovsdb-server/list-remotes']],
    [['-t', 'ovsdb-server', 'vlog/set', 'nix']],
    [['-t', 'ovsdb-server', 'nix']],
    [['-t', 'ovsdb-server', '']],
    [['-t', 'ovsdb-server', 'version', '-x', '--nix']],
    [['-T', '5', '-t', 'ovsdb-server', 'version']],
    [['-t', 'DIR/ctl', 'version']],
    [['-t', 'DIR/nowhere', 'version']],
    [['-t', 'DIR/drops', 'version']],
    [['-t', 'DIR/babbles', 'version']],
    [['-t', 'DIR/odd', 'version']],
    [['-t', 'DIR/fails', 'version']],
    [['-t', 'DIR', 'version']],
    [['-t', 'nix', 'version']],
    [['-t', './nix', 'version']],
    [['-t', '', 'version']],
    [['-t', 'dead', 'version']],
    [['-t', 'odd', 'version']],
    [['-t', 'empty', 'version']],
    [['-t', 'dir', 'version']],
    [['-t']],
    [['--nix']],
    [['-x', 'version']],
    [['--t', 'nix', 'version']],
    [['-T', 'x', 'version']],
    [['-T', '0', 'version']],
    [['-T', '-1', 'version']],
    [['-T', '1', '-t', 'nix']],
    [['-vnix', 'version']],
    [['-vconsole:off', 'version']],
    [['-vPATTERN:console:%p %c: %m', 'version']],
  ])('prints what stock prints: %j', async (words) => {
    const args = words.map((word) => word.replace('DIR', server.dir));
    expect(await ours(args)).toEqual(await stock(args));
  });

  it('does not believe a pidfile that another process has locked', async () => {
    const flock = spawn('python3', ['-c', LOCKER, join(server.dir, 'other.pid')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(flock.stdout, 'data');
    const result = await ours(['-t', 'other', 'version']);
    expect(result.stderr).toContain('other.pid" (No such process)\n');
    flock.stdin.end();
    await once(flock, 'exit');
    await delay(0);
  });
});

/** Locks a pidfile that names process 1. */
const LOCKER = `
import fcntl, sys
file = open(sys.argv[1], 'w')
file.write('1\\n')
file.flush()
fcntl.lockf(file, fcntl.LOCK_EX)
print('locked', flush=True)
sys.stdin.read()
`;
