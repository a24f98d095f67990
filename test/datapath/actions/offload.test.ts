import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as op from '../../../src/dpif/actions.ts';
import { DROP_BAD_OFFLOAD, DROP_MTU, DROP_NO_BUFFER, DROP_NONE } from '../../../src/dpif/drops.ts';
import { buildFrame, type FrameRecord } from '../../../src/wire/frame.ts';
import { actionsFor, PORTS, packet } from './arbitraries.ts';
import { fixChecksums, isRight, parse } from './copy-oracle.ts';
import { IN_PORT, Lab, listOf, type Offload, packetOf } from './lab.ts';

const TSO4 = 1;
const UFO = 3;
const TSO6 = 4;
const USO = 5;

/** A packet with a partial checksum where the record's L4 has one. */
function partial(record: FrameRecord, offload: Offload = {}): Uint8Array {
  const frame = buildFrame(record);
  const start = parse(packetOf(frame)).l4 - 10;
  const offset = record.tcp ? 16 : 6;
  const bytes = packetOf(frame, { partial: { start, offset }, ...offload });
  fixChecksums(bytes);
  return bytes;
}

const TCP4: FrameRecord = { ipv4: { id: 0xfffe }, tcp: { flags: 0x89, seq: -10 }, payload: 5000 };
const TCP6: FrameRecord = { ipv6: {}, tcp: { flags: 0x18 }, payload: 5000 };
const UDP4: FrameRecord = { ipv4: {}, udp: {}, payload: 5000 };

function check(bytes: Uint8Array): number {
  const lab = new Lab(1, PORTS);
  lab.receive(0, bytes);
  return lab.executor.checkOffload(0);
}

test.each<[string, Uint8Array]>([
  ['a plain frame', packetOf(buildFrame(UDP4))],
  ['a verified frame', Uint8Array.from([2, ...packetOf(buildFrame(UDP4)).subarray(1)])],
  ['a partial TCP checksum', partial(TCP4)],
  ['a partial UDP checksum behind a tag', partial({ vlans: [{ vid: 1 }], ...UDP4 })],
  ['TSO4', partial(TCP4, { gsoType: TSO4, gsoSize: 1448, hdrLen: 54 })],
  ['TSO4 with ECN', partial(TCP4, { gsoType: TSO4 | 0x80, gsoSize: 1448 })],
  ['TSO6', partial(TCP6, { gsoType: TSO6, gsoSize: 1428 })],
  ['USO', partial(UDP4, { gsoType: USO, gsoSize: 1000 })],
  [
    'a partial checksum of an inner packet',
    packetOf(buildFrame(UDP4), { partial: { start: 100, offset: 16 } }),
  ],
  [
    'a partial checksum of a protocol that is not known',
    packetOf(buildFrame({ payload: 100 }), { partial: { start: 20, offset: 4 } }),
  ],
])('%s is accepted', (_name, bytes) => {
  expect(check(bytes)).toBe(DROP_NONE);
});

const over = (record: FrameRecord, offload: Offload): Uint8Array =>
  packetOf(buildFrame(record), offload);
const FIRST: FrameRecord = { ...TCP4, ipv4: { fragment: 0x2000 } };

test.each<[string, Uint8Array]>([
  ['a checksum field behind the end', over(TCP4, { partial: { start: 34, offset: 5020 } })],
  ['a start behind the end', over(TCP4, { partial: { start: 0xffff, offset: 0xffff } })],
  ['a start in the Ethernet header', over(TCP4, { partial: { start: 12, offset: 16 } })],
  ['a start in the IP header', over(TCP4, { partial: { start: 14, offset: 16 } })],
  [
    'a start in the tags',
    over({ vlans: [{ vid: 1 }], payload: 99 }, { partial: { start: 14, offset: 2 } }),
  ],
  ['a field that is not TCP’s', over(TCP4, { partial: { start: 34, offset: 6 } })],
  [
    'a field that is not SCTP’s',
    over({ ipv4: {}, sctp: {} }, { partial: { start: 34, offset: 2 } }),
  ],
  ['headers longer than the frame', over(TCP4, { hdrLen: 5055 })],
  ['segments of no size', partial(TCP4, { gsoType: TSO4, gsoSize: 0 })],
  ['UFO, which was not asked for', partial(UDP4, { gsoType: UFO, gsoSize: 1000 })],
  ['a type that does not exist', partial(TCP4, { gsoType: 9, gsoSize: 1000 })],
  ['TSO6 on IPv4', partial(TCP4, { gsoType: TSO6, gsoSize: 1000 })],
  ['TSO4 on IPv6', partial(TCP6, { gsoType: TSO4, gsoSize: 1000 })],
  ['TSO4 on UDP', partial(UDP4, { gsoType: TSO4, gsoSize: 1000 })],
  ['USO on TCP', partial(TCP4, { gsoType: USO, gsoSize: 1000 })],
  ['USO with ECN', partial(UDP4, { gsoType: USO | 0x80, gsoSize: 1000 })],
  ['TSO on a fragment', partial(FIRST, { gsoType: TSO4, gsoSize: 1000 })],
  ['TSO on a frame without IP', over({ payload: 99 }, { gsoType: TSO4, gsoSize: 10 })],
  ['TSO on a padded frame', partial({ ...TCP4, minSize: 6000 }, { gsoType: TSO4, gsoSize: 1000 })],
  [
    'TSO with the checksum elsewhere',
    over(TCP4, { partial: { start: 60, offset: 16 }, gsoType: TSO4, gsoSize: 1000 }),
  ],
  ['TSO with a TCP header that is too short', withDataOffset(4)],
  ['TSO with a TCP header longer than the frame', withDataOffset(15)],
])('%s is refused', (_name, bytes) => {
  expect(check(bytes)).toBe(DROP_BAD_OFFLOAD);
});

