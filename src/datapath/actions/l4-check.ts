/**
 * Which checksum covers a header field, and writing a field under it.
 *
 * A *check* is one number, so that it can be passed without allocating:
 * `offset << 2 | kind`, the offset counting from the arena's start; 0 is "no
 * checksum". Kinds:
 *
 *   FULL     the complemented sum (IPv4 header, TCP, ICMP, ICMPv6)
 *   UDP      likewise, but a computed 0 is written as 0xffff
 *   PARTIAL  the pseudo-header's sum; somebody after us adds the payload's
 *
 * A full check is updated, never recomputed: one that was wrong stays wrong,
 * so that a receiver still notices.
 */
import { update32, updatePartial32 } from '../../wire/checksum.ts';
import * as icmpv6 from '../../wire/icmpv6.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_TCP, PROTO_UDP } from '../../wire/proto.ts';
import * as tcp from '../../wire/tcp.ts';
import * as udp from '../../wire/udp.ts';
import * as vnet from '../../wire/vnet.ts';
import type { Packets } from './packets.ts';

export const NO_CHECK = 0;

export const fullCheck = (offset: number): number => (offset << KIND_BITS) | FULL;

/** The check that the addresses of packet i are part of. */
export function pseudoCheck(p: Packets, i: number): number {
  const proto = p.nwProto(i);
  return proto === PROTO_ICMP ? NO_CHECK : l4Check(p, i, proto);
}

/** The check that the L4 header of packet i is part of. A partial one is not: it is summed later. */
export function contentCheck(p: Packets, i: number): number {
  const check = l4Check(p, i, p.nwProto(i));
  return (check & KIND_MASK) === PARTIAL ? NO_CHECK : check;
}

/** Where a protocol keeps its check, from its header; -1 if it has none of 16 bits. */
export function checkOffset(proto: number): number {
  if (proto === PROTO_TCP) return tcp.CHECK;
  if (proto === PROTO_UDP) return udp.CHECK;
  // ICMP and ICMPv6 keep it in one place.
  return proto === PROTO_ICMPV6 || proto === PROTO_ICMP ? icmpv6.CHECK : -1;
}

/** Whether the checksum of packet i's L4 header is left to us or to those behind us. */
function isPartial(p: Packets, i: number): boolean {
  const at = p.burst.at[i];
  if ((vnet.flags(p.bytes, at) & vnet.F_NEEDS_CSUM) === 0) return false;
  return vnet.csumStart(p.bytes, at) === p.burst.l4[i];
}

/**
 * Whether a routing header says that the destination is an intermediate one:
 * then the L4 checksum covers the final one instead (RFC 8200, section 8.1).
 */
export function isRouted(p: Packets, ip: number, l4: number): boolean {
  const { bytes } = p;
  let next = ipv6.nextHeader(bytes, ip);
  let o = ip + ipv6.SIZE;
  while (o < l4 && ipv6.isExtension(next)) {
    if (next === ipv6.EXT_ROUTING && bytes[o + SEGMENTS_LEFT] > 0) return true;
    const size = ipv6.extensionSize(bytes, o, next);
    next = bytes[o];
    o += size;
  }
  return false;
}

/**
 * Writes the mask's bits of value to the big-endian word at `o`, which stands
 * at an even distance from the start of what `check` covers.
 */
export function setWord(p: Packets, o: number, value: number, mask: number, check: number): void {
  const old = p.view.getInt32(o);
  const now = (old & ~mask) | (value & mask);
  if (now === old) return;
  p.view.setInt32(o, now);
  updateCheck(p, check, old, now);
}

/** The same for 16 bits. */
export function setHalf(p: Packets, o: number, value: number, mask: number, check: number): void {
  const old = p.view.getUint16(o);
  const now = (old & ~mask) | (value & mask);
  if (now === old) return;
  p.view.setUint16(o, now);
  updateCheck(p, check, old, now);
}

/** A word or half word that `check` covers went from `old` to `now`. */
export function updateCheck(p: Packets, check: number, old: number, now: number): void {
  if (check === NO_CHECK || old === now) return;
  const offset = check >>> KIND_BITS;
  const kind = check & KIND_MASK;
  const before = p.view.getUint16(offset);
  if (kind === PARTIAL) {
    p.view.setUint16(offset, updatePartial32(before, old, now));
    return;
  }
  const after = update32(before, old, now);
  p.view.setUint16(offset, kind === UDP ? udp.nonZero(after) : after);
}

/** In a routing header. */
const SEGMENTS_LEFT = 3;

const FULL = 1;
const UDP = 2;
const PARTIAL = 3;
const KIND_BITS = 2;
const KIND_MASK = 3;

function l4Check(p: Packets, i: number, proto: number): number {
  const l4 = p.burst.l4[i];
  const field = checkOffset(proto);
  if (l4 === 0 || field < 0) return NO_CHECK;
  const offset = p.ethernet(i) + l4 + field;
  if (isPartial(p, i)) return (offset << KIND_BITS) | PARTIAL;
  if (proto !== PROTO_UDP) return fullCheck(offset);
  return p.view.getUint16(offset) === 0 ? NO_CHECK : (offset << KIND_BITS) | UDP;
}
