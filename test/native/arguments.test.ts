import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TapflowError } from '../../src/lib/error.ts';
import { IO_WORDS, native } from '../../src/native.ts';

const root = new URL('../..', import.meta.url).pathname;

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

const codeOf = (action: () => unknown): string | undefined =>
  (errorOf(action) as { code?: string } | undefined)?.code;

const openFds = (): number => readdirSync('/proc/self/fd').length;

describe('arguments', () => {
  test('a failed system call throws a TapflowError with the name of errno, the call and the object', () => {
    const error = errorOf(() => native().openNetns('/run/netns/no-such-namespace'));
    expect(error).toBeInstanceOf(TapflowError);
    expect(error).toMatchObject({ code: 'ENOENT' });
    expect((error as Error).message).toMatch(
      /openNetns \/run\/netns\/no-such-namespace: .*\(ENOENT\)/,
    );
  });

  test('a wrong type is a TypeError and a wrong value a RangeError, each naming the argument', () => {
    const untyped = native() as unknown as Record<string, (...args: unknown[]) => unknown>;
    expect(errorOf(() => untyped.closeFd('3'))).toBeInstanceOf(TypeError);
    expect(() => untyped.closeFd('3')).toThrow(/fd must be an integer/);
    expect(() => untyped.closeFd(1.5)).toThrow(RangeError);
    expect(() => untyped.closeFd(Number.NaN)).toThrow(RangeError);
    expect(() => untyped.openTap('tap0')).toThrow(/options must be an object/);
    expect(() => untyped.linkInfo('a-name-of-16-byt')).toThrow(/1 to 15 bytes/);
    expect(() => untyped.linkInfo('a/b')).toThrow(RangeError);
    expect(() => untyped.linkInfo('a\0b')).toThrow(/NUL/);
    expect(() => untyped.setLinkMac('lo', '01:00:5e:00:00:01')).toThrow(/unicast/);
    expect(() => untyped.setLinkMac('lo', '00:00:00:00:00:00')).toThrow(/unicast/);
    expect(() => untyped.setLinkMtu('lo', 67)).toThrow(/68 to 65535/);
    expect(() => untyped.setAffinity(3)).toThrow(/array/);
    expect(() => untyped.setAffinity([1e6])).toThrow(RangeError);
    expect(() => untyped.ioOpen('epoll', new Uint8Array(1), new Int32Array(IO_WORDS), 0)).toThrow(
      /'io_uring' or 'plain'/,
    );
    expect(() => untyped.ioOpen('plain', new Uint8Array(1), new Int32Array(3), 0)).toThrow(
      /IO_WORDS/,
    );
    expect(() => untyped.ioTurn({}, 0, -1)).not.toThrow();
    expect(() => untyped.ioSetPort({}, 1, 1, 0, 0)).toThrow(/open I\/O engine/);
    expect(() => untyped.unwatchEvent({})).toThrow(/watchEvent/);
  });

  test('no argument whatever crashes or leaks a descriptor', () => {
    const untyped = native() as unknown as Record<string, (...args: unknown[]) => unknown>;
    const names = Object.keys(untyped).filter((name) => name !== 'setErrorClass');
    const junk = fc.oneof(
      fc.constantFrom(undefined, null, true, '', 'tf-none', 'x'.repeat(5000), [], [{}], {}),
      fc.constantFrom(-1, -2, 1e6, 2 ** 31, 2 ** 53, 1.5, Number.NaN, Infinity),
      fc.constantFrom(() => {}, Symbol('s'), 10n, new Uint8Array(8), new Int32Array(IO_WORDS)),
      fc.record({ name: fc.anything(), offloads: fc.anything(), mtu: fc.anything() }),
      fc.anything(),
    );
    native().probeIoUring();
    const before = openFds();
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(junk, { maxLength: 5 }), (name, args) => {
        if (name === 'openEvent' || name === 'openLinkEvents') return;
        const error = errorOf(() => {
          // What junk can open after all (a TAP without a name gets one) is closed again.
          const opened = untyped[name](...args) as { fd?: number } | undefined;
          if (typeof opened?.fd === 'number') native().closeFd(opened.fd);
        });
        if (error === undefined) return;
        expect(error).toBeInstanceOf(Error);
        expect((error as { code?: string }).code).toMatch(/^E/);
      }),
      { numRuns: 3000 },
    );
    expect(openFds()).toBe(before);
  });
});

