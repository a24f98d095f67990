/**
 * Packet sockets: the VLAN tag that the kernel takes off comes back, and
 * what the kernel makes of offload requests, with and without a tag. The far
 * end is a TAP behind a bridge; one without offloads has the kernel do the
 * work in software, so its frames must be complete.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { IO_ERROR_CODE, IO_ERROR_PORT, IO_SLEPT, native } from '../../src/native.ts';
import { canUseDevices, describeSystem, Engine, ip, Lab, type Received, testFrame } from './lab.ts';

const backends = canUseDevices && native().probeIoUring() ? ['plain', 'io_uring'] : ['plain'];
const TAP = 1;
const PACKET = 2;
const ALL_OFFLOADS = 15;

const ENETDOWN = 100;

const NEEDS_CSUM = 1;
const GSO_TCPV4 = 1;
const GSO_UDP_L4 = 5;

const sum16 = (bytes: Uint8Array, from: number, to: number): number => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += i % 2 === from % 2 ? bytes[i] * 256 : bytes[i];
  return sum;
};
const fold = (sum: number): number => {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
};

interface Shape {
  protocol: 6 | 17;
  payloadSize: number;
  gsoSize: number;
  vlan?: number;
}

/** A virtio-net header and an IPv4 frame with a partial checksum, as a TAP or VM would give it. */
function offloadFrame({ protocol, payloadSize, gsoSize, vlan }: Shape): Uint8Array {
  const l3 = vlan === undefined ? 14 : 18;
  const l4Size = protocol === 6 ? 20 : 8;
  const l4 = l3 + 20;
  const frame = new Uint8Array(10 + l4 + l4Size + payloadSize);
  const view = new DataView(frame.buffer);
  frame[0] = NEEDS_CSUM;
  frame[1] = gsoSize === 0 ? 0 : protocol === 6 ? GSO_TCPV4 : GSO_UDP_L4;
  view.setUint16(2, l4 + l4Size, true);
  view.setUint16(4, gsoSize, true);
  view.setUint16(6, l4, true);
  view.setUint16(8, protocol === 6 ? 16 : 6, true);
  frame.set([2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa], 10);
  if (vlan !== undefined) {
    view.setUint16(22, 0x8100);
    view.setUint16(24, vlan);
  }
  view.setUint16(10 + l3 - 2, 0x0800);
  const ip = 10 + l3;
  frame.set([0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], ip);
  view.setUint16(ip + 2, 20 + l4Size + payloadSize);
  view.setUint16(ip + 10, ~fold(sum16(frame, ip, ip + 20)));
  const at = 10 + l4;
  view.setUint16(at, 1000);
  view.setUint16(at + 2, 2000);
  if (protocol === 6) {
    view.setUint32(at + 4, 1);
    frame.set([0x50, 0x10, 0xff, 0xff], at + 12);
  } else {
    view.setUint16(at + 4, l4Size + payloadSize);
  }
  // The sum of the pseudo-header, not complemented: what a partial checksum starts from.
  const pseudo = sum16(frame, ip + 12, ip + 20) + protocol + l4Size + payloadSize;
  view.setUint16(at + (protocol === 6 ? 16 : 6), fold(pseudo));
  for (let i = at + l4Size; i < frame.length; i++) frame[i] = i;
  return frame;
}

/** Whether a complete frame's IP and transport checksums are right. */
function isIntact(bytes: Uint8Array, vlan: boolean): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const ip = 10 + (vlan ? 18 : 14);
  const size = view.getUint16(ip + 2);
  const l4Size = size - 20;
  const pseudo = sum16(bytes, ip + 12, ip + 20) + bytes[ip + 9] + l4Size;
  return (
    fold(sum16(bytes, ip, ip + 20)) === 0xffff &&
    fold(pseudo + sum16(bytes, ip + 20, ip + size)) === 0xffff
  );
}

const isIpv4 = ({ bytes }: Received): boolean => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const type = view.getUint16(22);
  return (type === 0x8100 ? view.getUint16(26) : type) === 0x0800;
};