function withDataOffset(words: number): Uint8Array {
  const bytes = partial({ ...TCP4, payload: 30 }, { gsoType: TSO4, gsoSize: 10 });
  bytes[10 + 34 + 12] = words << 4;
  return bytes;
}

function send(bytes: Uint8Array, port: number, slots = 4): Lab {
  const lab = new Lab(slots, PORTS);
  lab.receive(0, bytes);
  if (bytes[0] !== 0 || bytes[1] !== 0) expect(lab.executor.checkOffload(0)).toBe(DROP_NONE);
  lab.execute(listOf([op.OUTPUT, port]), 1);
  return lab;
}

const ALL = 1;
const TSO4_ONLY = 5;
const CSUM_ONLY = 3;
const NONE = 4;

test.each([
  [
    'a super-frame to a port that takes it',
    partial(TCP4, { gsoType: TSO4, gsoSize: 1448 }),
    ALL,
    1,
  ],
  ['TSO4 to a port that takes TSO4', partial(TCP4, { gsoType: TSO4, gsoSize: 1448 }), TSO4_ONLY, 1],
  ['TSO6 to a port that takes TSO4', partial(TCP6, { gsoType: TSO6, gsoSize: 1428 }), TSO4_ONLY, 4],
  ['TSO4 to a port that sums only', partial(TCP4, { gsoType: TSO4, gsoSize: 1448 }), CSUM_ONLY, 4],
  ['USO to a port that takes nothing', partial(UDP4, { gsoType: USO, gsoSize: 1000 }), NONE, 5],
])('%s', (_name, bytes, port, frames) => {
  expect(send(bytes, port).writes).toHaveLength(frames);
});

test('segments carry the payload in order, with numbers and flags that go on', () => {
  const lab = send(partial(TCP4, { gsoType: TSO4 | 0x80, gsoSize: 1448 }), NONE);
  const sent = lab.outcome().sent.map(({ bytes }) => bytes);
  const views = sent.map((bytes) => new DataView(bytes.buffer, 10));
  expect(views.map((v) => v.getUint16(14 + 4))).toEqual([0xfffe, 0xffff, 0, 1]);
  expect(views.map((v) => v.getInt32(34 + 4))).toEqual([-10, 1438, 2886, 4334]);
  expect(views.map((v) => v.getUint8(34 + 13))).toEqual([0x80, 0, 0, 0x09]);
  const payload = Buffer.concat(sent.map((bytes) => bytes.subarray(10 + 54)));
  expect(payload).toEqual(Buffer.from(buildFrame(TCP4).subarray(54)));
  expect(sent.every(isRight)).toBe(true);
  expect(sent.every((bytes) => bytes.subarray(0, 10).every((byte) => byte === 0))).toBe(true);
});

