/**
 * Datapath flows as text, the way `ovs-appctl dpctl/dump-flows` prints them:
 * `recirc_id(0),in_port(1),...,eth_type(0x0800),ipv4(dst=10.0.0.1,frag=no)`.
 * A group, and a field within one, appears if any of its bits matter.
 *
 * Tunnel metadata is not printed yet: no port gives a packet any.
 */
import { formatIpv4, formatIpv6, formatMac } from '../wire/address.ts';
import * as ethernet from '../wire/ethernet.ts';
import { isMpls } from '../wire/mpls.ts';
import { MD_TYPE_1 } from '../wire/nsh.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../wire/proto.ts';
import { requireField } from './fields.ts';
import { CT_STATE_NAMES, formatFlags, formatMaskedFlags, TCP_FLAG_NAMES } from './flags.ts';
import * as key from './key.ts';
import { exactMask, getField } from './match.ts';

/**
 * @param words a datapath key, KEY_WORDS words or more
 * @param mask likewise
 * @param portName what to print for in_port; its number by default
 */
export function formatOdpKey(
  words: Int32Array,
  mask: Int32Array,
  portName: (port: number) => string = String,
): string {
  const flow = { words, mask };
  const out: string[] = [];
  putScalar(out, 'skb_priority', flow, 'skb_priority');
  putScalar(out, 'skb_mark', flow, 'pkt_mark');
  putConntrack(out, flow);
  putScalar(out, 'recirc_id', flow, 'recirc_id');
  putScalar(out, 'dp_hash', flow, 'dp_hash');
  if (mask[key.IN_PORT] !== 0) out.push(`in_port(${portName(words[key.IN_PORT])})`);
  out.push('packet_type(ns=0,id=0)');
  putGroup(out, 'eth', [
    item(flow, 'src', 'eth_src', formatMac),
    item(flow, 'dst', 'eth_dst', formatMac),
  ]);
  out.push(...formatTags(flow, [key.VLAN_0, key.VLAN_1]));
  return out.join(',');
}

interface OdpFlow {
  words: Int32Array;
  mask: Int32Array;
}

/** One field of a group, or nothing if it does not matter. */
type Item = string | undefined;

/** `name=value`, `name=value/mask` */
function item(
  flow: OdpFlow,
  name: string,
  fieldName: string,
  format: (value: bigint) => string,
  formatMask: (mask: bigint) => string = format,
): Item {
  const field = requireField(fieldName);
  const mask = getField(flow.mask, field);
  if (mask === 0n) return undefined;
  const tail = mask === exactMask(field) ? '' : `/${formatMask(mask)}`;
  return `${name}=${format(getField(flow.words, field))}${tail}`;
}

const decimal = (flow: OdpFlow, name: string, fieldName: string): Item =>
  item(flow, name, fieldName, String, hex);
const hexadecimal = (flow: OdpFlow, name: string, fieldName: string): Item =>
  item(flow, name, fieldName, hex);

function putGroup(out: string[], name: string, items: readonly Item[]): void {
  const present = items.filter((text) => text !== undefined);
  if (present.length > 0) out.push(`${name}(${present.join(',')})`);
}

function putScalar(out: string[], name: string, flow: OdpFlow, fieldName: string): void {
  const text = hexadecimal(flow, '', fieldName);
  if (text !== undefined) out.push(`${name}(${text.slice(1)})`);
}

function putConntrack(out: string[], flow: OdpFlow): void {
  const mask = flow.mask[key.CT_STATE];
  const state = formatMaskedFlags(flow.words[key.CT_STATE], mask, CT_STATE_NAMES);
  if (mask !== 0) out.push(`ct_state(${state})`);
  for (const name of ['ct_zone', 'ct_mark', 'ct_label']) putScalar(out, name, flow, name);
}

/** The Ethernet type and all that it encloses; each tag encloses the rest. */
function formatTags(flow: OdpFlow, tags: readonly number[]): string[] {
  const [word, ...inner] = tags;
  if (word === undefined || (flow.words[word] & key.VLAN_CFI) === 0) return formatPayload(flow);
  const out = [`eth_type(0x${(flow.words[word] >>> 16).toString(16).padStart(4, '0')})`];
  putGroup(out, 'vlan', [
    tagItem('vid', flow, word, 0, key.VLAN_VID_MASK),
    tagItem('pcp', flow, word, key.VLAN_PCP_SHIFT, 0x7),
  ]);
  return [...out, `encap(${formatTags(flow, inner).join(',')})`];
}

