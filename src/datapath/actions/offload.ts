/**
 * Offloads: what a frame's virtio-net header leaves to be done, whether an
 * output port does it, and the checksum in software where it does not
 * (segmentation is segment.ts). The one place that decides:
 *
 *   port takes            NEEDS_CSUM     super-frame
 *   everything            as it is       as it is
 *   checksums only        as it is       segments, partial checksums
 *   nothing               full checksum  segments, full checksums
 *
 * SCTP's checksum, a CRC, is made whole on receipt: a virtio-net header cannot
 * say that it is one. The kernel of the next hop would take the frame as it is,
 * but could no longer tell what to do if it sends it on (it fills the CRC in
 * itself before a TAP, so such frames come from packet sockets alone).
 *
 * A VLAN tag makes no difference: TAPs and packet sockets take tagged frames
 * as long as csum_start and hdr_len count the tag, which vlan-actions.ts sees to.
 */
import { DROP_BAD_OFFLOAD, DROP_NO_BUFFER, DROP_NONE } from '../../dpif/drops.ts';
import { OFFLOAD_CSUM, OFFLOAD_TSO4, OFFLOAD_TSO6, OFFLOAD_USO } from '../../native.ts';
import { finish, fold, pseudoSum4, pseudoSum6, sum } from '../../wire/checksum.ts';
import * as ethernet from '../../wire/ethernet.ts';
import { PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../../wire/proto.ts';
import * as sctp from '../../wire/sctp.ts';
import * as tcp from '../../wire/tcp.ts';
import * as udp from '../../wire/udp.ts';
import * as vnet from '../../wire/vnet.ts';
import { VNET_SIZE } from '../burst.ts';
import { checkOffset, isRouted } from './l4-check.ts';
import type { Packets } from './packets.ts';
import { tagsSize } from './vlan-actions.ts';

/** What is left to do in software. */
const WORK_NONE = 0;
export const WORK_CHECKSUM = 1;
export const WORK_SEGMENT = 2;

/**
 * Holds a received frame's virtio-net header against the frame, and brings it
 * to the form that the actions rely on: a super-frame has a partial checksum
 * and more than one segment. To be called once for each received frame whose
 * flags or GSO type are not 0, after extraction, before any action.
 *
 * @returns DROP_NONE or DROP_BAD_OFFLOAD
 */
export function checkOffload(p: Packets, i: number): number {
  const at = p.burst.at[i];
  if (vnet.hdrLen(p.bytes, at) > p.frameSize(i)) return DROP_BAD_OFFLOAD;
  const isSuper = vnet.gsoType(p.bytes, at) !== vnet.GSO_NONE;
  if (isSuper && !checkSuperFrame(p, i)) return DROP_BAD_OFFLOAD;
  const isPartial = (vnet.flags(p.bytes, at) & vnet.F_NEEDS_CSUM) !== 0;
  if (isPartial && !checkPartial(p, i)) return DROP_BAD_OFFLOAD;
  if (isPartial && isSctp(p, i)) fillSctpChecksum(p, i);
  return DROP_NONE;
}

/** @param offloads OFFLOAD_* bits of the output port */
export function softwareWork(flags: number, gsoType: number, offloads: number): number {
  if (gsoType !== vnet.GSO_NONE) {
    const needed = OFFLOAD_CSUM | superFrameBit(gsoType);
    return (offloads & needed) === needed ? WORK_NONE : WORK_SEGMENT;
  }
  const isPartial = (flags & vnet.F_NEEDS_CSUM) !== 0;
  return isPartial && (offloads & OFFLOAD_CSUM) === 0 ? WORK_CHECKSUM : WORK_NONE;
}

/** Bytes at L3 of what the frame becomes on a wire: its own, or its largest segment's. */
export function l3Size(p: Packets, i: number): number {
  const link = ethernet.SIZE + tagsSize(p, i);
  const at = p.burst.at[i];
  if (vnet.gsoType(p.bytes, at) === vnet.GSO_NONE) return p.frameSize(i) - link;
  return headersSize(p, i) + vnet.gsoSize(p.bytes, at) - link;
}

/** Bytes of a super-frame's headers, from Ethernet to the end of L4's. */
export function headersSize(p: Packets, i: number): number {
  const l4 = p.burst.l4[i];
  if (p.nwProto(i) !== PROTO_TCP) return l4 + udp.SIZE;
  return l4 + tcp.headerLength(p.bytes, p.ethernet(i) + l4);
}

/** Replaces a partial checksum by the full one; the virtio-net header becomes empty. */
export function fillChecksum(p: Packets, i: number): number {
  const at = p.burst.at[i];
  const start = vnet.csumStart(p.bytes, at);
  const offset = vnet.csumOffset(p.bytes, at);
  if (!p.own(i, start + offset + 2)) return DROP_NO_BUFFER;
  const { burst, bytes } = p;
  const first = p.ethernet(i) + start;
  const end = burst.at[i] + burst.size[i];
  const total = sumOfTwo(bytes, first, end, burst.bodyAt[i], burst.bodyAt[i] + burst.bodySize[i]);
  setFullCheck(p, first + offset, offset, total);
  vnet.clear(bytes, burst.at[i]);
  return DROP_NONE;
}

/** The sum over two pieces of a packet that follow one another. */
export function sumOfTwo(
  b: Uint8Array,
  from: number,
  to: number,
  from2: number,
  to2: number,
): number {
  const second = fold(sum(b, from2, to2));
  // Behind an odd piece, high and low bytes change places.
  const placed = ((to - from) & 1) === 0 ? second : ((second & 0xff) << 8) | (second >>> 8);
  return sum(b, from, to) + placed;
}

/** @param offset the field's from the L4 header: UDP's tells that 0 is to be written as 0xffff */
export function setFullCheck(p: Packets, o: number, offset: number, total: number): void {
  const check = finish(total);
  p.view.setUint16(o, offset === udp.CHECK ? udp.nonZero(check) : check);
}

function superFrameBit(gsoType: number): number {
  switch (gsoType & ~vnet.GSO_ECN) {
    case vnet.GSO_TCPV4:
      return OFFLOAD_TSO4;
    case vnet.GSO_TCPV6:
      return OFFLOAD_TSO6;
    default:
      return OFFLOAD_USO;
  }
}

/** Where csum_start is beyond doubt L4's, the field must be L4's too. */
function checkPartial(p: Packets, i: number): boolean {
  const { bytes, burst } = p;
  const start = vnet.csumStart(bytes, burst.at[i]);
  const offset = vnet.csumOffset(bytes, burst.at[i]);
  const least = Math.max(ethernet.SIZE + tagsSize(p, i), burst.l3[i], burst.l4[i]);
  if (start < least || start + offset + 2 > p.frameSize(i)) return false;
  const field = isSctp(p, i) ? sctp.CHECK : checkOffset(p.nwProto(i));
  return burst.l4[i] === 0 || start > burst.l4[i] || field < 0 || offset === field;
}

/** With csum_start at SCTP's header: an inner packet's checksum is somebody else's. */
const isSctp = (p: Packets, i: number): boolean =>
  p.nwProto(i) === PROTO_SCTP &&
  p.burst.l4[i] > 0 &&
  vnet.csumStart(p.bytes, p.burst.at[i]) === p.burst.l4[i];

/** A frame as received is this packet's own, and in one piece. */
function fillSctpChecksum(p: Packets, i: number): void {
  const frame = p.ethernet(i);
  sctp.fillChecksum(p.bytes, frame + p.burst.l4[i], frame + p.burst.l3[i] + p.ipSize(i));
  vnet.clear(p.bytes, p.burst.at[i]);
}

function checkSuperFrame(p: Packets, i: number): boolean {
  const { bytes, burst } = p;
  const at = burst.at[i];
  const size = vnet.gsoSize(bytes, at);
  if (size === 0 || !isTypeOfFrame(p, i, vnet.gsoType(bytes, at))) return false;
  if (burst.l3[i] + p.ipSize(i) !== p.frameSize(i)) return false;
  const headers = headersSize(p, i);
  if (headers < burst.l4[i] + checkOffset(p.nwProto(i)) + 2 || headers > p.frameSize(i))
    return false;
  if (!makePartial(p, i)) return false;
  if (p.frameSize(i) - headers <= size) {
    vnet.setGsoType(bytes, at, vnet.GSO_NONE);
    vnet.setGsoSize(bytes, at, 0);
  }
  return true;
}

function isTypeOfFrame(p: Packets, i: number, gsoType: number): boolean {
  if (p.burst.l4[i] === 0 || p.isFragment(i)) return false;
  const proto = p.nwProto(i);
  switch (gsoType) {
    case vnet.GSO_TCPV4:
    case vnet.GSO_TCPV4 | vnet.GSO_ECN:
      return proto === PROTO_TCP && p.ethType(i) === ethernet.TYPE_IPV4;
    case vnet.GSO_TCPV6:
    case vnet.GSO_TCPV6 | vnet.GSO_ECN:
      return proto === PROTO_TCP && p.ethType(i) === ethernet.TYPE_IPV6;
    case vnet.GSO_UDP_L4:
      return proto === PROTO_UDP;
    default:
      return false;
  }
}

/**
 * A super-frame made by a receiver (LRO) may lack NEEDS_CSUM; virtio asks for
 * it (1.2, section 5.1.6.2), and so does segmentation.
 */
function makePartial(p: Packets, i: number): boolean {
  const { bytes, burst } = p;
  const at = burst.at[i];
  const l4 = burst.l4[i];
  const flags = vnet.flags(bytes, at);
  if ((flags & vnet.F_NEEDS_CSUM) !== 0) return vnet.csumStart(bytes, at) === l4;
  const proto = p.nwProto(i);
  const ip = at + VNET_SIZE + burst.l3[i];
  const isIpv4 = p.ethType(i) === ethernet.TYPE_IPV4;
  if (!isIpv4 && isRouted(p, ip, at + VNET_SIZE + l4)) return false;
  const size = p.frameSize(i) - l4;
  const pseudo = isIpv4 ? pseudoSum4(bytes, ip, proto, size) : pseudoSum6(bytes, ip, proto, size);
  p.view.setUint16(at + VNET_SIZE + l4 + checkOffset(proto), fold(pseudo));
  vnet.setFlags(bytes, at, flags | vnet.F_NEEDS_CSUM);
  vnet.setCsumStart(bytes, at, l4);
  vnet.setCsumOffset(bytes, at, checkOffset(proto));
  return true;
}
