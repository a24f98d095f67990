/**
 * A place to try devices in: a network namespace of the test's own with a
 * Linux bridge. What a test writes to one TAP comes out of another through
 * that bridge, so real frames pass without a peer to script.
 *
 *   engine -> tap a -+
 *   engine -> tap b -+- bridge in the namespace
 *   packet socket on veth (outside) - veth (inside) -+
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { describe } from 'vitest';
import {
  IO_BUDGET,
  IO_FREE,
  IO_FREE_COUNT,
  IO_FREE_USED,
  IO_RX,
  IO_SLOT_SIZE,
  IO_TX,
  IO_TX_COUNT,
  IO_WORDS,
  type IoHandle,
  KIND_PACKET,
  KIND_TAP,
  native,
  RX_STRIDE,
  TX_RESULT,
  TX_STRIDE,
} from '../../src/native.ts';

/** Devices need root; a skip is a failure where TAPFLOW_REQUIRE_SYSTEM=1 says so. */
export const canUseDevices: boolean =
  process.env.TAPFLOW_REQUIRE_SYSTEM === '1' ||
  (process.getuid?.() === 0 && existsSync('/dev/net/tun'));

export function describeSystem(name: string, body: () => void): void {
  if (canUseDevices) describe(name, body);
  else describe.skip(`${name} (skipped: needs root and /dev/net/tun)`, body);
}

let serial = 0;
/** A name of 15 bytes at most that no other process uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}${process.pid.toString(36)}${(serial++).toString(36)}`;
}

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export class Lab {
  readonly netns = uniqueName('tfn');
  readonly #fds: number[] = [];
  readonly #links: string[] = [];

  constructor() {
    ip('netns', 'add', this.netns);
    // Silence: no router solicitations between a test's frames.
    const silence = 'net.ipv6.conf.all.disable_ipv6=1';
    execFileSync('ip', ['netns', 'exec', this.netns, 'sysctl', '-qw', silence]);
    ip('-n', this.netns, 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
    ip('-n', this.netns, 'link', 'set', 'br0', 'up');
  }

  /** A TAP on the bridge. @returns its descriptor */
  tap(offloads = 0): number {
    const name = uniqueName('tft');
    const { fd } = native().openTap({ name, offloads });
    this.#fds.push(fd);
    this.join(name);
    return fd;
  }

  /** A packet socket on a veth whose other end is on the bridge. */
  packet(): { fd: number; name: string } {
    const inside = uniqueName('tfi');
    const name = uniqueName('tfo');
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', inside);
    this.#links.push(name);
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1');
    ip('link', 'set', name, 'up');
    this.join(inside);
    const { fd } = native().openPacket(name);
    this.#fds.push(fd);
    return { fd, name };
  }

  /** Moves an interface into the namespace and onto the bridge. */
  join(name: string): void {
    ip('link', 'set', name, 'netns', this.netns);
    ip('-n', this.netns, 'link', 'set', name, 'master', 'br0', 'up');
  }

  deleteNamespace(): void {
    ip('netns', 'del', this.netns);
  }

  close(): void {
    for (const fd of this.#fds) native().closeFd(fd);
    for (const name of this.#links) {
      try {
        ip('link', 'del', name);
      } catch {
        // It went with the namespace of its other end.
      }
    }
    try {
      this.deleteNamespace();
    } catch {
      // The test deleted it.
    }
  }
}

/** A frame to send; `body` makes it two segments. */
export interface Sending {
  port: number;
  /** virtio-net header and frame. */
  bytes: Uint8Array;
  body?: Uint8Array;
}

export interface Received {
  port: number;
  offset: number;
  bytes: Uint8Array;
}

const STRIDE = IO_SLOT_SIZE + 512;
const HEADROOM = 232;

/** An I/O engine with an arena: what a worker has, as plain as can be. */
export class Engine {
  readonly slots: number;
  readonly arena: Uint8Array;
  readonly io: Int32Array = new Int32Array(new SharedArrayBuffer(IO_WORDS * 4));
  readonly eventFd: number = native().openEvent();
  readonly handle: IoHandle;
  /** Slots to offer, in order: the first half of the arena. */
  free: number[] = [];
  #cursor = 0;

