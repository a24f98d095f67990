/**
 * The field table: everything a flow can be matched on, as ovs-fields(7) lists
 * it. One table drives parsing, printing, set_field, help and the OpenFlow
 * codec; key.ts says where the bits are, this file says what they are called.
 *
 * A field's value is a bigint of `bits` bits. Its `parts` name the bits of the
 * key that hold it, most significant first. A part may be wider than the value
 * it holds (an ICMP type in the 16 bits of a port): an exact mask covers it all.
 *
 * tun_metadata0..63 are missing: where their bytes stand is not fixed but
 * assigned by a bridge's TLV table.
 */
import * as key from './key.ts';

/** How a value is written. */
export type FieldFormat =
  | 'decimal'
  | 'hexadecimal'
  | 'ethernet'
  | 'ipv4'
  | 'ipv6'
  | 'port'
  | 'packet type'
  | 'frag'
  | 'tcp flags'
  | 'ct state'
  | 'tunnel flags';

/** What a match must say for a field to mean anything (prerequisites.ts). */
export type Prerequisite =
  | 'none'
  | 'arp'
  | 'ipv4'
  | 'ipv6'
  | 'ip'
  | 'mpls'
  | 'nsh'
  | 'ct'
  | 'tcp'
  | 'udp'
  | 'sctp'
  | 'icmpv4'
  | 'icmpv6'
  | 'nd'
  | 'nd solicit'
  | 'nd advert';

/** Bits [shift, shift + bits) of a key word. */
export interface FieldPart {
  readonly word: number;
  readonly shift: number;
  readonly bits: number;
}

export interface Field {
  /** As ovs-fields(7) and set_field have it. */
  readonly name: string;
  /** Other names of the same thing. */
  readonly aliases: readonly string[];
  /** Significant bits of a value. */
  readonly bits: number;
  readonly parts: readonly FieldPart[];
  /** Low bits of a value that are always 0 and not in the parts: two for nw_tos, whose ECN bits are another field. */
  readonly lowZeros: number;
  readonly maskable: boolean;
  readonly prerequisite: Prerequisite;
  /** Whether actions may change it. */
  readonly writable: boolean;
  readonly format: FieldFormat;
}

