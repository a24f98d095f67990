/**
 * The oracle for action execution: every step copies the frame, parses it anew
 * and computes each checksum from scratch. Slow, and nothing but the rules.
 *
 * A packet is 10 bytes of virtio-net header and the frame, as in a burst. The
 * frames given must have right checksums, or partial ones where they say so.
 */
import * as op from '../../../src/dpif/actions.ts';
import { DROP_BAD_ACTION, DROP_MTU, DROP_NO_PORT } from '../../../src/dpif/drops.ts';
import { OFFLOAD_CSUM, OFFLOAD_TSO4, OFFLOAD_TSO6, OFFLOAD_USO } from '../../../src/native.ts';

export interface OraclePort {
  offloads: number;
  mtu: number;
}
export interface Sent {
  port: number;
  bytes: Uint8Array;
}
interface Parked {
  reason: number;
  cookie: number;
  maxSize: number;
  isLast: boolean;
  bytes: Uint8Array;
}
export interface Outcome {
  sent: Sent[];
  parked: Parked[];
  /** "port reason" */
  drops: string[];
}

const V = 10;

/** Executes each action on all packets, in the list's order; a failed change drops its packet. */
export function executeByCopy(
  packets: readonly Uint8Array[],
  inPort: number,
  words: Int32Array,
  ports: ReadonlyMap<number, OraclePort>,
): Outcome {
  const outcome: Outcome = { sent: [], parked: [], drops: [] };
  let alive: Uint8Array[] = packets.map((packet) => packet.slice());
  let limit = Infinity;
  for (let w = 0; w < words.length; w += op.sizeOf(words[w])) {
    const code = op.opOf(words[w]);
    const args = words.slice(w + 1, w + op.sizeOf(words[w]));
    const isLast = w + op.sizeOf(words[w]) >= words.length;
    alive = alive.flatMap((packet): Uint8Array[] => {
      if (code === op.OUTPUT) return [output(outcome, packet, inPort, args[0], limit, ports)];
      if (code === op.USERSPACE) return [park(outcome, packet, args, limit, isLast)];
      if ([op.TRUNC, op.SET_PRIORITY, op.SET_MARK].includes(code)) return [packet];
      const changed = code === op.DROP ? undefined : change(packet, code, args);
      if (changed !== undefined) return [changed];
      outcome.drops.push(`${inPort} ${code === op.DROP ? args[0] : DROP_BAD_ACTION}`);
      return [];
    });
    if (code === op.TRUNC) limit = Math.max(14, args[0]);
    else if (code === op.OUTPUT || code === op.USERSPACE) limit = Infinity;
  }
  return outcome;
}

function park(
  outcome: Outcome,
  packet: Uint8Array,
  [reason, cookie, maxSize]: Int32Array,
  limit: number,
  isLast: boolean,
): Uint8Array {
  const least = Math.min(maxSize, limit);
  outcome.parked.push({ reason, cookie, maxSize: least, isLast, bytes: packet.slice() });
  return packet;
}

/** What a frame is, found by walking it. Offsets are from the packet's start. */
export interface Parsed {
  tags: number;
  type: number;
  l3: number;
  l4: number;
  proto: number;
  isFragment: boolean;
  ipEnd: number;
  /** Where the address that L4's checksum covers stands. */
  checkedDst: number;
}

const TPIDS = [0x8100, 0x88a8];

export function parse(b: Uint8Array): Parsed {
  const v = viewOf(b);
  let o = V + 12;
  while (TPIDS.includes(v.getUint16(o)) && o + 6 <= b.length) o += 4;
  const parsed: Parsed = {
    tags: (o - V - 12) / 4,
    type: v.getUint16(o),
    l3: o + 2,
    l4: 0,
    proto: -1,
    isFragment: false,
    ipEnd: 0,
    checkedDst: 0,
  };
  if (parsed.type === 0x0800) parse4(v, parsed);
  else if (parsed.type === 0x86dd) parse6(v, parsed);
  return parsed;
}

