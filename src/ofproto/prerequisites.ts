/**
 * Whether a flow has the header that a field belongs to. Each question asked
 * goes into the wildcards: another packet could answer it differently. (What
 * is always in a megaflow's mask, eth_type and nw_frag, need not be added.)
 */
import type { Prerequisite } from '../flow/fields.ts';
import { HAS_NSH, PROTO, SHAPE, TP } from '../flow/key.ts';
import {
  ETH_TYPE_IPV4,
  ETH_TYPE_IPV6,
  ethType,
  isArp,
  isIp,
  isLaterFragment,
  NW_PROTO_BITS,
  nwProto,
} from './flow-facts.ts';

/** @param wildcards FLOW_WORDS words; absent when nobody needs to know */
export function isMet(
  prerequisite: Prerequisite,
  flow: Int32Array,
  wildcards?: Int32Array,
): boolean {
  switch (prerequisite) {
    case 'none':
      return true;
    case 'arp':
      return isArp(flow);
    case 'ipv4':
      return ethType(flow) === ETH_TYPE_IPV4;
    case 'ipv6':
      return ethType(flow) === ETH_TYPE_IPV6;
    case 'ip':
      return isIp(flow);
    case 'mpls':
      return ethType(flow) === ETH_TYPE_MPLS || ethType(flow) === ETH_TYPE_MPLS_MCAST;
    case 'nsh':
      return (flow[SHAPE] & HAS_NSH) !== 0;
    case 'ct':
      return false;
    case 'tcp':
      return hasTransport(flow, IPPROTO_TCP, wildcards);
    case 'udp':
      return hasTransport(flow, IPPROTO_UDP, wildcards);
    case 'sctp':
      return hasTransport(flow, IPPROTO_SCTP, wildcards);
    case 'icmpv4':
      return ethType(flow) === ETH_TYPE_IPV4 && hasProto(flow, IPPROTO_ICMP, wildcards);
    case 'icmpv6':
      return isIcmpv6(flow, wildcards);
    case 'nd':
      return isNd(flow, wildcards);
    case 'nd solicit':
      return isNd(flow, wildcards) && icmpType(flow) === ND_SOLICIT;
    case 'nd advert':
      return isNd(flow, wildcards) && icmpType(flow) === ND_ADVERT;
  }
}

const ETH_TYPE_MPLS = 0x8847;
const ETH_TYPE_MPLS_MCAST = 0x8848;
const IPPROTO_ICMP = 1;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_ICMPV6 = 58;
const IPPROTO_SCTP = 132;
const ND_SOLICIT = 135;
const ND_ADVERT = 136;

const icmpType = (flow: Int32Array): number => flow[TP] >>> 16;

function hasProto(flow: Int32Array, proto: number, wildcards: Int32Array | undefined): boolean {
  if (wildcards !== undefined) wildcards[PROTO] |= NW_PROTO_BITS;
  return nwProto(flow) === proto;
}

function hasTransport(flow: Int32Array, proto: number, wildcards: Int32Array | undefined): boolean {
  return isIp(flow) && hasProto(flow, proto, wildcards) && !isLaterFragment(flow);
}

function isIcmpv6(flow: Int32Array, wildcards: Int32Array | undefined): boolean {
  return ethType(flow) === ETH_TYPE_IPV6 && hasProto(flow, IPPROTO_ICMPV6, wildcards);
}

function isNd(flow: Int32Array, wildcards: Int32Array | undefined): boolean {
  if (!isIcmpv6(flow, wildcards)) return false;
  if (wildcards !== undefined) wildcards[TP] = -1;
  if ((flow[TP] & 0xffff) !== 0) return false;
  return icmpType(flow) === ND_SOLICIT || icmpType(flow) === ND_ADVERT;
}