describeSystem('packet sockets', () => {
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

    function start(offloads: number): void {
      engine.tap(TAP, lab.tap(offloads));
      engine.packet(PACKET, lab.packet().fd);
      for (let quiet = 0; quiet < 3; ) quiet = engine.turn([], 10).length === 0 ? quiet + 1 : 0;
    }

    /** IPv4 frames that came, until `bytes` of payload have, or a second passed. */
    function collectIp(port: number, sending: Uint8Array, count: number): Uint8Array[] {
      const out: Received[] = [];
      const end = performance.now() + 1000;
      let next = engine.turn([{ port, bytes: sending }]);
      for (;;) {
        out.push(...next.filter(isIpv4));
        if (out.length >= count || performance.now() > end) break;
        next = engine.turn([], 20);
      }
      return out.map(({ bytes }) => bytes);
    }

    test('plain frames pass in both directions, many at a time', () => {
      start(0);
      for (const [from, to] of [
        [TAP, PACKET],
        [PACKET, TAP],
      ]) {
        const frames = Array.from({ length: 200 }, (_, i) => ({
          port: from,
          bytes: testFrame([i]),
        }));
        const received = engine.collect(200, frames);
        expect(received.map(({ bytes }) => bytes[24])).toEqual(frames.map((_, i) => i));
        expect(received.every(({ port }) => port === to)).toBe(true);
      }
    });

    test('two segments leave as one frame', () => {
      start(0);
      const body = Uint8Array.from({ length: 1000 }, (_, i) => i);
      const received = engine.collect(1, [{ port: PACKET, bytes: testFrame([7], 40), body }]);
      expect([...received[0].bytes.subarray(50)]).toEqual([...body]);
    });

    test.each([0x8100, 0x88a8])('a tag of TPID %i that the kernel stripped is put back', (tpid) => {
      start(0);
      const tagged = testFrame([]);
      new DataView(tagged.buffer).setUint16(22, tpid);
      tagged.set([0xa0, 42, 0x88, 0xb5, 99], 24);
      const [received] = engine.collect(1, [{ port: TAP, bytes: tagged }]);
      expect([...received.bytes.subarray(10)]).toEqual([...tagged.subarray(10)]);
      expect(engine.free).toContain(received.offset + 4);
    });

    test('a tag put back keeps csum_start and hdr_len true', () => {
      start(ALL_OFFLOADS);
      const shape = { protocol: 6, payloadSize: 4000, gsoSize: 1000, vlan: 42 } as const;
      const sent = offloadFrame(shape);
      const [received] = collectIp(TAP, sent, 1);
      const view = new DataView(received.buffer);
      expect(received[0]).toBe(NEEDS_CSUM);
      expect(received[1]).toBe(GSO_TCPV4);
      expect(view.getUint16(2, true)).toBeGreaterThanOrEqual(18 + 20 + 20);
      expect(view.getUint16(4, true)).toBe(1000);
      expect(view.getUint16(6, true)).toBe(18 + 20);
      expect([...received.subarray(10)]).toEqual([...sent.subarray(10)]);
    });

    const shapes: [string, Shape, number][] = [
      ['a partial TCP checksum', { protocol: 6, payloadSize: 700, gsoSize: 0 }, 1],
      ['a partial UDP checksum', { protocol: 17, payloadSize: 700, gsoSize: 0 }, 1],
      ['a TCP super-frame', { protocol: 6, payloadSize: 8000, gsoSize: 1000 }, 8],
      ['a full-size TCP super-frame', { protocol: 6, payloadSize: 65000, gsoSize: 1448 }, 45],
      ['a UDP super-frame', { protocol: 17, payloadSize: 8000, gsoSize: 1000 }, 8],
    ];
    const cases = shapes.flatMap(([name, shape, segments]) => [
      { name, shape, segments },
      { name: `${name} with a tag`, shape: { ...shape, vlan: 42 }, segments },
    ]);

    test.each(cases)(
      'the kernel completes $name where the device cannot',
      ({ shape, segments }) => {
        start(0);
        const received = collectIp(PACKET, offloadFrame(shape), segments);
        expect(engine.results(1)).toEqual([0]);
        expect(received.length).toBe(segments);
        expect(received.every((bytes) => isIntact(bytes, shape.vlan !== undefined))).toBe(true);
      },
    );

    test.each(cases)('$name arrives whole where the device can take it', ({ shape }) => {
      start(ALL_OFFLOADS);
      const sent = offloadFrame(shape);
      const received = collectIp(PACKET, sent, 1);
      expect(received.length).toBe(1);
      expect([...received[0].subarray(10)]).toEqual([...sent.subarray(10)]);
      const view = new DataView(received[0].buffer);
      expect(received[0][1]).toBe(sent[1]);
      expect(view.getUint16(6, true)).toBe(shape.vlan === undefined ? 34 : 38);
    });

    test('an interface that was down works again when up', () => {
      start(0);
      const { fd, name } = lab.packet();
      engine.packet(3, fd);
      for (let i = 0; i < 5; i++) engine.turn([], 10);
      native().setLinkUp(name, false);
      for (let i = 0; i < 5; i++) engine.turn([], 10);
      native().setLinkUp(name, true);
      const frame = testFrame([5]);
      frame.fill(0xff, 10, 16);
      // The bridge learns of the link a second later, or never within one attempt.
      const ports = new Set<number>();
      for (let i = 0; i < 60 && !ports.has(3); i++) {
        for (const { port } of engine.collect(2, [{ port: TAP, bytes: frame }], 50))
          ports.add(port);
      }
      expect(ports).toContain(3);
    });

    test('an interface that is deleted is reported, and no turn spins on it', () => {
      const { fd, name } = lab.packet();
      engine.packet(3, fd);
      engine.turn([], 10);
      ip('link', 'del', name);
      const errors: number[] = [];
      for (let i = 0; i < 10; i++) {
        engine.turn([], 10);
        if (engine.io[IO_ERROR_CODE] !== 0) {
          errors.push(engine.io[IO_ERROR_PORT], engine.io[IO_ERROR_CODE]);
        }
      }
      expect(errors).toEqual([3, ENETDOWN]);
      engine.turn([], 30);
      expect(engine.io[IO_SLEPT]).toBe(1);
      engine.turn([{ port: 3, bytes: testFrame([]) }]);
      expect(engine.results(1)[0]).toBeGreaterThan(0);
    });
  });
});
