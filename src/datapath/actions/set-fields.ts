/**
 * SET_* actions: masked writes to header fields, with every checksum kept as
 * true as it was. Arguments are read from the action list in place; their order
 * is in dpif/actions.ts. Each returns DROP_NONE or why the packet must go:
 * the header is missing, or there is no slot to copy it to.
 */
import { DROP_BAD_ACTION, DROP_NO_BUFFER, DROP_NONE } from '../../dpif/drops.ts';
import * as arp from '../../wire/arp.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as icmpv6 from '../../wire/icmpv6.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { PROTO_ICMPV6 } from '../../wire/proto.ts';
import {
  contentCheck,
  fullCheck,
  isRouted,
  NO_CHECK,
  pseudoCheck,
  setHalf,
  setWord,
  updateCheck,
} from './l4-check.ts';
import type { Packets } from './packets.ts';

/** @param a where the arguments begin in `words`, here and below */
export function setEthernet(p: Packets, i: number, words: Int32Array, a: number): number {
  if (!p.own(i, ethernet.SIZE)) return DROP_NO_BUFFER;
  const o = p.ethernet(i);
  setWord(p, o, words[a], words[a + MAC_WORDS], NO_CHECK);
  setWord(p, o + 4, words[a + 1], words[a + MAC_WORDS + 1], NO_CHECK);
  setWord(p, o + 8, words[a + 2], words[a + MAC_WORDS + 2], NO_CHECK);
  return DROP_NONE;
}

export function setIpv4(p: Packets, i: number, words: Int32Array, a: number): number {
  if (p.ethType(i) !== ethernet.TYPE_IPV4 || p.burst.l3[i] === 0) return DROP_BAD_ACTION;
  if (!p.ownHeaders(i)) return DROP_NO_BUFFER;
  const o = p.ethernet(i) + p.burst.l3[i];
  const header = fullCheck(o + ipv4.CHECK);
  // Most lists change no address: then neither is looked at, nor the checksum over them.
  if ((words[a + 1] | words[a + 3]) !== 0) {
    const l4 = pseudoCheck(p, i);
    setAddress4(p, o + ipv4.SRC, words[a], words[a + 1], header, l4);
    setAddress4(p, o + ipv4.DST, words[a + 2], words[a + 3], header, l4);
  }
  const tosTtl = words[a + 4];
  const mask = words[a + 5];
  if (mask >>> 8 !== 0) setHalf(p, o + ipv4.VERSION_IHL, tosTtl >>> 8, (mask >>> 8) & 0xff, header);
  setHalf(p, o + ipv4.TTL, (tosTtl & 0xff) << 8, (mask & 0xff) << 8, header);
  return DROP_NONE;
}

export function setIpv6(p: Packets, i: number, words: Int32Array, a: number): number {
  if (p.ethType(i) !== ethernet.TYPE_IPV6 || p.burst.l3[i] === 0) return DROP_BAD_ACTION;
  if (!p.ownHeaders(i)) return DROP_NO_BUFFER;
  const o = p.ethernet(i) + p.burst.l3[i];
  const l4 = pseudoCheck(p, i);
  const l4Dst = isRouted(p, o, p.ethernet(i) + p.burst.l4[i]) ? NO_CHECK : l4;
  setAddress6(p, o + ipv6.SRC, words, a, l4);
  setAddress6(p, o + ipv6.DST, words, a + 2 * ADDRESS_WORDS, l4Dst);
  const rest = a + 4 * ADDRESS_WORDS;
  const tosTtl = words[rest + 2];
  const mask = words[rest + 3];
  const first = ((tosTtl >>> 8) << TCLASS_SHIFT) | (words[rest] & ipv6.LABEL_MASK);
  const firstMask = ((mask & 0xff00) << (TCLASS_SHIFT - 8)) | (words[rest + 1] & ipv6.LABEL_MASK);
  setWord(p, o, first, firstMask, NO_CHECK);
  setHalf(p, o + ipv6.NEXT_HEADER, tosTtl & 0xff, mask & 0xff, NO_CHECK);
  return DROP_NONE;
}