describe('descriptors', () => {
  test('closeFd closes what was opened here, once, and nothing else', () => {
    const before = openFds();
    const fd = native().openEvent();
    native().closeFd(fd);
    expect(codeOf(() => native().closeFd(fd))).toBe('EBADF');
    expect(codeOf(() => native().closeFd(2))).toBe('EBADF');
    expect(openFds()).toBe(before);
  });

  test('a worker that ends leaves no descriptor, no engine and no watch behind', async () => {
    const script = `
      const addon = require('node-gyp-build')(${JSON.stringify(root)});
      const fd = addon.openEvent();
      addon.watchEvent(fd, () => {});
      for (const backend of ['plain', 'io_uring']) {
        try { addon.ioOpen(backend, new Uint8Array(99), new Int32Array(${IO_WORDS}), fd); } catch {}
      }
      require('node:worker_threads').parentPort.postMessage('open');
      setInterval(() => {}, 1000);`;
    const run = async (): Promise<void> => {
      const worker = new Worker(script, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
    };
    await run();
    const before = openFds();
    for (let i = 0; i < 3; i++) await run();
    expect(openFds()).toBe(before);
  });
});

describe('events', () => {
  test('a watch calls back once for signals that came together, and again for later ones', async () => {
    const fd = native().openEvent();
    let calls = 0;
    const watch = native().watchEvent(fd, () => calls++);
    native().signalEvent(fd);
    native().signalEvent(fd);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
    native().signalEvent(fd);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(2);
    native().unwatchEvent(watch);
    native().unwatchEvent(watch);
    native().signalEvent(fd);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(2);
    native().closeFd(fd);
  });

  test('an exception in a callback is an uncaught exception, not a crash', () => {
    const script = `
      const addon = require('node-gyp-build')(${JSON.stringify(root)});
      const fd = addon.openEvent();
      process.on('uncaughtException', (e) => { console.log('caught', e.message); process.exit(0); });
      addon.watchEvent(fd, () => { throw new Error('mine'); });
      addon.signalEvent(fd);`;
    const printed = execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
    expect(printed).toBe('caught mine\n');
  });

  test('only an eventfd or a route socket can be watched', () => {
    expect(codeOf(() => native().watchEvent(1, () => {}))).toBe('EBADF');
    expect(codeOf(() => native().watchEvent(1e6, () => {}))).toBe('EBADF');
    expect(codeOf(() => native().signalEvent(1e6))).toBe('EBADF');
  });
});

describe('process', () => {
  test('lockFile tells who holds the lock', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tapflow-lock-'));
    const path = join(folder, 'pid');
    const script = `
      const addon = require('node-gyp-build')(${JSON.stringify(root)});
      const fd = require('fs').openSync(${JSON.stringify(path)}, 'w');
      console.log(addon.lockFile(fd)); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['-e', script], { cwd: root });
    try {
      const printed = await new Promise((resolve) => holder.stdout.once('data', resolve));
      expect(String(printed)).toBe('0\n');
      expect(native().lockFile(openSync(path, 'r+'))).toBe(holder.pid);
    } finally {
      holder.kill();
      rmSync(folder, { recursive: true });
    }
    expect(codeOf(() => native().lockFile(1e6))).toBe('EBADF');
  });

  test('a datagram socket tells why it cannot be connected', () => {
    expect(codeOf(() => native().openDatagram('/nowhere'))).toBe('ENOENT');
    expect(codeOf(() => native().openDatagram('x'.repeat(108)))).toBe('ERR_OUT_OF_RANGE');
  });

  test('a thread is pinned to CPUs that are allowed', () => {
    const cpus = native().allowedCpus();
    expect(cpus.length).toBeGreaterThan(0);
    native().setAffinity(cpus);
    expect(native().allowedCpus()).toEqual(cpus);
    expect(codeOf(() => native().setAffinity([]))).toBe('EINVAL');
    expect(codeOf(() => native().setAffinity([8191]))).toBe('EINVAL');
  });
});