function tagItem(name: string, flow: OdpFlow, word: number, shift: number, ones: number): Item {
  const mask = (flow.mask[word] >>> shift) & ones;
  const value = (flow.words[word] >>> shift) & ones;
  if ((flow.mask[word] & 0xffff) === 0 || (mask === 0 && value === 0)) return undefined;
  return `${name}=${value}${mask === ones ? '' : `/0x${mask.toString(16)}`}`;
}

function formatPayload(flow: OdpFlow): string[] {
  const type = flow.words[key.PROTO] >>> 16;
  const out: string[] = [];
  if (flow.mask[key.PROTO] >>> 16 !== 0) out.push(`eth_type(${formatType(type)})`);
  if (type === ethernet.TYPE_IPV4) putIpv4(out, flow);
  else if (type === ethernet.TYPE_IPV6) putIpv6(out, flow);
  else if (type === ethernet.TYPE_ARP || type === ethernet.TYPE_RARP) putArp(out, flow);
  else if (isMpls(type)) putMpls(out, flow);
  else if (type === ethernet.TYPE_NSH) putNsh(out, flow);
  return out;
}

/** A frame without a type has no type attribute, and the mask says so. */
const formatType = (type: number): string =>
  type === ethernet.TYPE_NONE ? '0/0xffff' : `0x${type.toString(16).padStart(4, '0')}`;

function putIpv4(out: string[], flow: OdpFlow): void {
  const address = (value: bigint): string => formatIpv4(Number(value));
  putGroup(out, 'ipv4', [
    item(flow, 'src', 'ip_src', address),
    item(flow, 'dst', 'ip_dst', address),
    decimal(flow, 'proto', 'nw_proto'),
    tosItem(flow, 'tos'),
    decimal(flow, 'ttl', 'nw_ttl'),
    fragItem(flow),
  ]);
  putTransport(out, flow, PROTO_ICMP, 'icmp');
}

function putIpv6(out: string[], flow: OdpFlow): void {
  putGroup(out, 'ipv6', [
    item(flow, 'src', 'ipv6_src', formatIpv6),
    item(flow, 'dst', 'ipv6_dst', formatIpv6),
    hexadecimal(flow, 'label', 'ipv6_label'),
    decimal(flow, 'proto', 'nw_proto'),
    tosItem(flow, 'tclass'),
    decimal(flow, 'hlimit', 'nw_ttl'),
    fragItem(flow),
  ]);
  putTransport(out, flow, PROTO_ICMPV6, 'icmpv6');
  if (nwProto(flow) !== PROTO_ICMPV6) return;
  putGroup(out, 'nd', [
    item(flow, 'target', 'nd_target', formatIpv6),
    item(flow, 'sll', 'nd_sll', formatMac),
    item(flow, 'tll', 'nd_tll', formatMac),
  ]);
}

/** Both halves of the byte in one, other than in OpenFlow. */
function tosItem(flow: OdpFlow, name: string): Item {
  const mask = flow.mask[key.PROTO] & 0xff;
  if (mask === 0) return undefined;
  const tail = mask === 0xff ? '' : `/${hex(BigInt(mask))}`;
  return `${name}=${hex(BigInt(flow.words[key.PROTO] & 0xff))}${tail}`;
}

function fragItem(flow: OdpFlow): Item {
  if ((flow.mask[key.SHAPE] & key.FRAG_MASK) === 0) return undefined;
  const bits = flow.words[key.SHAPE] & key.FRAG_MASK;
  if ((bits & key.FRAG_LATER) !== 0) return 'frag=later';
  return bits === key.FRAG_ANY ? 'frag=first' : 'frag=no';
}

const PORT_GROUPS: ReadonlyMap<number, string> = new Map([
  [PROTO_TCP, 'tcp'],
  [PROTO_UDP, 'udp'],
  [PROTO_SCTP, 'sctp'],
]);

