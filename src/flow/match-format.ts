/**
 * Matches as text, written: what `ovs-ofctl dump-flows` and `ofproto/trace`
 * print, to the character. match-text.ts reads it.
 *
 * The printer's names and order are not the field table's (`nw_src`, not
 * `ip_src`; ports last), and what is printed depends on the protocol, so the
 * order below is a list of its own: each line is one field or one group.
 */
import * as ethernet from '../wire/ethernet.ts';
import { MD_TYPE_1 } from '../wire/nsh.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../wire/proto.ts';
import { formatFieldValue } from './field-text.ts';
import { requireField } from './fields.ts';
import { formatFlags, TUN_FLAG_NAMES } from './flags.ts';
import {
  CT_NW_PROTO,
  CT_ZONE,
  MPLS_0,
  MPLS_DEPTH,
  NSH_BASE,
  NSH_CONTEXT,
  NSH_PATH,
  PACKET_TYPE,
  PROTO,
  RECIRC_ID,
  REG_COUNT,
  TUN_BITS,
  TUN_ERSPAN,
  VLAN_0,
  VLAN_1,
  VLAN_CFI,
  VLAN_PCP_SHIFT,
  VLAN_VID_MASK,
} from './key.ts';
import { exactMask, getField, type Match } from './match.ts';
import type { PortNames } from './ports.ts';

/** Empty for a match that every flow fulfils. A port is named if `ports` knows its name. */
export function formatMatch(match: Match, ports?: PortNames): string {
  const out: string[] = [];
  const put: Put = (field, name) => putField(out, match, field, name, ports);
  for (const name of ['pkt_mark', 'recirc_id', 'dp_hash', 'conj_id', 'skb_priority']) put(name);
  for (const name of ['actset_output', 'ct_state']) put(name);
  putConntrack(out, match, put);
  putPacketType(out, match, put);
  const named = protocolName(match);
  if (named !== undefined) out.push(named.name);
  for (let i = 0; i < REG_COUNT; i++) put(`reg${i}`);
  putTunnel(out, match, put);
  for (const name of ['metadata', 'in_port']) put(name);
  putVlans(out, match);
  put('eth_src', 'dl_src');
  put('eth_dst', 'dl_dst');
  if (named === undefined && match.mask[PROTO] >>> 16 !== 0) {
    out.push(`dl_type=0x${hexDigits(match.value[PROTO] >>> 16, 4)}`);
  }
  putNetwork(out, match, put, named?.coversProto === true);
  putTransport(match, put);
  return out.join(',');
}

/** Prints a field, under its own name or another, if any of its bits matter. */
type Put = (field: string, name?: string) => void;

function putField(
  out: string[],
  match: Match,
  fieldName: string,
  name: string | undefined,
  ports: PortNames | undefined,
): void {
  const field = requireField(fieldName);
  const mask = getField(match.mask, field);
  if (mask === 0n) return;
  const text = formatFieldValue(field, getField(match.value, field), mask, ports);
  out.push(`${name ?? fieldName}=${text}`);
}

function putConntrack(out: string[], match: Match, put: Put): void {
  if (match.mask[CT_ZONE] !== 0) out.push(`ct_zone=${match.value[CT_ZONE]}`);
  for (const name of ['ct_mark', 'ct_label']) put(name);
  for (const end of ['src', 'dst']) {
    put(`ct_nw_${end}`);
    put(`ct_ipv6_${end}`);
  }
  if (match.mask[CT_NW_PROTO] === 0) return;
  for (const name of ['ct_nw_proto', 'ct_tp_src', 'ct_tp_dst']) put(name);
}

/** Ethernet goes without saying, except in a megaflow, which is known by its recirc_id. */
function putPacketType(out: string[], match: Match, put: Put): void {
  if (match.mask[PACKET_TYPE] === 0) return;
  if (match.value[PACKET_TYPE] !== 0) put('packet_type');
  else if (match.mask[RECIRC_ID] !== 0) out.push('eth');
}

interface ProtocolName {
  name: string;
  /** nw_proto has been said, too. */
  coversProto: boolean;
}

