import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  IO_ERROR_CODE,
  IO_ERROR_PORT,
  IO_FREE,
  IO_FREE_COUNT,
  IO_MAX_RX,
  IO_NOW,
  IO_SLEPT,
  IO_SLOT_SIZE,
  IO_TX,
  IO_TX_COUNT,
  IO_TX_FAILED,
  IO_WOKEN,
  IO_WORDS,
  KIND_TAP,
  native,
  TX_STRIDE,
} from '../../src/native.ts';
import {
  canUseDevices,
  describeSystem,
  Engine,
  Lab,
  type Received,
  testFrame,
  uniqueName,
} from './lab.ts';

const ENODEV = 19;
const EINVAL = 22;
const EBADFD = 77;

const backends = canUseDevices && native().probeIoUring() ? ['plain', 'io_uring'] : ['plain'];

/** Test frames among what came, by their first payload byte. */
const numbersOf = (received: readonly Received[]): number[] =>
  received.filter(isTestFrame).map(({ bytes }) => bytes[24] * 256 + bytes[25]);

const isTestFrame = ({ bytes }: Received): boolean => bytes[22] === 0x88 && bytes[23] === 0xb5;

const numbered = (port: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ port, bytes: testFrame([i >> 8, i & 255]) }));

describeSystem('ioTurn', () => {
  describe.each(backends)('with backend %s', (backend) => {
    let lab: Lab;
    let engine: Engine;

    beforeEach(() => {
      lab = new Lab();
      engine = new Engine(backend);
    });
    afterEach(() => {
      engine.close();
      lab.close();
    });

    /** Two TAPs as ports 1 and 2, past the bridge's first frames. */
    function twoTaps(): void {
      engine.tap(1, lab.tap());
      engine.tap(2, lab.tap());
      settle();
    }

    /** What the kernel sends on its own when links come up is out of the way. */
    function settle(): void {
      for (let quiet = 0; quiet < 3; ) quiet = engine.turn([], 10).length === 0 ? quiet + 1 : 0;
    }

    test('frames pass unchanged and in order, more of them than a burst holds', () => {
      twoTaps();
      const frames = numbered(1, 500);
      const received = engine.collect(500, frames);
      expect(numbersOf(received)).toEqual(frames.map((_, i) => i));
      expect(received.every(({ port }) => port === 2)).toBe(true);
      expect([...received[7].bytes.subarray(10)]).toEqual([...frames[7].bytes.subarray(10)]);
      expect(engine.results(500).every((result) => result === 0)).toBe(true);
    });

    test('two segments leave as one frame', () => {
      twoTaps();
      const body = Uint8Array.from({ length: 1400 }, (_, i) => i);
      const received = engine.collect(1, [{ port: 1, bytes: testFrame([0, 1], 20), body }]);
      expect(received[0].bytes.length).toBe(30 + 1400);
      expect([...received[0].bytes.subarray(30)]).toEqual([...body]);
    });

    test('the budget bounds what one port gets in one turn', () => {
      twoTaps();
      engine.turn(numbered(1, 40));
      const bursts: number[] = [];
      for (let left = 40; left > 0; left -= bursts.at(-1) ?? 0) {
        bursts.push(engine.turn([], 50, 5).length);
      }
      expect(Math.max(...bursts)).toBe(5);
    });

    test('ports take turns when there are fewer slots than frames', () => {
      const ports = [1, 2, 3, 4];
      for (const port of ports) engine.tap(port, lab.tap());
      settle();
      engine.free = engine.free.slice(0, 8);
      // A broadcast from port 1 comes out of all others.
      const flood = numbered(1, 60).map(({ port, bytes }) => {
        bytes.fill(0xff, 10, 16);
        return { port, bytes };
      });
      engine.turn(flood);
      const first: Received[] = [];
      while (first.length < 90) first.push(...engine.turn([], 50));
      for (const port of [2, 3, 4]) {
        const share = first.filter((received) => received.port === port).length;
        expect(share).toBeGreaterThan(15);
      }
    });

    test('a frame for no port, or out of bounds, fails alone', () => {
      twoTaps();
      const sendings = numbered(1, 6).map(({ bytes }, i) => ({ port: i === 1 ? 9 : 1, bytes }));
      const { io } = engine;
      const spoil = (index: number, word: number, value: number): void => {
        io[IO_TX + index * TX_STRIDE + word] = value;
      };
      engine.turn(sendings);
      expect(engine.results(6)).toEqual([0, ENODEV, 0, 0, 0, 0]);
      expect(io[IO_TX_FAILED]).toBe(1);
      spoil(0, 1, -1);
      spoil(1, 0, -5);
      spoil(2, 1, engine.arena.length - 20);
      spoil(3, 2, 0x7fffffff);
      spoil(4, 2, 9);
      spoil(5, 4, 0x7fffffff);
      io[IO_TX_COUNT] = 6;
      io[IO_FREE_COUNT] = 0;
      native().ioTurn(engine.handle, 0, -1);
      expect(engine.results(6)).toEqual([EINVAL, ENODEV, EINVAL, EINVAL, EINVAL, EINVAL]);
    });

    test('slots that do not fit the arena end the offer', () => {
      twoTaps();
      const [slot] = engine.free;
      engine.turn(numbered(1, 3));
      engine.io[IO_TX_COUNT] = 0;
      engine.io.set([slot, engine.arena.length - IO_SLOT_SIZE + 1, -4, 0], IO_FREE);
      engine.io[IO_FREE_COUNT] = 4;
      let received = 0;
      for (let i = 0; i < 5 && received === 0; i++) {
        received = native().ioTurn(engine.handle, 20, -1);
      }
      expect(received).toBe(1);
    });

    test('a turn with nothing to do sleeps until a frame comes', () => {
      twoTaps();
      const started = performance.now();
      expect(engine.turn([], 60)).toEqual([]);
      expect(engine.io[IO_SLEPT]).toBe(1);
      expect(performance.now() - started).toBeGreaterThan(55);
      engine.turn(numbered(1, 1));
      expect(numbersOf(engine.turn([], 5000))).toEqual([0]);
      expect(performance.now() - started).toBeLessThan(3000);
    });

    test('an eventfd wakes a sleeping turn, and tells a busy one', () => {
      twoTaps();
      native().signalEvent(engine.eventFd);
      const started = performance.now();
      engine.turn([], 5000);
      expect(performance.now() - started).toBeLessThan(1000);
      expect(engine.io[IO_WOKEN]).toBe(1);
      engine.turn([], 30);
      expect(engine.io[IO_WOKEN]).toBe(0);
      native().signalEvent(engine.eventFd);
      let woken = 0;
      for (let i = 0; i < 20; i++) {
        engine.turn(numbered(1, 1));
        woken += engine.io[IO_WOKEN];
      }
      expect(woken).toBe(1);
    });

    test('turns that never sleep learn of frames and signals as well', () => {
      twoTaps();
      const spin = (isDone: () => boolean): boolean => {
        const end = performance.now() + 1000;
        while (performance.now() < end) if (isDone()) return true;
        return false;
      };
      // Both ports were found empty: only the backend's watch can tell of what comes now.
      for (let i = 0; i < 10; i++) engine.turn();
      native().signalEvent(engine.eventFd);
      const isWoken = (): boolean => engine.turn().length === 0 && engine.io[IO_WOKEN] === 1;
      expect(spin(isWoken)).toBe(true);
      engine.turn(numbered(1, 1));
      expect(spin(() => engine.turn().length === 1)).toBe(true);
      expect(engine.io[IO_SLEPT]).toBe(0);
    });

    test('notifyFd is signalled after sending', async () => {
      twoTaps();
      const fd = native().openEvent();
      let calls = 0;
      const watch = native().watchEvent(fd, () => calls++);
      native().ioTurn(engine.handle, 0, fd);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(calls).toBe(1);
      native().unwatchEvent(watch);
      native().closeFd(fd);
    });

    test('IO_NOW is the monotonic clock in milliseconds', () => {
      engine.turn();
      const now = new Float64Array(engine.io.buffer, IO_NOW * 4, 1)[0];
      const expected = Number(process.hrtime.bigint()) / 1e6;
      expect(Math.abs(expected - now)).toBeLessThan(100);
    });

    test('two queues of one TAP are two ports, and a detached one gets nothing', () => {
      const name = uniqueName('tft');
      const queues = [0, 1].map(() => native().openTap({ name, multiQueue: true }).fd);
      lab.join(name);
      engine.tap(1, lab.tap());
      engine.tap(2, queues[0]);
      engine.tap(3, queues[1]);
      settle();
      native().setTapQueue(queues[1], false);
      // Different source addresses would spread over both queues.
      const frames = numbered(1, 50).map(({ port, bytes }, i) => {
        bytes[20] = i;
        return { port, bytes };
      });
      const received = engine.collect(50, frames);
      expect(received.filter(isTestFrame).length).toBe(50);
      expect(received.every(({ port }) => port === 2)).toBe(true);
      for (const fd of queues) native().closeFd(fd);
    });

    test('a deleted port lets go of its device at once, also while it is watched', () => {
      const { fd, name } = native().openTap({ name: uniqueName('tft') });
      engine.tap(1, fd);
      for (let i = 0; i < 3; i++) engine.turn([], 10);
      native().ioDelPort(engine.handle, 1);
      native().ioDelPort(engine.handle, 1);
      native().closeFd(fd);
      expect(() => native().linkInfo(name)).toThrow(/ENODEV/);
      expect(engine.turn([{ port: 1, bytes: testFrame([]) }])).toEqual([]);
      expect(engine.results(1)).toEqual([ENODEV]);
    });

    test('a port set anew under its number is read from the new descriptor', () => {
      twoTaps();
      const other = lab.tap();
      engine.tap(2, other);
      settle();
      const received = engine.collect(1, numbered(1, 1));
      expect(numbersOf(received)).toEqual([0]);
    });

    test('a device that disappears is reported once and does not keep the turn awake', () => {
      twoTaps();
      lab.deleteNamespace();
      const errors = new Map<number, number>();
      for (let i = 0; i < 20 && errors.size < 2; i++) {
        engine.turn([], 50);
        if (engine.io[IO_ERROR_CODE] !== 0) {
          errors.set(engine.io[IO_ERROR_PORT], engine.io[IO_ERROR_CODE]);
        }
      }
      expect([...errors.entries()].toSorted()).toEqual([
        [1, EBADFD],
        [2, EBADFD],
      ]);
      const started = performance.now();
      engine.turn([], 50);
      expect(engine.io[IO_ERROR_CODE]).toBe(0);
      expect(engine.io[IO_SLEPT]).toBe(1);
      expect(performance.now() - started).toBeGreaterThan(40);
      engine.turn([{ port: 1, bytes: testFrame([]) }]);
      expect(engine.results(1)).toEqual([EBADFD]);
    });

    test('a descriptor that is not open is refused', () => {
      expect(() => native().ioSetPort(engine.handle, 1, KIND_TAP, 1e6, 1e6)).toThrow(/EBADF/);
      engine.turn([{ port: 1, bytes: testFrame([]) }]);
      expect(engine.results(1)).toEqual([ENODEV]);
    });

    test('a closed engine is no engine', () => {
      const other = new Engine(backend);
      other.tap(1, lab.tap());
      other.turn([], 10);
      other.close();
      expect(native().ioTurn(other.handle, 10, -1)).toBe(0);
      expect(() => native().ioClose(other.handle)).toThrow(/open I\/O engine/);
    });

    test('engines opened and closed leave no descriptor', () => {
      const open = (): void => {
        const other = new Engine(backend);
        other.turn([], 5);
        other.close();
      };
      open();
      const before = readdirSync('/proc/self/fd').length;
      for (let i = 0; i < 10; i++) open();
      expect(readdirSync('/proc/self/fd').length).toBe(before);
    });

    test('an arena whose memory was transferred away reads as nothing', () => {
      const arena = new Uint8Array(1 << 20);
      const io = new Int32Array(IO_WORDS);
      const handle = native().ioOpen(backend, arena, io, engine.eventFd);
      native().ioSetPort(handle, 1, KIND_TAP, lab.tap(), -1);
      structuredClone(arena.buffer, { transfer: [arena.buffer] });
      io.set([1, 0, 60, 0, 0, -1], IO_TX);
      io[IO_TX_COUNT] = 1;
      expect(native().ioTurn(handle, 0, -1)).toBe(0);
      expect(io[IO_TX + 5]).toBe(EINVAL);
      structuredClone(io.buffer, { transfer: [io.buffer] });
      expect(native().ioTurn(handle, 0, -1)).toBe(0);
      native().ioClose(handle);
    });

    test('no content of the I/O block crashes or writes outside the arena', () => {
      const guard = 1 << 16;
      const size = 4 * IO_SLOT_SIZE;
      const whole = new Uint8Array(new SharedArrayBuffer(size + 2 * guard)).fill(0xa5);
      const arena = whole.subarray(guard, guard + size);
      const io = new Int32Array(new SharedArrayBuffer(IO_WORDS * 4));
      const handle = native().ioOpen(backend, arena, io, engine.eventFd);
      const [a, b] = [lab.tap(), lab.tap()];
      native().ioSetPort(handle, 1, KIND_TAP, a, a);
      native().ioSetPort(handle, 2, KIND_TAP, b, b);
      const word = fc.oneof(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.integer({ min: -20, max: 2000 }),
        fc.integer({ min: size - IO_SLOT_SIZE - 5, max: size + 5 }),
      );
      fc.assert(
        fc.property(fc.array(word, { minLength: 40, maxLength: 200 }), (words) => {
          io.set(words.slice(0, 7), 0);
          for (let at = 0; at < IO_MAX_RX; at++) io[IO_FREE + at] = words[at % words.length];
          io.set(words, IO_TX);
          const received = native().ioTurn(handle, 0, -1);
          expect(received).toBeGreaterThanOrEqual(0);
          expect(received).toBeLessThanOrEqual(IO_MAX_RX);
        }),
        { numRuns: 500 },
      );
      expect(whole.subarray(0, guard).every((byte) => byte === 0xa5)).toBe(true);
      expect(whole.subarray(guard + size).every((byte) => byte === 0xa5)).toBe(true);
      native().ioClose(handle);
    });
  });
});