/** Every field, in the order of ovs-fields(7). */
export const FIELDS: readonly Field[] = [
  ...word('conj_id', key.CONJ_ID, 'decimal', { maskable: false, writable: false }),

  ...wide('tun_id', key.TUN_ID, 2, 'hexadecimal', { aliases: ['tunnel_id'] }),
  ...word('tun_src', key.TUN_SRC, 'ipv4'),
  ...word('tun_dst', key.TUN_DST, 'ipv4'),
  ...wide('tun_ipv6_src', key.TUN_IPV6_SRC, 4, 'ipv6'),
  ...wide('tun_ipv6_dst', key.TUN_IPV6_DST, 4, 'ipv6'),
  ...part('tun_gbp_id', key.TUN_GBP, 8, 16, 'decimal'),
  ...part('tun_gbp_flags', key.TUN_GBP, 0, 8, 'hexadecimal'),
  ...part('tun_erspan_ver', key.TUN_ERSPAN, 24, 4, 'decimal'),
  ...part('tun_erspan_idx', key.TUN_ERSPAN_IDX, 0, 20, 'hexadecimal'),
  ...part('tun_erspan_dir', key.TUN_ERSPAN, 16, 1, 'decimal'),
  ...part('tun_erspan_hwid', key.TUN_ERSPAN, 8, 6, 'hexadecimal'),
  ...part('tun_gtpu_flags', key.TUN_GTPU, 8, 8, 'hexadecimal', {
    aliases: ['gtpu_flags'],
    writable: false,
  }),
  ...part('tun_gtpu_msgtype', key.TUN_GTPU, 0, 8, 'decimal', {
    aliases: ['gtpu_msgtype'],
    writable: false,
  }),
  ...part('tun_flags', key.TUN_BITS, 0, 1, 'tunnel flags'),
  ...part('tun_ttl', key.TUN_BITS, 16, 8, 'decimal', { maskable: false }),
  ...part('tun_tos', key.TUN_BITS, 24, 8, 'decimal', { maskable: false }),

  ...part('in_port', key.IN_PORT, 0, 32, 'port', { maskable: false, aliases: ['in_port_oxm'] }),
  ...word('skb_priority', key.SKB_PRIORITY, 'hexadecimal', { maskable: false, writable: false }),
  ...word('pkt_mark', key.PKT_MARK, 'hexadecimal'),
  ...word('dp_hash', key.DP_HASH, 'hexadecimal', { writable: false }),
  ...word('recirc_id', key.RECIRC_ID, 'hexadecimal', { maskable: false, writable: false }),
  ...word('actset_output', key.ACTSET_OUTPUT, 'port', { maskable: false, writable: false }),
  ...word('packet_type', key.PACKET_TYPE, 'packet type', { maskable: false, writable: false }),

  ...part('ct_state', key.CT_STATE, 0, 8, 'ct state', { writable: false }),
  ...part('ct_zone', key.CT_ZONE, 0, 16, 'hexadecimal', { maskable: false, writable: false }),
  ...word('ct_mark', key.CT_MARK, 'hexadecimal'),
  ...wide('ct_label', key.CT_LABEL, 4, 'hexadecimal'),
  ...word('ct_nw_src', key.CT_NW_SRC, 'ipv4', { needs: 'ct', writable: false }),
  ...word('ct_nw_dst', key.CT_NW_DST, 'ipv4', { needs: 'ct', writable: false }),
  ...wide('ct_ipv6_src', key.CT_IPV6_SRC, 4, 'ipv6', { needs: 'ct', writable: false }),
  ...wide('ct_ipv6_dst', key.CT_IPV6_DST, 4, 'ipv6', { needs: 'ct', writable: false }),
  ...part('ct_nw_proto', key.CT_NW_PROTO, 0, 8, 'decimal', {
    needs: 'ct',
    maskable: false,
    writable: false,
  }),
  ...part('ct_tp_src', key.CT_TP, 16, 16, 'decimal', { needs: 'ct', writable: false }),
  ...part('ct_tp_dst', key.CT_TP, 0, 16, 'decimal', { needs: 'ct', writable: false }),

  ...wide('metadata', key.METADATA, 2, 'hexadecimal'),
  ...registers('reg', 1),
  ...registers('xreg', 2),
  ...registers('xxreg', 4),

  ...mac('eth_src', key.MAC_0, 'low', { aliases: ['dl_src'] }),
  ...mac('eth_dst', key.MAC_0, 'high', { aliases: ['dl_dst'] }),
  ...part('eth_type', key.PROTO, key.ETH_TYPE_SHIFT, 16, 'hexadecimal', {
    aliases: ['dl_type'],
    maskable: false,
    writable: false,
  }),

  ...part('vlan_tci', key.VLAN_0, 0, 16, 'hexadecimal'),
  ...part('vlan_vid', key.VLAN_0, 0, 13, 'decimal'),
  ...part('dl_vlan', key.VLAN_0, 0, 12, 'decimal', { maskable: false }),
  ...part('vlan_pcp', key.VLAN_0, key.VLAN_PCP_SHIFT, 3, 'decimal', {
    aliases: ['dl_vlan_pcp'],
    maskable: false,
  }),

  ...part('mpls_label', key.MPLS_0, 12, 20, 'decimal', { needs: 'mpls', maskable: false }),
  ...part('mpls_tc', key.MPLS_0, 9, 3, 'decimal', { needs: 'mpls', maskable: false }),
  ...part('mpls_bos', key.MPLS_0, 8, 1, 'decimal', {
    needs: 'mpls',
    maskable: false,
    writable: false,
  }),
  ...part('mpls_ttl', key.MPLS_0, 0, 8, 'decimal', { needs: 'mpls', maskable: false }),

  ...word('ip_src', key.NW_SRC, 'ipv4', { needs: 'ipv4', aliases: ['nw_src'] }),
  ...word('ip_dst', key.NW_DST, 'ipv4', { needs: 'ipv4', aliases: ['nw_dst'] }),
  ...wide('ipv6_src', key.IPV6_SRC, 4, 'ipv6', { needs: 'ipv6' }),
  ...wide('ipv6_dst', key.IPV6_DST, 4, 'ipv6', { needs: 'ipv6' }),
  ...part('ipv6_label', key.IPV6_LABEL, 0, 20, 'hexadecimal', { needs: 'ipv6' }),
  ...part('nw_proto', key.PROTO, key.NW_PROTO_SHIFT, 8, 'decimal', {
    needs: 'ip',
    aliases: ['ip_proto'],
    maskable: false,
    writable: false,
  }),
  ...part('nw_ttl', key.VOLATILE, key.NW_TTL_SHIFT, 8, 'decimal', { needs: 'ip', maskable: false }),
  ...part('ip_frag', key.SHAPE, 0, 2, 'frag', {
    needs: 'ip',
    aliases: ['nw_frag'],
    writable: false,
  }),
  ...make('nw_tos', 8, [{ word: key.PROTO, shift: 2, bits: 6 }], 'decimal', {
    needs: 'ip',
    maskable: false,
    lowZeros: 2,
  }),
  ...part('ip_dscp', key.PROTO, 2, 6, 'decimal', { needs: 'ip', maskable: false }),
  ...part('nw_ecn', key.PROTO, 0, 2, 'decimal', {
    needs: 'ip',
    aliases: ['ip_ecn'],
    maskable: false,
  }),

  ...part('arp_op', key.PROTO, key.NW_PROTO_SHIFT, 8, 'decimal', { needs: 'arp', maskable: false }),
  ...word('arp_spa', key.NW_SRC, 'ipv4', { needs: 'arp' }),
  ...word('arp_tpa', key.NW_DST, 'ipv4', { needs: 'arp' }),
  ...mac('arp_sha', key.ARP_0, 'high', { needs: 'arp' }),
  ...mac('arp_tha', key.ARP_0, 'low', { needs: 'arp' }),

  ...part('nsh_flags', key.NSH_BASE, 24, 8, 'decimal', { needs: 'nsh' }),
  ...part('nsh_ttl', key.NSH_BASE, 16, 8, 'decimal', { needs: 'nsh', maskable: false }),
  ...part('nsh_mdtype', key.NSH_BASE, 8, 8, 'decimal', {
    needs: 'nsh',
    maskable: false,
    writable: false,
  }),
  ...part('nsh_np', key.NSH_BASE, 0, 8, 'decimal', {
    needs: 'nsh',
    maskable: false,
    writable: false,
  }),
  ...part('nsh_spi', key.NSH_PATH, 8, 24, 'hexadecimal', {
    needs: 'nsh',
    aliases: ['nsp'],
    maskable: false,
  }),
  ...part('nsh_si', key.NSH_PATH, 0, 8, 'decimal', {
    needs: 'nsh',
    aliases: ['nsi'],
    maskable: false,
  }),
  ...word('nsh_c1', key.NSH_CONTEXT, 'hexadecimal', { needs: 'nsh', aliases: ['nshc1'] }),
  ...word('nsh_c2', key.NSH_CONTEXT + 1, 'hexadecimal', { needs: 'nsh', aliases: ['nshc2'] }),
  ...word('nsh_c3', key.NSH_CONTEXT + 2, 'hexadecimal', { needs: 'nsh', aliases: ['nshc3'] }),
  ...word('nsh_c4', key.NSH_CONTEXT + 3, 'hexadecimal', { needs: 'nsh', aliases: ['nshc4'] }),

  ...part('tcp_src', key.TP, 16, 16, 'decimal', { needs: 'tcp', aliases: ['tp_src'] }),
  ...part('tcp_dst', key.TP, 0, 16, 'decimal', { needs: 'tcp', aliases: ['tp_dst'] }),
  ...part('tcp_flags', key.VOLATILE, 0, 12, 'tcp flags', { needs: 'tcp', writable: false }),
  ...part('udp_src', key.TP, 16, 16, 'decimal', { needs: 'udp' }),
  ...part('udp_dst', key.TP, 0, 16, 'decimal', { needs: 'udp' }),
  ...part('sctp_src', key.TP, 16, 16, 'decimal', { needs: 'sctp' }),
  ...part('sctp_dst', key.TP, 0, 16, 'decimal', { needs: 'sctp' }),
  ...icmp('icmp_type', 16, 'icmpv4'),
  ...icmp('icmp_code', 0, 'icmpv4'),
  ...icmp('icmpv6_type', 16, 'icmpv6'),
  ...icmp('icmpv6_code', 0, 'icmpv6'),

  ...wide('nd_target', key.ND_TARGET, 4, 'ipv6', { needs: 'nd' }),
  ...mac('nd_sll', key.ARP_0, 'high', { needs: 'nd solicit' }),
  ...mac('nd_tll', key.ARP_0, 'low', { needs: 'nd advert' }),
  ...word('nd_reserved', key.ND_RESERVED, 'decimal', { needs: 'nd', maskable: false }),
  ...part('nd_options_type', key.ND_OPTIONS_TYPE, 0, 8, 'decimal', {
    needs: 'nd',
    maskable: false,
  }),
];

