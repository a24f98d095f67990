/**
 * Prints datapath action lists as `ovs-appctl dpctl/dump-flows` and
 * `ofproto/trace` do, to the character: a set shows only the fields its mask
 * touches, and a mask only where it is not whole. actions.ts is the layout of
 * what is printed. Not for the packet path.
 */
import { VLAN_CFI, VLAN_PCP_SHIFT, VLAN_VID_MASK } from '../flow/key.ts';
import { formatIpv4, formatIpv6, formatMac } from '../wire/address.ts';
import { TYPE_VLAN } from '../wire/ethernet.ts';
import { PROTO_ICMP, PROTO_ICMPV6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from '../wire/proto.ts';
import * as op from './actions.ts';
import { UPCALL_SLOW_PATH } from './dpif.ts';

/** What a list alone does not say. */
export interface ActionContext {
  /** nw_proto of the flow, which names the ports that SET_TP sets; TCP by default. */
  nwProto?: number;
  /** What stands behind `pid=0,` in userspace(): the slow path knows what a cookie means. */
  userspace?: (reason: number, cookie: number, maxSize: number) => string;
}

/**
 * The actions of words[from, end), comma-separated; `drop` if there are none.
 *
 * @param portName names an output port; its number by default
 */
export function formatActions(
  words: Int32Array,
  from: number,
  end: number,
  portName: (port: number) => string = String,
  context: ActionContext = {},
): string {
  const texts: string[] = [];
  for (let w = from; w < end; w += op.sizeOf(words[w])) {
    const args = words.subarray(w + 1, w + op.sizeOf(words[w]));
    texts.push(formatAction(op.opOf(words[w]), args, portName, context));
  }
  return texts.length === 0 ? 'drop' : texts.join(',');
}

function formatAction(
  code: number,
  a: Int32Array,
  portName: (port: number) => string,
  context: ActionContext,
): string {
  switch (code) {
    case op.OUTPUT:
      return portName(a[0]);
    case op.USERSPACE:
      return `userspace(pid=0,${(context.userspace ?? formatUserspace)(a[0], a[1], a[2])})`;
    case op.PUSH_VLAN:
      return formatPushVlan(a[0]);
    case op.POP_VLAN:
      return 'pop_vlan';
    case op.TRUNC:
      return `trunc(${a[0]})`;
    case op.DROP:
      return 'drop';
    default:
      return `set(${formatSet(code, a, context.nwProto ?? PROTO_TCP)})`;
  }
}

function formatSet(code: number, a: Int32Array, nwProto: number): string {
  switch (code) {
    case op.SET_ETH:
      return `eth(${formatEth(a)})`;
    case op.SET_IPV4:
      return `ipv4(${formatIpv4Fields(a)})`;
    case op.SET_IPV6:
      return `ipv6(${formatIpv6Fields(a)})`;
    case op.SET_TP:
      return formatTp(a[0], a[1], nwProto);
    case op.SET_ARP:
      return `arp(${formatArp(a)})`;
    case op.SET_ND:
      return `nd(${formatNd(a)})`;
    case op.SET_PRIORITY:
      return `skb_priority(${hex(unsigned(a[0]))})`;
    case op.SET_MARK:
      return `skb_mark(${hex(unsigned(a[0]))})`;
    default:
      return `unknown(${code})`;
  }
}

/** How a field's value, its mask, and its width in bits are shown. */
interface Style {
  bits: number;
  value: (value: bigint) => string;
  mask: (mask: bigint) => string;
}

const decimal = (value: bigint): string => value.toString();
/** As C's %#x: 0 has no prefix. */
const hex = (value: bigint): string => (value === 0n ? '0' : `0x${value.toString(16)}`);
const ipv4 = (value: bigint): string => formatIpv4(Number(value));

const MAC: Style = { bits: 48, value: formatMac, mask: formatMac };
const IPV4: Style = { bits: 32, value: ipv4, mask: ipv4 };
const IPV6: Style = { bits: 128, value: formatIpv6, mask: formatIpv6 };
const LABEL: Style = { bits: 20, value: hex, mask: hex };
const TOS: Style = { bits: 8, value: hex, mask: hex };
const BYTE: Style = { bits: 8, value: decimal, mask: hex };
const SHORT: Style = { bits: 16, value: decimal, mask: hex };

/** One field of a set, or nothing where its mask is 0. */
function field(name: string, style: Style, value: bigint, mask: bigint): string[] {
  if (mask === 0n) return [];
  const whole = (1n << BigInt(style.bits)) - 1n;
  const suffix = mask === whole ? '' : `/${style.mask(mask)}`;
  return [`${name}=${style.value(value)}${suffix}`];
}

const unsigned = (word: number): bigint => BigInt(word >>> 0);
const bitsOf = (word: number, shift: number, mask: number): bigint =>
  BigInt((word >>> shift) & mask);

/** A number of several words, most significant first. */
const wide = (a: Int32Array, from: number, count: number): bigint =>
  a.subarray(from, from + count).reduce((value, word) => (value << 32n) | unsigned(word), 0n);

/** Of two addresses in three words. */
const firstMac = (a: Int32Array, from: number): bigint => wide(a, from, 3) >> 48n;
const secondMac = (a: Int32Array, from: number): bigint => wide(a, from, 3) & 0xffffffffffffn;

const formatEth = (a: Int32Array): string =>
  [
    ...field('src', MAC, secondMac(a, 0), secondMac(a, 3)),
    ...field('dst', MAC, firstMac(a, 0), firstMac(a, 3)),
  ].join();

const formatIpv4Fields = (a: Int32Array): string =>
  [
    ...field('src', IPV4, unsigned(a[0]), unsigned(a[1])),
    ...field('dst', IPV4, unsigned(a[2]), unsigned(a[3])),
    ...field('tos', TOS, bitsOf(a[4], 8, 0xff), bitsOf(a[5], 8, 0xff)),
    ...field('ttl', BYTE, bitsOf(a[4], 0, 0xff), bitsOf(a[5], 0, 0xff)),
  ].join();

const formatIpv6Fields = (a: Int32Array): string =>
  [
    ...field('src', IPV6, wide(a, 0, 4), wide(a, 4, 4)),
    ...field('dst', IPV6, wide(a, 8, 4), wide(a, 12, 4)),
    ...field('label', LABEL, unsigned(a[16]), unsigned(a[17])),
    ...field('tclass', TOS, bitsOf(a[18], 8, 0xff), bitsOf(a[19], 8, 0xff)),
    ...field('hlimit', BYTE, bitsOf(a[18], 0, 0xff), bitsOf(a[19], 0, 0xff)),
  ].join();

const formatArp = (a: Int32Array): string =>
  [
    ...field('sip', IPV4, unsigned(a[2]), unsigned(a[3])),
    ...field('tip', IPV4, unsigned(a[4]), unsigned(a[5])),
    ...field('op', SHORT, unsigned(a[0]), unsigned(a[1])),
    ...field('sha', MAC, firstMac(a, 6), firstMac(a, 9)),
    ...field('tha', MAC, secondMac(a, 6), secondMac(a, 9)),
  ].join();

const formatNd = (a: Int32Array): string =>
  [
    ...field('target', IPV6, wide(a, 0, 4), wide(a, 4, 4)),
    ...field('sll', MAC, firstMac(a, 8), firstMac(a, 11)),
    ...field('tll', MAC, secondMac(a, 8), secondMac(a, 11)),
  ].join();

const TP_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTO_TCP, 'tcp'],
  [PROTO_UDP, 'udp'],
  [PROTO_SCTP, 'sctp'],
  [PROTO_ICMP, 'icmp'],
  [PROTO_ICMPV6, 'icmpv6'],
]);

