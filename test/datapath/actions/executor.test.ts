import { expect, test } from 'vitest';
import * as op from '../../../src/dpif/actions.ts';
import {
  DROP_BAD_ACTION,
  DROP_BY_RULE,
  DROP_MTU,
  DROP_NO_BUFFER,
  DROP_NO_PORT,
} from '../../../src/dpif/drops.ts';
import { KEY_WORDS, PKT_MARK, SKB_PRIORITY } from '../../../src/flow/key.ts';
import { buildFrame } from '../../../src/wire/frame.ts';
import { PORTS } from './arbitraries.ts';
import { isRight } from './copy-oracle.ts';
import { IN_PORT, Lab, listOf, packetOf } from './lab.ts';

const UDP = buildFrame({ ipv4: { ttl: 64 }, udp: { srcPort: 1, dstPort: 2 }, payload: 100 });
const LARGE = buildFrame({ ipv4: {}, tcp: {}, payload: 1400 });
const TTL_63: [number, ...number[]] = [op.SET_IPV4, 0, 0, 0, 0, 63, 0xff];
const ETH_DST: [number, ...number[]] = [op.SET_ETH, 0x02aabbcc, 0, 0, -1, 0, 0];

function labWith(...frames: Uint8Array[]): Lab {
  const lab = new Lab(frames.length + 3, PORTS);
  for (const [i, frame] of frames.entries()) lab.receive(i, packetOf(frame));
  return lab;
}

test('an unchanged frame goes to several ports from one place, without a copy', () => {
  const lab = labWith(UDP);
  lab.execute(listOf([op.OUTPUT, 1], [op.OUTPUT, 2], [op.OUTPUT, 3]), 1);
  expect(new Set(lab.writes.map(({ at }) => at)).size).toBe(1);
  expect(lab.slotsTaken).toBe(1);
  expect(lab.burst.queued[0]).toBe(3);
});

test('a header that nobody waits for is changed in place', () => {
  const lab = labWith(UDP);
  lab.execute(listOf(TTL_63, ETH_DST, [op.OUTPUT, 1]), 1);
  expect(lab.slotsTaken).toBe(1);
  const [{ bytes }] = lab.outcome().sent;
  expect(bytes[10 + 14 + 8]).toBe(63);
  expect(isRight(bytes)).toBe(true);
});

test('a queued header is copied once, however many changes follow', () => {
  const lab = labWith(LARGE);
  lab.execute(listOf([op.OUTPUT, 1], TTL_63, ETH_DST, [op.POP_VLAN], [op.OUTPUT, 2]), 1);
  expect(lab.slotsTaken).toBe(2);
  expect(lab.writes[1]).toMatchObject({ size: 256, size2: 10 + LARGE.length - 256 });
  const [first, second] = lab.outcome().sent;
  expect(first.bytes.subarray(10)).toEqual(LARGE);
  expect(second.bytes[10 + 14 + 8]).toBe(63);
});

test('a frame shorter than the copied header stays in one segment', () => {
  const lab = labWith(UDP);
  lab.execute(listOf([op.OUTPUT, 1], TTL_63, [op.OUTPUT, 2]), 1);
  expect(lab.writes[1]).toMatchObject({ size: 10 + UDP.length, size2: 0 });
});

test('a parked frame is copied before it changes, unless parking was the last action', () => {
  const lab = labWith(UDP);
  lab.execute(listOf([op.USERSPACE, 2, 5, 128], TTL_63, [op.OUTPUT, 1]), 1);
  expect(lab.outcome().parked[0].bytes.subarray(10)).toEqual(UDP);
  const last = labWith(UDP);
  last.execute(listOf([op.OUTPUT, 1], [op.USERSPACE, 2, 5, 128]), 1);
  expect(last.parked[0]).toMatchObject({ reason: 2, cookie: 5, maxSize: 128, isLast: true });
  expect(last.burst.queued[0]).toBe(1);
});

test('more writes than the counter holds still mean that the header is shared', () => {
  const lab = labWith(UDP);
  const outputs = Array.from({ length: 256 }, (): [number, number] => [op.OUTPUT, 1]);
  lab.execute(listOf(...outputs, TTL_63, [op.OUTPUT, 2]), 1);
  const { sent } = lab.outcome();
  expect(sent).toHaveLength(257);
  expect(sent[255].bytes[10 + 14 + 8]).toBe(64);
  expect(sent[256].bytes[10 + 14 + 8]).toBe(63);
});

test('a limit holds for the next output only', () => {
  const lab = labWith(UDP);
  lab.execute(listOf([op.TRUNC, 60], [op.OUTPUT, 1], [op.OUTPUT, 2]), 1);
  expect(lab.outcome().sent.map(({ bytes }) => bytes.length - 10)).toEqual([60, UDP.length]);
});

test('a limit holds for a parked frame, and is used up by it', () => {
  const lab = labWith(UDP);
  lab.execute(listOf([op.TRUNC, 60], [op.USERSPACE, 2, 0, 100], [op.OUTPUT, 1]), 1);
  expect(lab.parked[0].maxSize).toBe(60);
  expect(lab.writes[0].size).toBe(10 + UDP.length);
});

test('priority and mark change the key, not the frame', () => {
  const lab = labWith(UDP);
  lab.execute(listOf([op.SET_PRIORITY, 3], [op.SET_MARK, 4], [op.OUTPUT, 1]), 1);
  expect(lab.burst.keys[SKB_PRIORITY]).toBe(3);
  expect(lab.burst.keys[PKT_MARK]).toBe(4);
  expect(lab.outcome().sent[0].bytes.subarray(10)).toEqual(UDP);
});