const ETH_TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [ethernet.TYPE_IPV4, 'ip'],
  [ethernet.TYPE_IPV6, 'ipv6'],
  [ethernet.TYPE_ARP, 'arp'],
  [ethernet.TYPE_RARP, 'rarp'],
  [ethernet.TYPE_MPLS, 'mpls'],
  [ethernet.TYPE_MPLS_MULTICAST, 'mplsm'],
]);
const IPV4_PROTO_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTO_ICMP, 'icmp'],
  [PROTO_TCP, 'tcp'],
  [PROTO_UDP, 'udp'],
  [PROTO_SCTP, 'sctp'],
]);
const IPV6_PROTO_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTO_ICMPV6, 'icmp6'],
  [PROTO_TCP, 'tcp6'],
  [PROTO_UDP, 'udp6'],
  [PROTO_SCTP, 'sctp6'],
]);

function protocolName(match: Match): ProtocolName | undefined {
  if (match.mask[PROTO] >>> 16 === 0) return undefined;
  const type = ethType(match);
  const names = type === ethernet.TYPE_IPV4 ? IPV4_PROTO_NAMES : IPV6_PROTO_NAMES;
  const isIp = type === ethernet.TYPE_IPV4 || type === ethernet.TYPE_IPV6;
  const hasProto = isIp && (match.mask[PROTO] & 0xff00) !== 0;
  const proto = hasProto ? names.get(nwProto(match)) : undefined;
  if (proto !== undefined) return { name: proto, coversProto: true };
  const name = ETH_TYPE_NAMES.get(type);
  return name === undefined ? undefined : { name, coversProto: false };
}

function putTunnel(out: string[], match: Match, put: Put): void {
  for (const name of ['tun_id', 'tun_src', 'tun_dst', 'tun_ipv6_src', 'tun_ipv6_dst']) put(name);
  for (const name of ['tun_gbp_id', 'tun_gbp_flags']) put(name);
  // The one field that is hexadecimal and does not say so.
  const tos = match.value[TUN_BITS] >>> TUN_TOS_SHIFT;
  if (match.mask[TUN_BITS] >>> TUN_TOS_SHIFT !== 0) out.push(`tun_tos=${tos.toString(16)}`);
  put('tun_ttl');
  putErspan(match, put);
  put('tun_gtpu_flags', 'gtpu_flags');
  put('tun_gtpu_msgtype', 'gtpu_msgtype');
  const isExact = (match.mask[TUN_BITS] & TUN_FLAGS_MASK) === TUN_FLAGS_MASK;
  if (isExact) out.push(`tun_flags=${formatFlags(match.value[TUN_BITS], TUN_FLAG_NAMES)}`);
  else put('tun_flags');
}

const TUN_TOS_SHIFT = 24;
/** The flags of TUN_BITS, of which tun_flags shows but one. */
export const TUN_FLAGS_MASK = 0xffff;

/** ERSPAN's version decides what else there is. */
function putErspan(match: Match, put: Put): void {
  put('tun_erspan_ver');
  const version = match.value[TUN_ERSPAN] >>> 24;
  if (version === 1) put('tun_erspan_idx');
  if (version === 2) put('tun_erspan_dir');
  if (version === 2) put('tun_erspan_hwid');
}

/** As VLAN ID and priority where that says it all, else as the tag's bits. */
function putVlans(out: string[], match: Match): void {
  for (const [i, word] of [VLAN_0, VLAN_1].entries()) {
    const mask = match.mask[word] & 0xffff;
    const tci = match.value[word] & 0xffff;
    if (mask === 0) return;
    const vid = mask & VLAN_VID_MASK;
    const pcp = mask & PCP_MASK;
    const suffix = i === 0 ? '' : String(i);
    if (
      (tci & mask & VLAN_CFI) !== 0 &&
      (vid === 0 || vid === VLAN_VID_MASK) &&
      (pcp === 0 || pcp === PCP_MASK) &&
      (vid | pcp) !== 0
    ) {
      if (vid !== 0) out.push(`dl_vlan${suffix}=${tci & VLAN_VID_MASK}`);
      if (pcp !== 0) out.push(`dl_vlan_pcp${suffix}=${tci >>> VLAN_PCP_SHIFT}`);
    } else {
      const tail = mask === 0xffff ? '' : `/0x${hexDigits(mask, 4)}`;
      out.push(`vlan_tci${suffix}=0x${hexDigits(tci, 4)}${tail}`);
    }
  }
}

const PCP_MASK = 0xe000;