test('a piece of payload across the seam of a copied super-frame is right at an odd place too', () => {
  const lab = new Lab(4, PORTS);
  lab.receive(0, partial(TCP4, { gsoType: TSO4, gsoSize: 101 }));
  lab.execute(listOf([op.OUTPUT, ALL], [op.SET_ETH, 1, 2, 3, -1, -1, -1], [op.OUTPUT, NONE]), 1);
  const [, ...segments] = lab.outcome().sent.map(({ bytes }) => bytes);
  expect(segments).toHaveLength(Math.ceil(5000 / 101));
  expect(segments.every(isRight)).toBe(true);
  const payload = Buffer.concat(segments.map((bytes) => bytes.subarray(10 + 54)));
  expect(payload).toEqual(Buffer.from(buildFrame(TCP4).subarray(54)));
  // The segments' payload stands where the frame does, so it counts as waited for.
  expect(lab.burst.queued[0]).toBe(1);
});

test('segments to a port that sums say where', () => {
  const lab = send(partial(TCP6, { gsoType: TSO6, gsoSize: 1428 }), CSUM_ONLY);
  const sent = lab.outcome().sent.map(({ bytes }) => bytes);
  for (const bytes of sent)
    expect([...bytes.subarray(0, 10)]).toEqual([1, 0, 0, 0, 0, 0, 54, 0, 16, 0]);
  expect(sent.every(isRight)).toBe(true);
});

test('the headers of a whole 64 KiB super-frame’s segments take one slot', () => {
  const bytes = partial({ ...TCP4, payload: 65_000 }, { gsoType: TSO4, gsoSize: 1448 });
  const lab = send(bytes, NONE);
  expect(lab.writes).toHaveLength(45);
  expect(lab.slotsTaken).toBe(2);
  expect(lab.outcome().sent.every(({ bytes: segment }) => isRight(segment))).toBe(true);
});

test('segmenting stops where slots run out, and says so once', () => {
  const bytes = partial({ ...TCP4, payload: 60_000 }, { gsoType: TSO4, gsoSize: 20 });
  const lab = send(bytes, NONE, 2);
  expect(lab.drops).toEqual([`${IN_PORT} ${DROP_NO_BUFFER}`]);
  expect(lab.writes.length).toBeGreaterThan(500);
  expect(lab.outcome().sent.every(({ bytes: segment }) => isRight(segment))).toBe(true);
});

test.each([
  ['segments of exactly the MTU', 1460, []],
  ['segments of a byte more', 1461, [`2 ${DROP_MTU}`]],
])('MTU: a super-frame with %s', (_name, gsoSize, drops) => {
  expect(send(partial(TCP4, { gsoType: TSO4, gsoSize }), 2).drops).toEqual(drops);
});

test('a super-frame with a single segment’s payload is an ordinary frame', () => {
  const lab = send(partial({ ...TCP4, payload: 1000 }, { gsoType: TSO4, gsoSize: 1000 }), ALL);
  const [{ bytes }] = lab.outcome().sent;
  expect([...bytes.subarray(0, 10)]).toEqual([1, 0, 0, 0, 0, 0, 34, 0, 16, 0]);
});

test.each<[string, FrameRecord, number]>([
  ['TCP over IPv4', TCP4, TSO4],
  ['TCP over IPv6', TCP6, TSO6],
  ['UDP', UDP4, USO],
])(
  'a super-frame of %s whose checksum was left to nobody gets a partial one',
  (_name, record, gsoType) => {
    const bytes = packetOf(buildFrame(record), { gsoType, gsoSize: 1000 });
    const whole = send(bytes, ALL).outcome().sent[0].bytes;
    expect(whole).toEqual(partial(record, { gsoType, gsoSize: 1000 }));
    expect(
      send(bytes, NONE)
        .outcome()
        .sent.every((sent) => isRight(sent.bytes)),
    ).toBe(true);
  },
);

test('a checksum is filled once, and on a copy where others have the frame', () => {
  const bytes = partial(UDP4);
  const lab = new Lab(4, PORTS);
  lab.receive(0, bytes);
  lab.execute(listOf([op.OUTPUT, 1], [op.OUTPUT, 6], [op.OUTPUT, 6], [op.OUTPUT, 1]), 1);
  expect(lab.slotsTaken).toBe(2);
  const [first, ...filled] = lab.outcome().sent.map((sent) => sent.bytes);
  expect(first).toEqual(bytes);
  for (const full of filled) {
    expect(full[0]).toBe(0);
    expect(isRight(full)).toBe(true);
  }
});