test('DROP counts its reason at the input port', () => {
  const lab = labWith(UDP, UDP);
  lab.execute(listOf([op.DROP, DROP_BY_RULE]), 2);
  expect(lab.drops).toEqual([`${IN_PORT} ${DROP_BY_RULE}`, `${IN_PORT} ${DROP_BY_RULE}`]);
});

test('an output to a port that is gone is counted at the input port, the others go on', () => {
  const lab = labWith(UDP);
  lab.execute(listOf([op.OUTPUT, 99]), 1);
  lab.execute(listOf([op.OUTPUT, 99], [op.OUTPUT, 1]), 1);
  expect(lab.drops).toEqual([`${IN_PORT} ${DROP_NO_PORT}`, `${IN_PORT} ${DROP_NO_PORT}`]);
  expect(lab.writes).toHaveLength(1);
});

test.each([
  ['an untagged frame of exactly the MTU', [], 1500, true],
  ['an untagged frame of a byte more', [], 1501, false],
  ['a tagged frame: the tag is not counted', [{ vid: 1 }], 1500, true],
  ['a tagged frame of a byte more', [{ vid: 1 }], 1501, false],
  ['a frame with two tags', [{ vid: 1, tpid: 0x88a8 }, { vid: 2 }], 1500, true],
])('MTU: %s', (_name, vlans, l3Size, fits) => {
  const lab = labWith(buildFrame({ vlans, ipv4: {}, udp: {}, payload: l3Size - 28 }));
  lab.execute(listOf([op.OUTPUT, 2]), 1);
  expect(lab.writes).toHaveLength(fits ? 1 : 0);
  expect(lab.drops).toEqual(fits ? [] : [`2 ${DROP_MTU}`]);
});

test('a packet whose header is missing is dropped at the action, the rest of the run goes on', () => {
  const lab = labWith(buildFrame({ arp: {} }), UDP);
  lab.execute(listOf([op.OUTPUT, 1], TTL_63, [op.OUTPUT, 2]), 2);
  expect(lab.drops).toEqual([`${IN_PORT} ${DROP_BAD_ACTION}`]);
  expect(lab.writes.map(({ port }) => port)).toEqual([1, 1, 2]);
});

test('without a free slot a frame that needs a copy is dropped', () => {
  const lab = labWith(UDP, UDP, UDP, UDP, UDP);
  lab.execute(listOf([op.OUTPUT, 1], TTL_63, [op.OUTPUT, 2]), 5);
  expect(lab.drops).toEqual(Array(2).fill(`${IN_PORT} ${DROP_NO_BUFFER}`));
  expect(lab.writes).toHaveLength(8);
});

test('a UDP checksum that comes out as 0 is written as 0xffff', () => {
  const field = 10 + 14 + 20 + 6;
  const check = new DataView(UDP.buffer).getUint16(field - 10);
  // One's complement: adding the checksum to what it covers leaves a sum of all ones.
  const port = (2 + check) % 0xffff;
  const lab = labWith(UDP);
  lab.execute(listOf([op.SET_TP, port, 0xffff], [op.OUTPUT, 1]), 1);
  const [{ bytes }] = lab.outcome().sent;
  expect(new DataView(bytes.buffer).getUint16(field)).toBe(0xffff);
  expect(isRight(bytes)).toBe(true);
});

// Bytes after the header: none, in one segment with it, in two.
test.each([0, 100, 1000])(
  'ICMP that becomes nothing but zeros has the checksum 0xffff: %i',
  (n) => {
    const echo = buildFrame({ ipv4: {}, icmp: { type: 8 }, payload: new Uint8Array(n) });
    const other = buildFrame({ ipv4: {}, icmp: { type: 8 }, payload: new Uint8Array(n).fill(1) });
    const wrong = echo.slice();
    wrong[14 + 20 + 2] ^= 0x40;
    const lab = labWith(echo, other, wrong);
    lab.execute(listOf([op.OUTPUT, 1], [op.SET_TP, 0, -1], [op.OUTPUT, 2]), 3);
    const sent = lab.outcome().sent.filter(({ port }) => port === 2);
    expect(sent.map(({ bytes }) => isRight(bytes))).toEqual([true, true, false]);
  },
);

test('a checksum that was wrong stays wrong', () => {
  const frame = UDP.slice();
  frame[14 + 20 + 6] ^= 0x40;
  const lab = labWith(frame);
  lab.execute(listOf([op.SET_IPV4, 0x01020304, -1, 0, 0, 0, 0], [op.OUTPUT, 1]), 1);
  expect(isRight(lab.outcome().sent[0].bytes)).toBe(false);
});

test('tags are pushed until there are eight, then the packet is dropped', () => {
  const lab = labWith(UDP);
  const push: [number, number] = [op.PUSH_VLAN, 0x81001001 | 0];
  lab.execute(listOf(...Array(8).fill(push), [op.OUTPUT, 1], push, [op.OUTPUT, 2]), 1);
  expect(lab.writes.map(({ port, size }) => [port, size - 10])).toEqual([[1, UDP.length + 32]]);
  expect(lab.drops).toEqual([`${IN_PORT} ${DROP_BAD_ACTION}`]);
});

test('a frame that fills its slot takes no further tag', () => {
  const lab = new Lab(2, PORTS);
  lab.receive(0, new Uint8Array(65536 + 512).fill(1));
  lab.execute(listOf([op.PUSH_VLAN, 0x81001001 | 0], [op.OUTPUT, 1]), 1);
  expect(lab.drops).toEqual([`${IN_PORT} ${DROP_BAD_ACTION}`]);
});

test('the key of another packet of the burst is not touched', () => {
  const lab = labWith(UDP, UDP);
  lab.execute(listOf([op.SET_PRIORITY, 3]), 1);
  expect(lab.burst.keys[KEY_WORDS + SKB_PRIORITY]).toBe(0);
});