function parse4(v: DataView, p: Parsed): void {
  const fragment = v.getUint16(p.l3 + 6);
  p.proto = v.getUint8(p.l3 + 9);
  p.isFragment = (fragment & 0x3fff) !== 0;
  p.ipEnd = p.l3 + v.getUint16(p.l3 + 2);
  p.checkedDst = p.l3 + 16;
  const l4 = p.l3 + (v.getUint8(p.l3) & 0xf) * 4;
  if ((fragment & 0x1fff) === 0) p.l4 = wholeL4(p, l4);
}

function parse6(v: DataView, p: Parsed): void {
  p.ipEnd = p.l3 + 40 + v.getUint16(p.l3 + 4);
  p.checkedDst = p.l3 + 24;
  let next = v.getUint8(p.l3 + 6);
  let o = p.l3 + 40;
  let isLater = false;
  while ([0, 43, 44, 51, 60].includes(next) && !isLater) {
    const size = (v.getUint8(o + 1) + 1) * 8;
    if (next === 43 && v.getUint8(o + 3) > 0) p.checkedDst = o + size - 16;
    if (next === 44) {
      p.isFragment ||= (v.getUint16(o + 2) & 0xfff9) !== 0;
      isLater = (v.getUint16(o + 2) & 0xfff8) !== 0;
    }
    const here = next;
    next = v.getUint8(o);
    o += here === 44 ? 8 : here === 51 ? (v.getUint8(o + 1) + 2) * 4 : size;
  }
  p.proto = isLater ? 44 : next;
  if (!isLater) p.l4 = wholeL4(p, o);
}

const L4_SIZES = new Map([
  [1, 8],
  [2, 8],
  [6, 20],
  [17, 8],
  [58, 8],
  [132, 12],
]);

const wholeL4 = (p: Parsed, l4: number): number =>
  l4 + (L4_SIZES.get(p.proto) ?? Infinity) <= p.ipEnd ? l4 : 0;

/** Where the L4 checksum stands, from L4's start. */
const CHECK_OFFSETS = new Map([
  [1, 2],
  [6, 16],
  [17, 6],
  [58, 2],
]);

const viewOf = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength);

const needsCsum = (b: Uint8Array): boolean => (b[0] & 1) !== 0;
const csumStart = (b: Uint8Array): number => viewOf(b).getUint16(6, true);

/** The ones'-complement sum of 16-bit words, folded; an odd byte is padded with 0. */
function wordSum(...pieces: Uint8Array[]): number {
  const bytes = pieces.flatMap((piece) => [...piece]);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i] * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

function pseudoHeader(b: Uint8Array, p: Parsed, size: number): Uint8Array {
  const addressSize = p.type === 0x0800 ? 4 : 16;
  const src = p.type === 0x0800 ? p.l3 + 12 : p.l3 + 8;
  return Uint8Array.from([
    ...b.slice(src, src + addressSize),
    ...b.slice(p.checkedDst, p.checkedDst + addressSize),
    ...[size >>> 24, size >>> 16, size >>> 8, size, 0, 0, 0, p.proto],
  ]);
}

/** The bits of a CRC32c, one by one. */
function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

/** Computes every checksum of a packet that is not a fragment from its bytes; a UDP one of 0 stays. */
export function fixChecksums(b: Uint8Array): void {
  const p = parse(b);
  fixIpv4Header(b, p);
  if (p.l4 > 0 && !p.isFragment) fixL4(b, p);
}

function fixIpv4Header(b: Uint8Array, p: Parsed): void {
  if (p.type !== 0x0800) return;
  const v = viewOf(b);
  v.setUint16(p.l3 + 10, 0);
  const end = p.l3 + (b[p.l3] & 0xf) * 4;
  v.setUint16(p.l3 + 10, ~wordSum(b.slice(p.l3, end)) & 0xffff);
}

