/**
 * The oracle of extract.ts: the same key, by a parser that reads like the
 * headers' definitions. It cuts the frame into ever smaller pieces, one a
 * layer, so that no layer can see past its own end; and sets fields by the
 * field table, so that it shares no offset or shift with the fast one. For
 * tests and tools; it allocates freely.
 */
import * as arp from '../wire/arp.ts';
import { wide } from '../wire/bytes.ts';
import * as ethernet from '../wire/ethernet.ts';
import * as icmp from '../wire/icmp.ts';
import * as icmpv6 from '../wire/icmpv6.ts';
import * as igmp from '../wire/igmp.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as mpls from '../wire/mpls.ts';
import * as nsh from '../wire/nsh.ts';
import {
  PROTO_ICMP,
  PROTO_ICMPV6,
  PROTO_IGMP,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
} from '../wire/proto.ts';
import * as sctp from '../wire/sctp.ts';
import * as tcp from '../wire/tcp.ts';
import * as udp from '../wire/udp.ts';
import * as vlan from '../wire/vlan.ts';
import { requireField } from './fields.ts';
import * as key from './key.ts';
import { writeField } from './match.ts';

/** @returns KEY_WORDS words, all zero but in_port for a frame that has no Ethernet header */
export function extractReference(frame: Uint8Array, inPort: number): Int32Array {
  const flow = new Int32Array(key.KEY_WORDS);
  set(flow, 'in_port', inPort);
  if (!ethernet.check(frame, 0, frame.length)) return flow;
  set(flow, 'eth_dst', wide(frame, ethernet.DST, 6));
  set(flow, 'eth_src', wide(frame, ethernet.SRC, 6));
  parseTags(flow, frame.subarray(ethernet.TYPE));
  return flow;
}

/** `b` begins with a type or TPID, of which two bytes are there. */
function parseTags(flow: Int32Array, b: Uint8Array): void {
  let rest = b;
  for (const word of [key.VLAN_0, key.VLAN_1]) {
    const type = Number(wide(rest, 0, 2));
    if (!vlan.isTpid(type) || rest.length < vlan.SIZE + 2) break;
    flow[word] = (type << 16) | vlan.tci(rest, vlan.TPID) | key.VLAN_CFI;
    rest = rest.subarray(vlan.SIZE);
  }
  const type = Number(wide(rest, 0, 2));
  const body = rest.subarray(2);
  if (type >= ethernet.MIN_TYPE) parsePayload(flow, type, body);
  else parseLlc(flow, body);
}

function parseLlc(flow: Int32Array, b: Uint8Array): void {
  const isSnap = b.length >= ethernet.LLC_SNAP_SIZE && ethernet.isSnapWithType(b, 0);
  if (isSnap && ethernet.snapType(b, 0) >= ethernet.MIN_TYPE) {
    parsePayload(flow, ethernet.snapType(b, 0), b.subarray(ethernet.LLC_SNAP_SIZE));
  } else {
    set(flow, 'eth_type', ethernet.TYPE_NONE);
  }
}

function parsePayload(flow: Int32Array, type: number, b: Uint8Array): void {
  set(flow, 'eth_type', type);
  if (type === ethernet.TYPE_IPV4) parseIpv4(flow, b);
  else if (type === ethernet.TYPE_IPV6) parseIpv6(flow, b);
  else if (type === ethernet.TYPE_ARP || type === ethernet.TYPE_RARP) parseArp(flow, b);
  else if (mpls.isMpls(type)) parseMpls(flow, b);
  else if (type === ethernet.TYPE_NSH) parseNsh(flow, b);
}

function parseIpv4(flow: Int32Array, b: Uint8Array): void {
  if (!ipv4.check(b, 0, b.length) || b.length - ipv4.totalLength(b, 0) > 0xffff) return;
  const fragment = ipv4.fragment(b, 0);
  const isLater = (fragment & ipv4.FRAGMENT_OFFSET_MASK) !== 0;
  setFragment(flow, isLater || (fragment & ipv4.MORE_FRAGMENTS) !== 0, isLater);
  set(flow, 'ip_src', wide(b, ipv4.SRC, 4));
  set(flow, 'ip_dst', wide(b, ipv4.DST, 4));
  setTosTtl(flow, ipv4.tos(b, 0), ipv4.ttl(b, 0));
  const payload = b.subarray(ipv4.headerLength(b, 0), ipv4.totalLength(b, 0));
  parseTransport(flow, ipv4.proto(b, 0), payload);
}

