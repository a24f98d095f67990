import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectStream } from '../../../src/ovsdb/rpc/connect.ts';
import { errorText } from '../../../src/ovsdb/rpc/error-text.ts';
import { type Listener, listen } from '../../../src/ovsdb/rpc/listen.ts';
import { type PassiveRemote, parseRemote } from '../../../src/ovsdb/rpc/remote.ts';

let directory: string;
let socket: string;
const listeners: Listener[] = [];
const streams: Duplex[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'tapflow-rpc-'));
  socket = path.join(directory, 'db.sock');
});

afterEach(() => {
  for (const stream of streams.splice(0)) stream.destroy();
  for (const listener of listeners.splice(0)) listener.close();
  rmSync(directory, { recursive: true });
});

/** Listens on a unix socket; answers every peer with its name. */
async function open(file = socket): Promise<Listener> {
  const remote = parseRemote(`punix:${file}`, directory) as PassiveRemote;
  const listener = await listen(remote, {
    accept(stream, name) {
      streams.push(stream);
      stream.write(name);
    },
  });
  listeners.push(listener);
  return listener;
}

async function connect(): Promise<string> {
  const stream = await connectStream({ kind: 'unix', path: socket });
  streams.push(stream);
  return new Promise((resolve) => stream.once('data', (data) => resolve(String(data))));
}

describe('a unix socket', () => {
  it('takes peers and gives each a name', async () => {
    const listener = await open();
    const names = [await connect(), await connect()];
    expect(names[0]).toMatch(/^unix#\d+$/);
    expect(names[1]).not.toBe(names[0]);
    expect(listener.boundPort).toBeUndefined();
  });

  it('is for its owner and group, and leaves the umask as it was', async () => {
    const mask = process.umask();
    await open();
    expect(statSync(socket).mode & 0o777).toBe(0o770 & ~mask);
    expect(process.umask()).toBe(mask);
  });

  it('replaces the socket that a dead process left', async () => {
    const dead = net.createServer();
    await new Promise<void>((resolve) => dead.listen(socket, resolve));
    const left = path.join(directory, 'left.sock');
    await open('left.sock');
    rmSync(left);
    await open('left.sock');
    await open();
    expect(await connect()).toMatch(/^unix#/);
    dead.close();
  });

  it('is gone when it was closed', async () => {
    const listener = await open();
    listener.close();
    const refused = connectStream({ kind: 'unix', path: socket });
    expect(errorText(await refused.catch((error) => error))).toBe('No such file or directory');
  });

  it('never replaces a file that is no socket', async () => {
    writeFileSync(socket, 'precious');
    await expect(open()).rejects.toMatchObject({
      code: 'BAD_LISTEN',
      message: `punix:${socket}: cannot listen: it exists and is not a socket: move it away`,
    });
  });

  it('says what is wrong with a path that cannot be bound', async () => {
    await expect(open('missing/db.sock')).rejects.toThrow('db.sock: cannot listen: ');
  });

  it('gives up connecting when told to', async () => {
    await open();
    const attempt = connectStream({ kind: 'unix', path: socket }, { signal: AbortSignal.abort() });
    await expect(attempt).rejects.toMatchObject({ name: 'AbortError' });
  });
});