export function setArp(p: Packets, i: number, words: Int32Array, a: number): number {
  const type = p.ethType(i);
  if (p.burst.l3[i] === 0 || (type !== ethernet.TYPE_ARP && type !== ethernet.TYPE_RARP)) {
    return DROP_BAD_ACTION;
  }
  if (!p.own(i, p.burst.l3[i] + arp.SIZE)) return DROP_NO_BUFFER;
  const o = p.ethernet(i) + p.burst.l3[i];
  setHalf(p, o + arp.OP, words[a], words[a + 1] & 0xffff, NO_CHECK);
  setWord(p, o + arp.SPA, words[a + 2], words[a + 3], NO_CHECK);
  setWord(p, o + arp.TPA, words[a + 4], words[a + 5], NO_CHECK);
  setFirstMac(p, o + arp.SHA, words, a + 6, NO_CHECK);
  setSecondMac(p, o + arp.THA, words, a + 6, NO_CHECK);
  return DROP_NONE;
}

/** Neighbour discovery; an address whose option is absent is not added. */
export function setNd(p: Packets, i: number, words: Int32Array, a: number): number {
  const { burst } = p;
  const isIcmpv6 = p.ethType(i) === ethernet.TYPE_IPV6 && p.nwProto(i) === PROTO_ICMPV6;
  if (!isIcmpv6 || burst.l4[i] === 0) return DROP_BAD_ACTION;
  const size = p.ipSize(i) - (burst.l4[i] - burst.l3[i]);
  if (size < icmpv6.ND_SIZE) return DROP_BAD_ACTION;
  // Options may be anywhere behind: the frame becomes one segment.
  if (!p.own(i, p.frameSize(i))) return DROP_NO_BUFFER;
  const o = p.ethernet(i) + burst.l4[i];
  const check = contentCheck(p, i);
  setAddress6(p, o + icmpv6.ND_TARGET, words, a, check);
  setLinkAddresses(p, o + icmpv6.ND_OPTIONS, o + size, words, a + 2 * ADDRESS_WORDS, check);
  return DROP_NONE;
}

const MAC_WORDS = 3;
const ADDRESS_WORDS = 4;
const TCLASS_SHIFT = 20;

function setAddress4(
  p: Packets,
  o: number,
  value: number,
  mask: number,
  header: number,
  l4: number,
): void {
  const old = p.view.getInt32(o);
  setWord(p, o, value, mask, header);
  updateCheck(p, l4, old, p.view.getInt32(o));
}

/** Four words of value, then four of mask. */
function setAddress6(p: Packets, o: number, words: Int32Array, a: number, check: number): void {
  for (let w = 0; w < ADDRESS_WORDS; w++) {
    setWord(p, o + 4 * w, words[a + w], words[a + ADDRESS_WORDS + w], check);
  }
}

/** Of two addresses packed as ARP_0..2, values then masks, the first. */
function setFirstMac(p: Packets, o: number, words: Int32Array, a: number, check: number): void {
  setWord(p, o, words[a], words[a + MAC_WORDS], check);
  setHalf(p, o + 4, words[a + 1] >>> 16, words[a + MAC_WORDS + 1] >>> 16, check);
}

function setSecondMac(p: Packets, o: number, words: Int32Array, a: number, check: number): void {
  setHalf(p, o, words[a + 1] & 0xffff, words[a + MAC_WORDS + 1] & 0xffff, check);
  setWord(p, o + 2, words[a + 2], words[a + MAC_WORDS + 2], check);
}

function setLinkAddresses(
  p: Packets,
  start: number,
  end: number,
  words: Int32Array,
  a: number,
  check: number,
): void {
  let o = start;
  while (end - o >= icmpv6.OPTION_SIZE) {
    const type = icmpv6.optionType(p.bytes, o);
    const size = icmpv6.optionSize(p.bytes, o);
    if (size === 0 || size > end - o) return;
    if (size === icmpv6.OPTION_SIZE) {
      if (type === icmpv6.OPTION_SOURCE_LINK) setFirstMac(p, o + 2, words, a, check);
      else if (type === icmpv6.OPTION_TARGET_LINK) setSecondMac(p, o + 2, words, a, check);
    }
    o += size;
  }
}