function putNetwork(out: string[], match: Match, put: Put, protoIsSaid: boolean): void {
  const type = ethType(match);
  const isArp = type === ethernet.TYPE_ARP || type === ethernet.TYPE_RARP;
  if (type === ethernet.TYPE_IPV6) {
    put('ipv6_src');
    put('ipv6_dst');
    putLabel(out, match);
  } else if (isArp) {
    put('arp_spa');
    put('arp_tpa');
  } else if (type === ethernet.TYPE_NSH) {
    putNsh(out, match, put);
  } else {
    put('ip_src', 'nw_src');
    put('ip_dst', 'nw_dst');
  }
  if (!protoIsSaid) put(isArp ? 'arp_op' : 'nw_proto');
  if (isArp) {
    put('arp_sha');
    put('arp_tha');
  }
  for (const name of ['nw_tos', 'nw_ecn', 'nw_ttl']) put(name);
  for (const name of ['mpls_label', 'mpls_tc', 'mpls_ttl', 'mpls_bos']) put(name);
  for (let i = 1; i < MPLS_DEPTH; i++) putLse(out, match, i);
  put('ip_frag', 'nw_frag');
}

function putLabel(out: string[], match: Match): void {
  const field = requireField('ipv6_label');
  const mask = getField(match.mask, field);
  if (mask === 0n) return;
  const tail = mask === exactMask(field) ? '' : `/0x${hexDigits(Number(mask), 5)}`;
  out.push(`ipv6_label=0x${hexDigits(Number(getField(match.value, field)), 5)}${tail}`);
}

function putNsh(out: string[], match: Match, put: Put): void {
  const flags = match.mask[NSH_BASE] >>> 24;
  const value = hexDigits(match.value[NSH_BASE] >>> 24, 2);
  if (flags === 0xff) out.push(`nsh_flags=${match.value[NSH_BASE] >>> 24}`);
  else if (flags !== 0) out.push(`nsh_flags=0x${value}/0x${hexDigits(flags, 2)}`);
  for (const name of ['nsh_ttl', 'nsh_mdtype', 'nsh_np']) put(name);
  putHex(out, 'nsh_spi', match.value[NSH_PATH] >>> 8, match.mask[NSH_PATH] >>> 8, 0xffffff);
  put('nsh_si');
  if (((match.value[NSH_BASE] >>> 8) & 0xff) !== MD_TYPE_1) return;
  for (let i = 0; i < 4; i++) {
    const word = NSH_CONTEXT + i;
    putHex(out, `nsh_c${i + 1}`, match.value[word] >>> 0, match.mask[word] >>> 0, 0xffffffff);
  }
}

/** Always with 0x, unlike the other hexadecimal fields, of which 0 goes without. */
function putHex(out: string[], name: string, value: number, mask: number, exact: number): void {
  const tail = mask === exact ? '' : `/0x${mask.toString(16)}`;
  if (mask !== 0) out.push(`${name}=0x${value.toString(16)}${tail}`);
}

/** The entries below the first have no fields; they are printed as words. */
function putLse(out: string[], match: Match, i: number): void {
  const mask = match.mask[MPLS_0 + i];
  const entry = match.value[MPLS_0 + i] >>> 0;
  if (mask === -1) out.push(`mpls_lse${i}=${entry}`);
  else if (mask !== 0)
    out.push(`mpls_lse${i}=0x${hexDigits(entry, 1)}/0x${hexDigits(mask >>> 0, 1)}`);
}

function putTransport(match: Match, put: Put): void {
  const type = ethType(match);
  const proto = nwProto(match);
  if (type === ethernet.TYPE_IPV4 && proto === PROTO_ICMP) {
    put('icmp_type');
    put('icmp_code');
  } else if (type === ethernet.TYPE_IPV6 && proto === PROTO_ICMPV6) {
    put('icmpv6_type', 'icmp_type');
    put('icmpv6_code', 'icmp_code');
    for (const name of ['nd_target', 'nd_sll', 'nd_tll', 'nd_reserved', 'nd_options_type']) {
      put(name);
    }
  } else {
    put('tcp_src', 'tp_src');
    put('tcp_dst', 'tp_dst');
  }
  const isIp = type === ethernet.TYPE_IPV4 || type === ethernet.TYPE_IPV6;
  if (isIp && proto === PROTO_TCP) put('tcp_flags');
}

const ethType = (match: Match): number => match.value[PROTO] >>> 16;
const nwProto = (match: Match): number => (match.value[PROTO] >>> 8) & 0xff;
const hexDigits = (value: number, digits: number): string =>
  value.toString(16).padStart(digits, '0');