test.each<[string, FrameRecord]>([
  [
    'over IPv4',
    { ipv4: { src: '10.0.0.1', dst: '10.0.0.2' }, sctp: { srcPort: 7 }, payload: 1001 },
  ],
  ['over IPv6', { ipv6: {}, sctp: { dstPort: 9 }, payload: 300 }],
  ['behind two tags', { vlans: [{ vid: 1 }, { vid: 2 }], ipv4: {}, sctp: {}, payload: 100 }],
  ['of a padded frame', { ipv4: {}, sctp: {}, payload: 4, minSize: 60 }],
])('the checksum that SCTP %s was to be given is a CRC, made on receipt', (_name, record) => {
  const whole = packetOf(buildFrame(record));
  const { l4 } = parse(whole);
  const bytes = packetOf(buildFrame(record), { partial: { start: l4 - 10, offset: 8 } });
  bytes.fill(0, l4 + 8, l4 + 12);
  for (const port of [ALL, CSUM_ONLY, NONE]) {
    expect(send(bytes, port).outcome().sent).toEqual([{ port, bytes: whole }]);
  }
  const lab = send(bytes, NONE);
  lab.execute(listOf([op.SET_TP, 0x12345678, -1], [op.OUTPUT, NONE]), 1);
  expect(lab.outcome().sent.every((sent) => isRight(sent.bytes))).toBe(true);
});

test('an inner packet’s checksum is not taken for SCTP’s', () => {
  const inner = packetOf(buildFrame({ ipv4: {}, sctp: {}, payload: 100 }), {
    partial: { start: 60, offset: 8 },
  });
  expect(send(inner, ALL).outcome().sent).toEqual([{ port: ALL, bytes: inner }]);
});

test.each([
  ['0x0000 for TCP', { ipv4: {}, tcp: {} }, 0],
  ['0xffff for UDP, where 0 means none', { ipv4: {}, udp: {} }, 0xffff],
])('a sum of all ones is written as %s', (_name, record: FrameRecord, expected) => {
  const payload = Uint8Array.of(0, 0);
  const plain = packetOf(buildFrame({ ...record, payload }));
  const { l4 } = parse(plain);
  const field = l4 + (record.tcp ? 16 : 6);
  payload.set(plain.subarray(field, field + 2));
  const bytes = partial({ ...record, payload });
  const full = send(bytes, NONE).outcome().sent[0].bytes;
  expect(new DataView(full.buffer).getUint16(field)).toBe(expected);
});

test('a tag moves what the virtio-net header counts, there and back', () => {
  const bytes = partial(TCP4, { gsoType: TSO4, gsoSize: 1448, hdrLen: 54 });
  const lab = new Lab(4, PORTS);
  lab.receive(0, bytes);
  const push: [number, number] = [op.PUSH_VLAN, 0x81001001 | 0];
  lab.execute(listOf([op.OUTPUT, 1], push, [op.OUTPUT, 1], [op.POP_VLAN], [op.OUTPUT, 1]), 1);
  const [, tagged, back] = lab.outcome().sent.map((sent) => sent.bytes);
  expect([...tagged.subarray(0, 10)]).toEqual([1, 1, 58, 0, 0xa8, 5, 38, 0, 16, 0]);
  expect(back).toEqual(bytes);
});

test('no virtio-net header, however hostile, makes the executor write outside its packet', () => {
  const lab = new Lab(40, PORTS);
  const neighbour = new Uint8Array(2000).fill(0xa5);
  const hostile = fc.tuple(packet, fc.uint8Array({ minLength: 10, maxLength: 10 }), fc.nat(3));
  fc.assert(
    fc.property(
      hostile.chain(([bytes, header, keep]) => {
        // Often only some fields lie, so that checks further in are reached.
        const lying = bytes.slice();
        for (let o = keep * 2; o < 10; o++) lying[o] = header[o] >> (o % 2 ? 6 : 0);
        return fc.tuple(fc.constant(lying), actionsFor(bytes));
      }),
      ([bytes, actions]) => {
        lab.reset();
        lab.receive(0, neighbour);
        lab.receive(1, bytes);
        lab.receive(2, neighbour);
        const verdict = lab.executor.checkOffload(1);
        expect([DROP_NONE, DROP_BAD_OFFLOAD]).toContain(verdict);
        if (verdict === DROP_NONE)
          lab.executor.execute(
            listOf(...actions),
            0,
            listOf(...actions).length,
            Int32Array.of(1),
            1,
          );
        for (const { size, size2, at, at2 } of lab.writes) {
          expect(at >= 0 && size >= 24 && size2 >= 0).toBe(true);
          expect(Math.max(at + size, at2 + size2)).toBeLessThanOrEqual(lab.bytes.length);
        }
        expect(lab.contents(0)).toEqual(neighbour);
        expect(lab.contents(2)).toEqual(neighbour);
      },
    ),
    { numRuns: 700 },
  );
});
