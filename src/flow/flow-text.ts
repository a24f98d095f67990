/**
 * Whole flows as text: what `ofproto/trace` takes (`in_port=1,tcp,nw_src=...`)
 * and what it prints after "Flow:". A flow is written like a match on
 * everything that a packet of its protocols has, less the metadata that is 0.
 */
import { TapflowError } from '../lib/error.ts';
import * as ethernet from '../wire/ethernet.ts';
import { NEIGHBOR_ADVERT, NEIGHBOR_SOLICIT } from '../wire/icmpv6.ts';
import { BOTTOM, isMpls } from '../wire/mpls.ts';
import {
  PROTO_ICMP,
  PROTO_ICMPV6,
  PROTO_IGMP,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
} from '../wire/proto.ts';
import { FIELDS, requireField } from './fields.ts';
import * as key from './key.ts';
import { exactMask, getField, type Match, newMatch, setField } from './match.ts';
import { formatMatch, TUN_FLAGS_MASK } from './match-format.ts';
import { parseMatch } from './match-text.ts';
import { OFPP_NONE, type PortNames } from './ports.ts';

/**
 * A flow from text; fields that are not named are 0, in_port is ANY.
 *
 * @returns FLOW_WORDS words
 * @throws TapflowError BAD_MATCH, also for a field with a mask
 */
export function parseFlow(text: string, ports?: PortNames): Int32Array {
  const match = parseMatch(text, ports);
  checkExact(match);
  const flow = match.value;
  if (match.mask[key.IN_PORT] === 0) flow[key.IN_PORT] = OFPP_NONE;
  if (flow[key.VLAN_0] & key.VLAN_CFI) flow[key.VLAN_0] |= ethernet.TYPE_VLAN << 16;
  for (const [start, end, bit] of key.BLOCKS) {
    if (flow.subarray(start, end).some((word) => word !== 0)) flow[key.SHAPE] |= bit;
  }
  return flow;
}

/** `tcp,in_port=1,vlan_tci=0x0000,dl_src=...`. A key (KEY_WORDS words) will do, too. */
export function formatFlow(words: Int32Array, ports?: PortNames): string {
  return formatMatch(matchOnAll(words), ports);
}

/** A flow cannot be half known. */
function checkExact(match: Match): void {
  for (const field of FIELDS) {
    const mask = getField(match.mask, field);
    if (mask === 0n || mask === exactMask(field) || SHARING.has(field.name)) continue;
    throw new TapflowError(
      'BAD_MATCH',
      `${field.name} has a mask, but a flow needs whole values: leave the mask out`,
    );
  }
}

/** Fields whose bits may be there in part because another field was named. */
const SHARING: ReadonlySet<string> = new Set([
  'vlan_tci',
  'vlan_vid',
  ...FIELDS.filter((field) => /^x+reg/.test(field.name)).map((field) => field.name),
]);

function matchOnAll(words: Int32Array): Match {
  const match = newMatch();
  const flow = new Int32Array(key.FLOW_WORDS);
  flow.set(words);
  const put = (names: readonly string[]): void => {
    for (const name of names) putField(match, flow, name);
  };
  put(METADATA.filter((name) => isSet(flow, name)));
  if (isSet(flow, 'ct_nw_proto')) put(conntrackTuple(flow));
  if (TUNNEL_ADDRESSES.some((name) => isSet(flow, name))) putTunnel(match, flow);
  put(['eth_src', 'eth_dst', 'eth_type']);
  putTags(match, flow);
  putNetwork(match, flow, put);
  return match;
}

/** Of these, what is 0 is left out. */
const METADATA: readonly string[] = [
  'pkt_mark',
  'recirc_id',
  'dp_hash',
  'skb_priority',
  'ct_state',
  'ct_zone',
  'ct_mark',
  'ct_label',
  ...Array.from({ length: key.REG_COUNT }, (_, i) => `reg${i}`),
  'metadata',
  'in_port',
  'packet_type',
];
const TUNNEL_ADDRESSES = ['tun_src', 'tun_dst', 'tun_ipv6_src', 'tun_ipv6_dst'];
const TUNNEL = [
  ...TUNNEL_ADDRESSES,
  'tun_gbp_id',
  'tun_gbp_flags',
  'tun_tos',
  'tun_ttl',
  'tun_erspan_ver',
  'tun_gtpu_flags',
  'tun_gtpu_msgtype',
];
const ND = ['nd_target', 'nd_sll', 'nd_tll'];
const ARP = ['arp_spa', 'arp_tpa', 'arp_op', 'arp_sha', 'arp_tha'];
const NSH = ['flags', 'ttl', 'mdtype', 'np', 'spi', 'si', 'c1', 'c2', 'c3', 'c4'].map(
  (name) => `nsh_${name}`,
);