function putTransport(out: string[], flow: OdpFlow, icmpProto: number, icmpGroup: string): void {
  const proto = nwProto(flow);
  const group = PORT_GROUPS.get(proto);
  if (group !== undefined) {
    putGroup(out, group, [decimal(flow, 'src', 'tcp_src'), decimal(flow, 'dst', 'tcp_dst')]);
  } else if (proto === icmpProto) {
    putGroup(out, icmpGroup, [
      decimal(flow, 'type', 'icmp_type'),
      decimal(flow, 'code', 'icmp_code'),
    ]);
  }
  if (proto === PROTO_TCP) putTcpFlags(out, flow);
}

function putTcpFlags(out: string[], flow: OdpFlow): void {
  const mask = flow.mask[key.VOLATILE] & key.TCP_FLAGS_MASK;
  const flags = flow.words[key.VOLATILE] & key.TCP_FLAGS_MASK;
  if (mask === 0) return;
  const text =
    mask === key.TCP_FLAGS_MASK
      ? formatFlags(flags, TCP_FLAG_NAMES)
      : formatMaskedFlags(flags, mask, TCP_FLAG_NAMES);
  out.push(`tcp_flags(${text})`);
}

function putArp(out: string[], flow: OdpFlow): void {
  const address = (value: bigint): string => formatIpv4(Number(value));
  putGroup(out, 'arp', [
    item(flow, 'sip', 'arp_spa', address),
    item(flow, 'tip', 'arp_tpa', address),
    decimal(flow, 'op', 'arp_op'),
    item(flow, 'sha', 'arp_sha', formatMac),
    item(flow, 'tha', 'arp_tha', formatMac),
  ]);
}

/** All entries in one group, masks always shown unless all bits matter. */
function putMpls(out: string[], flow: OdpFlow): void {
  if (!flow.mask.subarray(key.MPLS_0, key.MPLS_END).some((mask) => mask !== 0)) return;
  const entries: string[] = [];
  for (let word = key.MPLS_0; word < key.MPLS_END; word++) {
    entries.push(formatLse(flow.words[word], flow.mask[word]));
    if ((flow.words[word] & LSE_BOTTOM) !== 0) break;
  }
  out.push(`mpls(${entries.join(',')})`);
}

const LSE_BOTTOM = 0x100;

function formatLse(lse: number, mask: number): string {
  const exact = mask === -1;
  const part = (name: string, shift: number, ones: number, prefix: string): string => {
    const tail = exact ? '' : `/${prefix}${((mask >>> shift) & ones).toString(16)}`;
    return `${name}=${(lse >>> shift) & ones}${tail}`;
  };
  return [
    part('label', 12, 0xfffff, '0x'),
    part('tc', 9, 0x7, ''),
    part('ttl', 0, 0xff, '0x'),
    part('bos', 8, 0x1, ''),
  ].join(',');
}

function putNsh(out: string[], flow: OdpFlow): void {
  const isType1 = ((flow.words[key.NSH_BASE] >>> 8) & 0xff) === MD_TYPE_1;
  const context = isType1 ? [1, 2, 3, 4] : [];
  putGroup(out, 'nsh', [
    nshFlagsItem(flow),
    ...['ttl', 'mdtype', 'np'].map((name) => decimal(flow, name, `nsh_${name}`)),
    hexadecimal(flow, 'spi', 'nsh_spi'),
    decimal(flow, 'si', 'nsh_si'),
    ...context.map((i) => item(flow, `c${i}`, `nsh_c${i}`, hexOf(1), hexOf(8))),
  ]);
}

/** Decimal alone, but hexadecimal with a mask. */
function nshFlagsItem(flow: OdpFlow): Item {
  const isExact = flow.mask[key.NSH_BASE] >>> 24 === 0xff;
  return item(flow, 'flags', 'nsh_flags', isExact ? String : hexOf(2));
}

/** With as many digits at least, and always with 0x. */
const hexOf =
  (digits: number) =>
  (value: bigint): string =>
    `0x${value.toString(16).padStart(digits, '0')}`;

const nwProto = (flow: OdpFlow): number => (flow.words[key.PROTO] >>> 8) & 0xff;

/** As printf's %#x: 0 goes without the prefix. */
const hex = (value: bigint): string => (value === 0n ? '0' : `0x${value.toString(16)}`);