const BY_NAME: ReadonlyMap<string, Field> = new Map(
  FIELDS.flatMap((field) => [field.name, ...field.aliases].map((name) => [name, field] as const)),
);

/** By its name or an alias. */
export const fieldByName = (name: string): Field | undefined => BY_NAME.get(name);

/** For names that are this program's own. @throws RangeError if there is no such field */
export function requireField(name: string): Field {
  const field = fieldByName(name);
  if (field === undefined) throw new RangeError(`no field is called ${name}`);
  return field;
}

/** What deviates from a maskable, writable field that needs nothing. */
interface Extra {
  aliases?: readonly string[];
  maskable?: boolean;
  writable?: boolean;
  needs?: Prerequisite;
  lowZeros?: number;
}

// The makers give lists of one, or of many, so that the table above reads as lines.

function make(
  name: string,
  bits: number,
  parts: readonly FieldPart[],
  format: FieldFormat,
  extra: Extra,
): readonly Field[] {
  const { aliases = [], maskable = true, writable = true, needs = 'none', lowZeros = 0 } = extra;
  const prerequisite = needs;
  return [{ name, aliases, bits, parts, lowZeros, maskable, prerequisite, writable, format }];
}

function part(
  name: string,
  at: number,
  shift: number,
  bits: number,
  format: FieldFormat,
  extra: Extra = {},
): readonly Field[] {
  return make(name, bits, [{ word: at, shift, bits }], format, extra);
}