function putTunnel(match: Match, flow: Int32Array): void {
  for (const name of TUNNEL) putField(match, flow, name);
  if (isSet(flow, 'tun_id')) putField(match, flow, 'tun_id');
  match.mask[key.TUN_BITS] |= TUN_FLAGS_MASK;
  match.value[key.TUN_BITS] |= flow[key.TUN_BITS] & TUN_FLAGS_MASK;
}

function conntrackTuple(flow: Int32Array): readonly string[] {
  const family = flow[key.PROTO] >>> 16 === ethernet.TYPE_IPV6 ? 'ipv6' : 'nw';
  return [`ct_${family}_src`, `ct_${family}_dst`, 'ct_nw_proto', 'ct_tp_src', 'ct_tp_dst'];
}

/** The first tag that is not there is shown, too: `vlan_tci=0x0000`. */
function putTags(match: Match, flow: Int32Array): void {
  for (const word of [key.VLAN_0, key.VLAN_1]) {
    match.mask[word] = 0xffff;
    match.value[word] = flow[word] & 0xffff;
    if ((flow[word] & 0xffff) === 0) return;
  }
}

function putNetwork(match: Match, flow: Int32Array, put: (names: readonly string[]) => void): void {
  const type = flow[key.PROTO] >>> 16;
  if (type === ethernet.TYPE_ARP || type === ethernet.TYPE_RARP) put(ARP);
  else if (type === ethernet.TYPE_NSH) put(NSH);
  else if (isMpls(type)) putLabels(match, flow);
  else if (type === ethernet.TYPE_IPV4) put(['ip_src', 'ip_dst']);
  else if (type === ethernet.TYPE_IPV6) put(['ipv6_src', 'ipv6_dst', 'ipv6_label']);
  if (!SHOW_IP.has(type)) return;
  put(['ip_frag', 'nw_tos', 'nw_ecn', 'nw_ttl', 'nw_proto']);
  const proto = (flow[key.PROTO] >>> 8) & 0xff;
  if ((flow[key.SHAPE] & key.FRAG_LATER) !== 0 || !HAS_PORTS.has(proto)) return;
  put(['tcp_src', 'tcp_dst']);
  if (proto === PROTO_TCP) put(['tcp_flags']);
  if (type === ethernet.TYPE_IPV6 && proto === PROTO_ICMPV6 && isNd(flow)) put(ND);
}

/** NSH is no IP, but Open vSwitch prints IP's fields with it. */
const SHOW_IP: ReadonlySet<number> = new Set([
  ethernet.TYPE_IPV4,
  ethernet.TYPE_IPV6,
  ethernet.TYPE_NSH,
]);
const HAS_PORTS: ReadonlySet<number> = new Set([
  PROTO_ICMP,
  PROTO_IGMP,
  PROTO_TCP,
  PROTO_UDP,
  PROTO_ICMPV6,
  PROTO_SCTP,
]);

const isNd = (flow: Int32Array): boolean =>
  flow[key.TP] === NEIGHBOR_SOLICIT << 16 || flow[key.TP] === NEIGHBOR_ADVERT << 16;

function putLabels(match: Match, flow: Int32Array): void {
  for (let i = 0; i < key.MPLS_DEPTH; i++) {
    const entry = flow[key.MPLS_0 + i];
    match.mask[key.MPLS_0 + i] = -1;
    match.value[key.MPLS_0 + i] = entry;
    if ((entry & BOTTOM) !== 0) return;
  }
}

function putField(match: Match, flow: Int32Array, name: string): void {
  const field = requireField(name);
  setField(match, field, getField(flow, field));
}

const isSet = (flow: Int32Array, name: string): boolean =>
  getField(flow, requireField(name)) !== 0n;