function formatTp(value: number, mask: number, nwProto: number): string {
  const isIcmp = nwProto === PROTO_ICMP || nwProto === PROTO_ICMPV6;
  const [high, low, style, bits] = isIcmp
    ? ['type', 'code', BYTE, 0xff]
    : ['src', 'dst', SHORT, 0xffff];
  const fields = [
    ...field(high, style, bitsOf(value, 16, bits), bitsOf(mask, 16, bits)),
    ...field(low, style, bitsOf(value, 0, bits), bitsOf(mask, 0, bits)),
  ];
  return `${TP_NAMES.get(nwProto) ?? 'tp'}(${fields.join()})`;
}

function formatPushVlan(tag: number): string {
  const tpid = tag >>> 16;
  const fields = [
    ...(tpid === TYPE_VLAN ? [] : [`tpid=0x${tpid.toString(16).padStart(4, '0')}`]),
    `vid=${tag & VLAN_VID_MASK}`,
    `pcp=${(tag >>> VLAN_PCP_SHIFT) & 0x7}`,
    ...((tag & VLAN_CFI) === 0 ? ['cfi=0'] : []),
  ];
  return `push_vlan(${fields.join()})`;
}

const formatUserspace = (reason: number, cookie: number, maxSize: number): string =>
  reason === UPCALL_SLOW_PATH
    ? 'slow_path(action)'
    : 'controller(reason=1,dont_send=0,continuation=0,recirc_id=0,' +
      `rule_cookie=${hex(unsigned(cookie))},controller_id=0,max_len=${maxSize})`;