  constructor(backend: string, slots = 64) {
    this.slots = slots;
    this.arena = new Uint8Array(new SharedArrayBuffer(slots * STRIDE));
    this.handle = native().ioOpen(backend, this.arena, this.io, this.eventFd);
    for (let i = 0; i < slots / 2; i++) this.free.push(i * STRIDE + HEADROOM);
  }

  tap(port: number, fd: number): void {
    native().ioSetPort(this.handle, port, KIND_TAP, fd, fd);
  }

  packet(port: number, fd: number): void {
    native().ioSetPort(this.handle, port, KIND_PACKET, fd, fd);
  }

  /** One turn; every received frame is copied out and its slot offered again. */
  turn(sendings: readonly Sending[] = [], timeoutMs = 0, budget = 64): Received[] {
    const { io } = this;
    sendings.forEach((sending, i) => {
      this.#put(sending, i);
    });
    io[IO_TX_COUNT] = sendings.length;
    io[IO_FREE_COUNT] = this.free.length;
    io.set(this.free, IO_FREE);
    io[IO_BUDGET] = budget;
    const received = native().ioTurn(this.handle, timeoutMs, -1);
    const out: Received[] = [];
    for (let i = 0, at = IO_RX; i < received; i++, at += RX_STRIDE) {
      const [port, offset, size] = io.subarray(at, at + 3);
      out.push({ port, offset, bytes: this.arena.slice(offset, offset + size) });
    }
    this.#checkSlots(out);
    return out;
  }

  /** Turns until `count` frames have come or the time is over. */
  collect(count: number, sendings: readonly Sending[] = [], timeoutMs = 1000): Received[] {
    const end = performance.now() + timeoutMs;
    const out = this.turn(sendings);
    while (out.length < count && performance.now() < end) out.push(...this.turn([], 20));
    return out;
  }

  /** Results of the last turn's frames: errno, 0 if sent. */
  results(count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.io[IO_TX + i * TX_STRIDE + TX_RESULT]);
  }

  close(): void {
    native().ioClose(this.handle);
    native().closeFd(this.eventFd);
  }

  /** Frames to send stand one behind the other in the second half of the arena. */
  #put({ port, bytes, body = new Uint8Array() }: Sending, index: number): void {
    if (index === 0) this.#cursor = (this.slots / 2) * STRIDE + HEADROOM;
    const at = this.#cursor;
    const bodyAt = at + bytes.length + 64;
    this.arena.set(bytes, at);
    this.arena.set(body, bodyAt);
    this.#cursor = bodyAt + body.length + HEADROOM;
    const words = [port, at, bytes.length, bodyAt, body.length, -1];
    this.io.set(words, IO_TX + index * TX_STRIDE);
  }

  /** The contract of IO_FREE: the same slots still, and the used ones first. */
  #checkSlots(received: readonly Received[]): void {
    const after = Array.from(this.io.subarray(IO_FREE, IO_FREE + this.free.length));
    const same =
      after.toSorted((a, b) => a - b).join() === this.free.toSorted((a, b) => a - b).join();
    if (!same) throw new Error('IO_FREE lost or gained a slot');
    if (this.io[IO_FREE_USED] !== received.length) throw new Error('IO_FREE_USED is not the count');
    received.forEach(({ offset }, i) => {
      if (offset !== after[i] && offset !== after[i] - 4) throw new Error(`slot ${i} is not first`);
    });
  }
}

const MAC_A = [2, 0, 0, 0, 0, 0xa];
const MAC_B = [2, 0, 0, 0, 0, 0xb];

/** An empty virtio-net header and an Ethernet frame of a test EtherType with `payload` behind it. */
export function testFrame(payload: Iterable<number>, fill = 60): Uint8Array {
  const frame = new Uint8Array(10 + fill);
  frame.set([...MAC_B, ...MAC_A, 0x88, 0xb5], 10);
  frame.set([...payload], 24);
  return frame;
}