function fixL4(b: Uint8Array, p: Parsed): void {
  const v = viewOf(b);
  if (p.proto === 132) {
    v.setUint32(p.l4 + 8, 0);
    v.setUint32(p.l4 + 8, crc32c(b.slice(p.l4, p.ipEnd)), true);
    return;
  }
  const offset = CHECK_OFFSETS.get(p.proto);
  if (offset === undefined) return;
  const field = p.l4 + offset;
  if (p.proto === 17 && v.getUint16(field) === 0) return;
  const pseudo = p.proto === 1 ? new Uint8Array() : pseudoHeader(b, p, p.ipEnd - p.l4);
  if (needsCsum(b) && csumStart(b) === p.l4 - V) {
    v.setUint16(field, wordSum(pseudo));
    return;
  }
  v.setUint16(field, 0);
  const check = ~wordSum(pseudo, b.slice(p.l4, p.ipEnd)) & 0xffff;
  v.setUint16(field, check === 0 && p.proto === 17 ? 0xffff : check);
}

/** Whether every checksum is what its bytes ask for. */
export function isRight(b: Uint8Array): boolean {
  const fixed = b.slice();
  fixChecksums(fixed);
  return Buffer.compare(fixed, b) === 0;
}

/** A first fragment's checksum covers bytes elsewhere: it moves by what the bytes here moved. */
function moveFragmentChecksum(before: Uint8Array, after: Uint8Array): void {
  const p = parse(after);
  const offset = CHECK_OFFSETS.get(p.proto);
  if (p.l4 === 0 || offset === undefined || !p.isFragment) return;
  const v = viewOf(after);
  const field = p.l4 + offset;
  const old = v.getUint16(field);
  if (p.proto === 17 && old === 0) return;
  const covered = (b: Uint8Array): number => {
    const copy = b.slice();
    viewOf(copy).setUint16(field, 0);
    const pseudo = p.proto === 1 ? new Uint8Array() : pseudoHeader(copy, p, p.ipEnd - p.l4);
    return wordSum(pseudo, copy.slice(p.l4, p.ipEnd));
  };
  if (covered(before) % 0xffff === covered(after) % 0xffff) return;
  const sum = (0xffff - old + 0xffff - covered(before) + covered(after)) % 0xffff || 0xffff;
  const check = ~sum & 0xffff;
  v.setUint16(field, check === 0 && p.proto === 17 ? 0xffff : check);
}

/** @returns undefined when the action does not fit the frame */
function change(packet: Uint8Array, code: number, args: Int32Array): Uint8Array | undefined {
  if (code === op.PUSH_VLAN) return pushTag(packet, args[0]);
  if (code === op.POP_VLAN) return popTag(packet);
  const changed = packet.slice();
  if (!setFields(changed, code, args)) return undefined;
  const p = parse(changed);
  // A fragment's CRC cannot follow: how long the whole is, is not known.
  const isChanged = Buffer.compare(packet, changed) !== 0;
  if (code === op.SET_TP && p.proto === 132 && p.isFragment && isChanged) return undefined;
  fixIpv4Header(changed, p);
  if (p.isFragment) moveFragmentChecksum(packet, changed);
  else if (p.l4 > 0) fixL4(changed, p);
  return changed;
}

function pushTag(b: Uint8Array, tag: number): Uint8Array | undefined {
  if (parse(b).tags >= 8) return undefined;
  // The CFI bit only says that there is a tag.
  const bytes = [tag >>> 24, tag >>> 16, (tag >>> 8) & ~0x10, tag];
  return moveOffsets(Uint8Array.from([...b.slice(0, V + 12), ...bytes, ...b.slice(V + 12)]), 4);
}

function popTag(b: Uint8Array): Uint8Array {
  if (parse(b).tags === 0) return b;
  return moveOffsets(Uint8Array.from([...b.slice(0, V + 12), ...b.slice(V + 16)]), -4);
}

function moveOffsets(b: Uint8Array, by: number): Uint8Array {
  const v = viewOf(b);
  const hdrLen = v.getUint16(2, true);
  if (needsCsum(b)) v.setUint16(6, v.getUint16(6, true) + by, true);
  if (hdrLen > 0) v.setUint16(2, hdrLen + by, true);
  return b;
}