function parseIpv6(flow: Int32Array, b: Uint8Array): void {
  if (!ipv6.check(b, 0, b.length)) return;
  const payload = b.subarray(ipv6.SIZE, ipv6.SIZE + ipv6.payloadLength(b, 0));
  if (b.length - ipv6.SIZE - payload.length > 0xffff) return;
  flow[key.SHAPE] |= key.HAS_IPV6;
  set(flow, 'ipv6_src', wide(b, ipv6.SRC, 16));
  set(flow, 'ipv6_dst', wide(b, ipv6.DST, 16));
  const upper = walkExtensions(ipv6.nextHeader(b, 0), payload);
  if (upper === undefined) return;
  set(flow, 'ipv6_label', ipv6.label(b, 0));
  setTosTtl(flow, ipv6.trafficClass(b, 0), ipv6.hopLimit(b, 0));
  setFragment(flow, upper.isFragment, upper.isLater);
  parseTransport(flow, upper.proto, upper.body);
}

interface UpperLayer {
  proto: number;
  body: Uint8Array;
  isFragment: boolean;
  isLater: boolean;
}

/** @returns undefined if an extension header is not whole */
function walkExtensions(first: number, payload: Uint8Array): UpperLayer | undefined {
  const upper = { proto: first, body: payload, isFragment: false, isLater: false };
  while (ipv6.isExtension(upper.proto) && !upper.isLater) {
    if (upper.body.length < ipv6.EXT_SIZE) return undefined;
    const size = ipv6.extensionSize(upper.body, 0, upper.proto);
    if (size > upper.body.length) return undefined;
    if (upper.proto === ipv6.EXT_FRAGMENT) {
      const fragment = Number(wide(upper.body, 2, 2));
      upper.isFragment ||= fragment !== 0;
      upper.isLater = (fragment & ipv6.FRAGMENT_OFFSET_MASK) !== 0;
    }
    if (!upper.isLater) upper.proto = upper.body[0];
    upper.body = upper.body.subarray(size);
  }
  return upper;
}

function setFragment(flow: Int32Array, isFragment: boolean, isLater: boolean): void {
  if (isFragment) flow[key.SHAPE] |= key.FRAG_ANY;
  if (isLater) flow[key.SHAPE] |= key.FRAG_LATER;
}

function setTosTtl(flow: Int32Array, tos: number, ttl: number): void {
  set(flow, 'nw_tos', tos & 0xfc);
  set(flow, 'nw_ecn', tos & 0x03);
  set(flow, 'nw_ttl', ttl);
}

function parseTransport(flow: Int32Array, proto: number, b: Uint8Array): void {
  set(flow, 'nw_proto', proto);
  if ((flow[key.SHAPE] & key.FRAG_LATER) !== 0) return;
  const end = b.length;
  if (proto === PROTO_TCP && tcp.check(b, 0, end)) {
    setPorts(flow, tcp.srcPort(b, 0), tcp.dstPort(b, 0));
    set(flow, 'tcp_flags', tcp.flags(b, 0));
  } else if (proto === PROTO_UDP && udp.check(b, 0, end)) {
    setPorts(flow, udp.srcPort(b, 0), udp.dstPort(b, 0));
  } else if (proto === PROTO_SCTP && sctp.check(b, 0, end)) {
    setPorts(flow, sctp.srcPort(b, 0), sctp.dstPort(b, 0));
  } else if (proto === PROTO_ICMP && icmp.check(b, 0, end)) {
    setPorts(flow, icmp.type(b, 0), icmp.code(b, 0));
  } else if (proto === PROTO_IGMP && igmp.check(b, 0, end)) {
    setPorts(flow, igmp.type(b, 0), igmp.code(b, 0));
  } else if (proto === PROTO_ICMPV6 && end >= icmpv6.SIZE_WITH_REST) {
    setPorts(flow, icmpv6.type(b, 0), icmpv6.code(b, 0));
    if (icmpv6.isNd(b, 0)) parseNd(flow, b);
  }
}

function setPorts(flow: Int32Array, src: number, dst: number): void {
  set(flow, 'tcp_src', src);
  set(flow, 'tcp_dst', dst);
}

