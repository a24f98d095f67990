/**
 * SET_TP: ports of TCP, UDP and SCTP, type and code of ICMP and ICMPv6. The
 * word is the flow key's TP.
 */
import { DROP_BAD_ACTION, DROP_NO_BUFFER, DROP_NONE } from '../../dpif/drops.ts';
import { crc32cAdd, sum } from '../../wire/checksum.ts';
import * as icmp from '../../wire/icmp.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../../wire/proto.ts';
import * as sctp from '../../wire/sctp.ts';
import { contentCheck, NO_CHECK, setHalf, setWord } from './l4-check.ts';
import type { Packets } from './packets.ts';

/** @param a where value and mask stand in `words` */
export function setPorts(p: Packets, i: number, words: Int32Array, a: number): number {
  if (p.burst.l4[i] === 0) return DROP_BAD_ACTION;
  if (!p.ownHeaders(i)) return DROP_NO_BUFFER;
  const o = p.ethernet(i) + p.burst.l4[i];
  const value = words[a];
  const mask = words[a + 1];
  switch (p.nwProto(i)) {
    case PROTO_TCP:
    case PROTO_UDP:
      setWord(p, o, value, mask, contentCheck(p, i));
      return DROP_NONE;
    case PROTO_ICMP:
      setIcmp(p, i, o, typeAndCode(value), typeAndCode(mask));
      return DROP_NONE;
    case PROTO_ICMPV6:
      setHalf(p, o, typeAndCode(value), typeAndCode(mask), contentCheck(p, i));
      return DROP_NONE;
    case PROTO_SCTP:
      return setSctpPorts(p, i, o, value, mask);
    default:
      return DROP_BAD_ACTION;
  }
}

/** type << 16 | code, as they stand in the header. */
const typeAndCode = (tp: number): number => ((tp >>> 8) & 0xff00) | (tp & 0xff);

/**
 * ICMP's checksum covers no pseudo-header, so what it covers can be all zeros:
 * then it is 0xffff, where an update, which cannot tell +0 from -0, yields 0.
 */
function setIcmp(p: Packets, i: number, o: number, value: number, mask: number): void {
  const old = p.view.getUint16(o);
  const check = contentCheck(p, i);
  setHalf(p, o, value, mask, check);
  if (check === NO_CHECK || p.view.getUint16(o) === old || p.isFragment(i)) return;
  if (p.view.getUint16(o + icmp.CHECK) === 0 && isZero(p, i, o)) {
    p.view.setUint16(o + icmp.CHECK, 0xffff);
  }
}

/** Whether packet i has nothing but zeros from `o`, which is L4's start, to the end of its IP packet. */
function isZero(p: Packets, i: number, o: number): boolean {
  const { at, size, bodyAt } = p.burst;
  const left = p.ipSize(i) - (p.burst.l4[i] - p.burst.l3[i]);
  const inHead = Math.min(left, at[i] + size[i] - o);
  return sum(p.bytes, o, o + inHead) + sum(p.bytes, bodyAt[i], bodyAt[i] + left - inHead) === 0;
}

/**
 * A CRC is linear: the new one differs from the old by the CRC, begun with 0,
 * of the difference followed by as many zeros as there are bytes behind it.
 * So the payload need not be read, and a wrong checksum stays wrong. It is
 * never partial here: offload.ts.
 */
function setSctpPorts(p: Packets, i: number, o: number, value: number, mask: number): number {
  const difference = (p.view.getInt32(o) ^ value) & mask;
  if (difference === 0) return DROP_NONE;
  // How many bytes are behind a first fragment is not known.
  if (p.isFragment(i)) return DROP_BAD_ACTION;
  setWord(p, o, value, mask, NO_CHECK);
  for (let b = 0; b < 4; b++) DIFFERENCE[b] = difference >>> (24 - 8 * b);
  let crc = crc32cAdd(0, DIFFERENCE, 0, DIFFERENCE.length);
  let zeros = p.ipSize(i) - (p.burst.l4[i] - p.burst.l3[i]) - 4;
  for (; zeros > ZEROS.length; zeros -= ZEROS.length) crc = crc32cAdd(crc, ZEROS, 0, ZEROS.length);
  crc = crc32cAdd(crc, ZEROS, 0, zeros);
  p.view.setInt32(o + sctp.CHECK, p.view.getInt32(o + sctp.CHECK, true) ^ crc, true);
  return DROP_NONE;
}

const DIFFERENCE = new Uint8Array(4);
const ZEROS = new Uint8Array(1024);
