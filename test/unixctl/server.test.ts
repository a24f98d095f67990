import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandTable } from '../../src/unixctl/command-table.ts';
import { MAX_CLIENTS, openUnixctlServer, type UnixctlServer } from '../../src/unixctl/server.ts';

const APPCTL = '/usr/bin/ovs-appctl';

let directory: string;
let socketPath: string;
let server: UnixctlServer;
let release: () => void;

const run = commandTable([
  { name: 'echo', usage: 'text...', minArgs: 1, maxArgs: 2, run: (args) => args.join(' ') },
  {
    name: 'slow',
    usage: '',
    minArgs: 0,
    maxArgs: 0,
    run: () =>
      new Promise((resolve) => {
        release = () => resolve('at last');
      }),
  },
  {
    name: 'fail',
    usage: '',
    minArgs: 0,
    maxArgs: 0,
    run() {
      throw new Error('it cannot be done');
    },
  },
  { name: 'huge', usage: '', minArgs: 0, maxArgs: 0, run: () => 'x'.repeat(4 << 20) },
]);

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'tapflow-unixctl-'));
  socketPath = path.join(directory, 'test.ctl');
  server = await openUnixctlServer(socketPath, run);
});

afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

/** Everything that comes back until the other side closes. */
function talk(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = net.connect(socketPath, () => socket.end(text));
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}

const request = (method: string, params: unknown[] = [], id: unknown = 1): string =>
  JSON.stringify({ method, params, id });

describe('the control socket', () => {
  it('answers requests that follow each other without a delimiter, in order', async () => {
    const replies = await talk(
      request('echo', ['a'], 1) + request('fail', [], 'x') + request('echo', ['b'], 2),
    );
    expect(replies).toBe(
      '{"id":1,"result":"a\\n","error":null}' +
        '{"id":"x","result":null,"error":"it cannot be done\\n"}' +
        '{"id":2,"result":"b\\n","error":null}',
    );
  });

  it("refuses unknown commands and wrong numbers of arguments in unixctl's words", async () => {
    const replies = await talk(
      request('nope') + request('echo') + request('echo', ['1', '2', '3']) + request('echo', [1]),
    );
    expect(replies).toContain(
      '"\\"nope\\" is not a valid command (use \\"list-commands\\" to see a list of valid commands)\\n"',
    );
    expect(replies).toContain('"\\"echo\\" command requires at least 1 arguments\\n"');
    expect(replies).toContain('"\\"echo\\" command takes at most 2 arguments\\n"');
    expect(replies).toContain('"\\"echo\\" command has non-string argument\\n"');
  });

  it.skipIf(!existsSync(APPCTL))('is understood by stock ovs-appctl', async () => {
    const appctl = (...args: string[]) => promisify(execFile)(APPCTL, ['-t', socketPath, ...args]);
    expect((await appctl('list-commands')).stdout).toBe(
      'The available commands are:\n' +
        '  echo                    text...\n' +
        '  fail                    \n' +
        '  huge                    \n' +
        '  list-commands           \n' +
        '  slow                    \n',
    );
    expect((await appctl('echo', 'ä "quoted"\n')).stdout).toBe('ä "quoted"\n');
    await expect(appctl('fail')).rejects.toMatchObject({
      code: 2,
      stderr: `it cannot be done\novs-appctl: ${socketPath}: server returned an error\n`,
    });
  });

  it('serves other clients while one request runs', async () => {
    const slow = talk(request('slow'));
    expect(await talk(request('echo', ['meanwhile']))).toContain('meanwhile');
    release();
    expect(await slow).toContain('at last');
  });

  it.each(['garbage', '[]', '{"method":1,"params":[],"id":1}', '{"method":"echo"}', '{]'])(
    'cuts off a client that sends %s',
    async (text) => {
      expect(await talk(text)).toBe('');
      expect(await talk(request('echo', ['still here']))).toContain('still here');
    },
  );

  it('cuts off a client whose request is endless', async () => {
    const block = Buffer.alloc(1 << 20, 'x');
    const socket = net.connect(socketPath);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.write('{"method":"');
    const feed = () => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on('drain', feed);
    feed();
    await closed;
    expect(await talk(request('echo', ['still here']))).toContain('still here');
  });

  it('lets the client silent longest go when there are too many', async () => {
    const sockets: net.Socket[] = [];
    for (let n = 0; n < MAX_CLIENTS; n++) {
      const socket = net.connect(socketPath);
      await new Promise((resolve) => socket.once('connect', resolve));
      sockets.push(socket);
    }
    const first = new Promise((resolve) => sockets[0].once('close', resolve));
    sockets[0].resume();
    expect(await talk(request('echo', ['one more']))).toContain('one more');
    await first;
    for (const socket of sockets) socket.destroy();
  });

  it('is not held up by a client that asks a lot and reads nothing', async () => {
    const socket = net.connect(socketPath);
    socket.pause();
    socket.write(request('huge').repeat(50));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await talk(request('echo', ['still here']))).toContain('still here');
    socket.destroy();
  });

  it('answers what is running before it closes, and removes its socket', async () => {
    const slow = talk(request('slow'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = server.close();
    release();
    expect(await slow).toContain('at last');
    await closed;
    expect(existsSync(socketPath)).toBe(false);
    server = await openUnixctlServer(socketPath, run);
  });

  it('takes the place of a socket that a dead process left', async () => {
    await server.close();
    writeFileSync(socketPath, '');
    server = await openUnixctlServer(socketPath, run);
    expect(await talk(request('echo', ['back']))).toContain('back');
  });

  it('can be used by its owner only', () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  });
});