function setFields(b: Uint8Array, code: number, a: Int32Array): boolean {
  const p = parse(b);
  const hasL3 = p.l3 + 20 <= b.length;
  switch (code) {
    case op.SET_ETH:
      setBytes(b, V, macBytes(a, 0), macBytes(a, 3));
      return true;
    case op.SET_IPV4:
      return hasL3 && p.type === 0x0800 && setIpv4(b, p.l3, a);
    case op.SET_IPV6:
      return hasL3 && p.type === 0x86dd && setIpv6(b, p.l3, a);
    case op.SET_TP:
      return p.l4 > 0 && setTp(b, p, a);
    case op.SET_ARP:
      return [0x0806, 0x8035].includes(p.type) && setArp(b, p.l3, a);
    case op.SET_ND:
      return p.proto === 58 && p.l4 > 0 && p.l4 + 24 <= p.ipEnd && setNd(b, p, a);
    default:
      return false;
  }
}

const bytesOf = (word: number): number[] => [word >>> 24, word >>> 16, word >>> 8, word].map(low);
const low = (n: number): number => n & 0xff;
const wordsOf = (a: Int32Array, from: number, count: number): number[] =>
  [...a.slice(from, from + count)].flatMap(bytesOf);
const macBytes = (a: Int32Array, from: number): number[] => wordsOf(a, from, 3);

function setBytes(b: Uint8Array, o: number, value: number[], mask: number[]): true {
  for (const [i, m] of mask.entries()) b[o + i] = (b[o + i] & ~m) | (value[i] & m);
  return true;
}

function setIpv4(b: Uint8Array, o: number, a: Int32Array): true {
  setBytes(b, o + 12, wordsOf(a, 0, 1), wordsOf(a, 1, 1));
  setBytes(b, o + 16, wordsOf(a, 2, 1), wordsOf(a, 3, 1));
  setBytes(b, o + 1, [low(a[4] >> 8)], [low(a[5] >> 8)]);
  return setBytes(b, o + 8, [low(a[4])], [low(a[5])]);
}

function setIpv6(b: Uint8Array, o: number, a: Int32Array): true {
  setBytes(b, o + 8, wordsOf(a, 0, 4), wordsOf(a, 4, 4));
  setBytes(b, o + 24, wordsOf(a, 8, 4), wordsOf(a, 12, 4));
  const first = (low(a[18] >> 8) << 20) | (a[16] & 0xfffff);
  const mask = (low(a[19] >> 8) << 20) | (a[17] & 0xfffff);
  setBytes(b, o, bytesOf(first), bytesOf(mask));
  return setBytes(b, o + 7, [low(a[18])], [low(a[19])]);
}

function setTp(b: Uint8Array, p: Parsed, a: Int32Array): boolean {
  if (p.proto === 2) return false;
  const isIcmp = p.proto === 1 || p.proto === 58;
  const bytes = (word: number) => (isIcmp ? [low(word >> 16), low(word)] : bytesOf(word));
  return setBytes(b, p.l4, bytes(a[0]), bytes(a[1]));
}

function setArp(b: Uint8Array, o: number, a: Int32Array): true {
  setBytes(b, o + 6, bytesOf(a[0]).slice(2), bytesOf(a[1]).slice(2));
  setBytes(b, o + 14, bytesOf(a[2]), bytesOf(a[3]));
  setBytes(b, o + 24, bytesOf(a[4]), bytesOf(a[5]));
  setBytes(b, o + 8, macBytes(a, 6).slice(0, 6), macBytes(a, 9).slice(0, 6));
  return setBytes(b, o + 18, macBytes(a, 6).slice(6), macBytes(a, 9).slice(6));
}

function setNd(b: Uint8Array, p: Parsed, a: Int32Array): true {
  setBytes(b, p.l4 + 8, wordsOf(a, 0, 4), wordsOf(a, 4, 4));
  for (let o = p.l4 + 24; o + 8 <= p.ipEnd && b[o + 1] > 0; o += b[o + 1] * 8) {
    const half = b[o] === 1 ? 0 : 6;
    if (b[o + 1] !== 1 || b[o] < 1 || b[o] > 2) continue;
    setBytes(b, o + 2, macBytes(a, 8).slice(half, half + 6), macBytes(a, 11).slice(half, half + 6));
  }
  return true;
}