function parseNd(flow: Int32Array, b: Uint8Array): void {
  flow[key.SHAPE] |= key.HAS_ND;
  set(flow, 'nd_reserved', wide(b, icmpv6.ND_RESERVED, 4));
  if (b.length < icmpv6.ND_SIZE) return;
  const options = readNdOptions(b.subarray(icmpv6.ND_OPTIONS));
  set(flow, 'nd_options_type', options.first);
  if (!options.isValid) return;
  set(flow, 'nd_target', wide(b, icmpv6.ND_TARGET, 16));
  set(flow, 'nd_sll', options.sll);
  set(flow, 'nd_tll', options.tll);
}

interface NdOptions {
  /** The first link-layer address option's type; 0 if there is none. */
  first: number;
  sll: bigint;
  tll: bigint;
  /** false when an address was given twice. */
  isValid: boolean;
}

function readNdOptions(b: Uint8Array): NdOptions {
  const found: NdOptions = { first: 0, sll: 0n, tll: 0n, isValid: true };
  let rest = b;
  while (found.isValid && rest.length >= icmpv6.OPTION_SIZE) {
    const size = icmpv6.optionSize(rest, 0);
    if (size === 0 || size > rest.length) break;
    if (size === icmpv6.OPTION_SIZE) noteLink(found, icmpv6.optionType(rest, 0), wide(rest, 2, 6));
    rest = rest.subarray(size);
  }
  return found;
}

function noteLink(found: NdOptions, type: number, mac: bigint): void {
  if (type === icmpv6.OPTION_SOURCE_LINK) {
    found.isValid = found.sll === 0n;
    found.sll = mac;
  } else if (type === icmpv6.OPTION_TARGET_LINK) {
    found.isValid = found.tll === 0n;
    found.tll = mac;
  } else {
    return;
  }
  if (found.first === 0) found.first = type;
}

function parseArp(flow: Int32Array, b: Uint8Array): void {
  if (!arp.check(b, 0, b.length)) return;
  flow[key.SHAPE] |= key.HAS_ND;
  if (arp.op(b, 0) <= 0xff) set(flow, 'arp_op', arp.op(b, 0));
  set(flow, 'arp_spa', wide(b, arp.SPA, 4));
  set(flow, 'arp_tpa', wide(b, arp.TPA, 4));
  set(flow, 'arp_sha', wide(b, arp.SHA, 6));
  set(flow, 'arp_tha', wide(b, arp.THA, 6));
}

function parseMpls(flow: Int32Array, b: Uint8Array): void {
  for (let i = 0; i < key.MPLS_DEPTH; i++) {
    const at = i * mpls.SIZE;
    if (!mpls.check(b, at, b.length)) return;
    flow[key.SHAPE] |= key.HAS_MPLS;
    flow[key.MPLS_0 + i] = mpls.lse(b, at);
    if (mpls.isBottom(b, at)) return;
  }
}

function parseNsh(flow: Int32Array, b: Uint8Array): void {
  if (b.length < nsh.SIZE || nsh.headerLength(b, 0) > b.length || nsh.version(b, 0) !== 0) return;
  const mdType = nsh.mdType(b, 0);
  const size = nsh.headerLength(b, 0);
  if (mdType === nsh.MD_TYPE_1 && size !== nsh.MD1_SIZE) return;
  if (mdType === nsh.MD_TYPE_2 && size < nsh.SIZE) return;
  flow[key.SHAPE] |= key.HAS_NSH;
  set(flow, 'nsh_flags', nsh.flags(b, 0));
  set(flow, 'nsh_ttl', nsh.ttl(b, 0));
  set(flow, 'nsh_mdtype', mdType);
  set(flow, 'nsh_np', nsh.nextProto(b, 0));
  set(flow, 'nsh_spi', nsh.path(b, 0) >>> 8);
  set(flow, 'nsh_si', nsh.path(b, 0) & 0xff);
  if (mdType !== nsh.MD_TYPE_1) return;
  for (let i = 0; i < 4; i++) set(flow, `nsh_c${i + 1}`, BigInt(nsh.context(b, 0, i)));
}

const set = (flow: Int32Array, name: string, value: bigint | number): void =>
  writeField(flow, requireField(name), BigInt(value));