function word(name: string, at: number, format: FieldFormat, extra: Extra = {}): readonly Field[] {
  return part(name, at, 0, 32, format, extra);
}

function wide(
  name: string,
  at: number,
  words: number,
  format: FieldFormat,
  extra: Extra = {},
): readonly Field[] {
  const parts = Array.from({ length: words }, (_, i) => ({ word: at + i, shift: 0, bits: 32 }));
  return make(name, 32 * words, parts, format, extra);
}

/** One of two MAC addresses that share three words. */
function mac(name: string, at: number, half: 'high' | 'low', extra: Extra): readonly Field[] {
  const parts =
    half === 'high'
      ? [
          { word: at, shift: 0, bits: 32 },
          { word: at + 1, shift: 16, bits: 16 },
        ]
      : [
          { word: at + 1, shift: 0, bits: 16 },
          { word: at + 2, shift: 0, bits: 32 },
        ];
  return make(name, 48, parts, 'ethernet', extra);
}

/** Eight bits in the room of a port number. */
function icmp(name: string, shift: number, needs: Prerequisite): readonly Field[] {
  return make(name, 8, [{ word: key.TP, shift, bits: 16 }], 'decimal', { needs, maskable: false });
}

/** reg0.., and the wider registers made of several of them, the lowest the most significant. */
function registers(prefix: string, words: number): readonly Field[] {
  return Array.from({ length: key.REG_COUNT / words }, (_, i) =>
    wide(`${prefix}${i}`, key.REG_0 + i * words, words, 'hexadecimal'),
  ).flat();
}
