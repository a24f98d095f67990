/**
 * What translation asks of a flow: which protocol it is. Functions over
 * FLOW_WORDS words (flow/key.ts).
 */
import {
  ETH_TYPE_SHIFT,
  FRAG_LATER,
  MAC_0,
  MAC_1,
  MAC_2,
  NW_PROTO_SHIFT,
  PROTO,
  SHAPE,
} from '../flow/key.ts';

export const ETH_TYPE_IPV4 = 0x0800;
export const ETH_TYPE_ARP = 0x0806;
export const ETH_TYPE_RARP = 0x8035;
export const ETH_TYPE_IPV6 = 0x86dd;
export const ETH_TYPE_VLAN = 0x8100;
export const ETH_TYPE_VLAN_SERVICE = 0x88a8;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;

/** Bits of the PROTO word. */
export const ETH_TYPE_BITS = 0xffff << ETH_TYPE_SHIFT;
export const NW_PROTO_BITS = 0xff << NW_PROTO_SHIFT;

export const ethType = (flow: Int32Array): number => flow[PROTO] >>> ETH_TYPE_SHIFT;
export const nwProto = (flow: Int32Array): number => (flow[PROTO] >>> NW_PROTO_SHIFT) & 0xff;

export function isIp(flow: Int32Array): boolean {
  const type = ethType(flow);
  return type === ETH_TYPE_IPV4 || type === ETH_TYPE_IPV6;
}

export function isArp(flow: Int32Array): boolean {
  const type = ethType(flow);
  return type === ETH_TYPE_ARP || type === ETH_TYPE_RARP;
}

/** ICMP over IPv4, or ICMPv6. */
export function isIcmp(flow: Int32Array): boolean {
  const type = ethType(flow);
  if (type === ETH_TYPE_IPV4) return nwProto(flow) === IPPROTO_ICMP;
  return type === ETH_TYPE_IPV6 && nwProto(flow) === IPPROTO_ICMPV6;
}

export const isLaterFragment = (flow: Int32Array): boolean => (flow[SHAPE] & FRAG_LATER) !== 0;

/** Ethernet addresses as 48-bit numbers. */
export const ethDst = (flow: Int32Array): number =>
  (flow[MAC_0] >>> 0) * 0x1_0000 + (flow[MAC_1] >>> 16);
export const ethSrc = (flow: Int32Array): number =>
  (flow[MAC_1] & 0xffff) * 0x1_0000_0000 + (flow[MAC_2] >>> 0);