/** @returns the packet that the actions after it see: a filled checksum stays */
function output(
  outcome: Outcome,
  packet: Uint8Array,
  inPort: number,
  portNo: number,
  limit: number,
  ports: ReadonlyMap<number, OraclePort>,
): Uint8Array {
  const port = ports.get(portNo);
  if (port === undefined) {
    outcome.drops.push(`${inPort} ${DROP_NO_PORT}`);
    return packet;
  }
  const send = (bytes: Uint8Array) => outcome.sent.push({ port: portNo, bytes });
  const isShortened = packet.length - V > limit;
  const subject = isShortened ? shorten(packet, limit) : packet;
  if (mtuNeeded(subject, parse(packet).tags) > port.mtu) {
    outcome.drops.push(`${portNo} ${DROP_MTU}`);
    return packet;
  }
  const hasCsum = (port.offloads & OFFLOAD_CSUM) !== 0;
  if (subject[1] !== 0 && !(hasCsum && port.offloads & superBit(subject))) {
    for (const segment of segments(subject, hasCsum)) send(segment);
    return packet;
  }
  if (subject[1] === 0 && needsCsum(subject) && !hasCsum) {
    const full = fill(subject);
    send(full.slice());
    return full;
  }
  send(subject.slice());
  return packet;
}

function shorten(packet: Uint8Array, limit: number): Uint8Array {
  const short = packet.slice(0, V + limit);
  if (needsCsum(short) || short[1] !== 0) short.fill(0, 0, V);
  return short;
}

function superBit(b: Uint8Array): number {
  return b[1] === 5 ? OFFLOAD_USO : (b[1] & 0x7f) === 1 ? OFFLOAD_TSO4 : OFFLOAD_TSO6;
}

function headersEnd(b: Uint8Array): number {
  const { l4, proto } = parse(b);
  return l4 + (proto === 6 ? (b[l4 + 12] >> 4) * 4 : 8);
}

function mtuNeeded(b: Uint8Array, tags: number): number {
  const size = b[1] === 0 ? b.length : headersEnd(b) + viewOf(b).getUint16(4, true);
  return size - V - 14 - 4 * tags;
}

/** The checksum over csum_start to the end, whatever stands there. */
function fill(packet: Uint8Array): Uint8Array {
  const full = packet.slice();
  const v = viewOf(full);
  const start = V + csumStart(full);
  const offset = v.getUint16(8, true);
  const check = ~wordSum(full.slice(start)) & 0xffff;
  v.setUint16(start + offset, check === 0 && offset === 6 ? 0xffff : check);
  full.fill(0, 0, V);
  return full;
}

function segments(b: Uint8Array, isPartial: boolean): Uint8Array[] {
  const headers = headersEnd(b);
  const step = viewOf(b).getUint16(4, true);
  const payload = b.slice(headers);
  const count = Math.ceil(payload.length / step);
  return Array.from({ length: count }, (_, n) => {
    const piece = payload.slice(n * step, (n + 1) * step);
    const segment = Uint8Array.from([...b.slice(0, headers), ...piece]);
    fixSegment(segment, n, n * step, n === count - 1, isPartial);
    return segment;
  });
}

function fixSegment(
  b: Uint8Array,
  n: number,
  before: number,
  isLast: boolean,
  isPartial: boolean,
): void {
  const v = viewOf(b);
  const start = csumStart(b);
  const offset = v.getUint16(8, true);
  b.fill(0, 0, V);
  if (isPartial) {
    b[0] = 1;
    v.setUint16(6, start, true);
    v.setUint16(8, offset, true);
  }
  const p = parse(b);
  if (p.type === 0x0800) {
    v.setUint16(p.l3 + 2, b.length - p.l3);
    v.setUint16(p.l3 + 4, v.getUint16(p.l3 + 4) + n);
  } else v.setUint16(p.l3 + 4, b.length - p.l3 - 40);
  if (p.proto === 6) {
    v.setUint32(p.l4 + 4, v.getUint32(p.l4 + 4) + before);
    if (n > 0) b[p.l4 + 13] &= ~0x80;
    if (!isLast) b[p.l4 + 13] &= ~0x09;
  } else v.setUint16(p.l4 + 4, b.length - p.l4);
  fixChecksums(b);
}
