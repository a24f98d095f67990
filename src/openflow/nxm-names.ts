/**
 * The names fields have in Nicira's extensible match, or in OpenFlow's where
 * Nicira has none: ovs-ofctl writes them in `load`, `move` and `output:FIELD`.
 */
import { FIELDS, type Field, fieldByName } from '../flow/fields.ts';

export const nxmName = (field: Field): string => NAMES.get(field.name) ?? field.name.toUpperCase();

/** Nicira's port numbers are OpenFlow 1.0's. */
export const nxmBits = (field: Field): number => (field.name === 'in_port' ? 16 : field.bits);

/** By its NXM or OXM name, in any case. */
export function fieldByNxmName(name: string): Field | undefined {
  const field = BY_NXM_NAME.get(name.toUpperCase());
  return field === undefined ? undefined : fieldByName(field);
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['conj_id', 'NXM_NX_CONJ_ID'],
  ['tun_id', 'NXM_NX_TUN_ID'],
  ['tun_src', 'NXM_NX_TUN_IPV4_SRC'],
  ['tun_dst', 'NXM_NX_TUN_IPV4_DST'],
  ['tun_ipv6_src', 'NXM_NX_TUN_IPV6_SRC'],
  ['tun_ipv6_dst', 'NXM_NX_TUN_IPV6_DST'],
  ['tun_flags', 'NXM_NX_TUN_FLAGS'],
  ['tun_gbp_id', 'NXM_NX_TUN_GBP_ID'],
  ['tun_gbp_flags', 'NXM_NX_TUN_GBP_FLAGS'],
  ['in_port', 'NXM_OF_IN_PORT'],
  ['pkt_mark', 'NXM_NX_PKT_MARK'],
  ['dp_hash', 'NXM_NX_DP_HASH'],
  ['recirc_id', 'NXM_NX_RECIRC_ID'],
  ['actset_output', 'OXM_OF_ACTSET_OUTPUT'],
  ['packet_type', 'OXM_OF_PACKET_TYPE'],
  ['ct_state', 'NXM_NX_CT_STATE'],
  ['ct_zone', 'NXM_NX_CT_ZONE'],
  ['ct_mark', 'NXM_NX_CT_MARK'],
  ['ct_label', 'NXM_NX_CT_LABEL'],
  ['metadata', 'OXM_OF_METADATA'],
  ['eth_src', 'NXM_OF_ETH_SRC'],
  ['eth_dst', 'NXM_OF_ETH_DST'],
  ['eth_type', 'NXM_OF_ETH_TYPE'],
  ['vlan_tci', 'NXM_OF_VLAN_TCI'],
  ['vlan_vid', 'OXM_OF_VLAN_VID'],
  ['vlan_pcp', 'OXM_OF_VLAN_PCP'],
  ['mpls_label', 'OXM_OF_MPLS_LABEL'],
  ['mpls_tc', 'OXM_OF_MPLS_TC'],
  ['mpls_bos', 'OXM_OF_MPLS_BOS'],
  ['mpls_ttl', 'NXM_NX_MPLS_TTL'],
  ['ip_src', 'NXM_OF_IP_SRC'],
  ['ip_dst', 'NXM_OF_IP_DST'],
  ['ipv6_src', 'NXM_NX_IPV6_SRC'],
  ['ipv6_dst', 'NXM_NX_IPV6_DST'],
  ['ipv6_label', 'NXM_NX_IPV6_LABEL'],
  ['nw_proto', 'NXM_OF_IP_PROTO'],
  ['nw_tos', 'NXM_OF_IP_TOS'],
  ['ip_dscp', 'OXM_OF_IP_DSCP'],
  ['nw_ecn', 'NXM_NX_IP_ECN'],
  ['nw_ttl', 'NXM_NX_IP_TTL'],
  ['ip_frag', 'NXM_NX_IP_FRAG'],
  ['arp_op', 'NXM_OF_ARP_OP'],
  ['arp_spa', 'NXM_OF_ARP_SPA'],
  ['arp_tpa', 'NXM_OF_ARP_TPA'],
  ['arp_sha', 'NXM_NX_ARP_SHA'],
  ['arp_tha', 'NXM_NX_ARP_THA'],
  ['tcp_src', 'NXM_OF_TCP_SRC'],
  ['tcp_dst', 'NXM_OF_TCP_DST'],
  ['tcp_flags', 'NXM_NX_TCP_FLAGS'],
  ['udp_src', 'NXM_OF_UDP_SRC'],
  ['udp_dst', 'NXM_OF_UDP_DST'],
  ['sctp_src', 'OXM_OF_SCTP_SRC'],
  ['sctp_dst', 'OXM_OF_SCTP_DST'],
  ['icmp_type', 'NXM_OF_ICMP_TYPE'],
  ['icmp_code', 'NXM_OF_ICMP_CODE'],
  ['icmpv6_type', 'NXM_NX_ICMPV6_TYPE'],
  ['icmpv6_code', 'NXM_NX_ICMPV6_CODE'],
  ['nd_target', 'NXM_NX_ND_TARGET'],
  ['nd_sll', 'NXM_NX_ND_SLL'],
  ['nd_tll', 'NXM_NX_ND_TLL'],
  ...Array.from({ length: 16 }, (_, i) => [`reg${i}`, `NXM_NX_REG${i}`] as const),
  ...Array.from({ length: 8 }, (_, i) => [`xreg${i}`, `OXM_OF_PKT_REG${i}`] as const),
  ...Array.from({ length: 4 }, (_, i) => [`xxreg${i}`, `NXM_NX_XXREG${i}`] as const),
]);

/** OpenFlow's names of fields that Nicira had named before. */
const OXM_NAMES: readonly (readonly [field: string, name: string])[] = [
  ['tun_id', 'OXM_OF_TUNNEL_ID'],
  ['in_port', 'OXM_OF_IN_PORT'],
  ['eth_src', 'OXM_OF_ETH_SRC'],
  ['eth_dst', 'OXM_OF_ETH_DST'],
  ['eth_type', 'OXM_OF_ETH_TYPE'],
  ['ip_src', 'OXM_OF_IPV4_SRC'],
  ['ip_dst', 'OXM_OF_IPV4_DST'],
  ['ipv6_src', 'OXM_OF_IPV6_SRC'],
  ['ipv6_dst', 'OXM_OF_IPV6_DST'],
  ['ipv6_label', 'OXM_OF_IPV6_FLABEL'],
  ['nw_proto', 'OXM_OF_IP_PROTO'],
  ['nw_ecn', 'OXM_OF_IP_ECN'],
  ['arp_op', 'OXM_OF_ARP_OP'],
  ['arp_spa', 'OXM_OF_ARP_SPA'],
  ['arp_tpa', 'OXM_OF_ARP_TPA'],
  ['arp_sha', 'OXM_OF_ARP_SHA'],
  ['arp_tha', 'OXM_OF_ARP_THA'],
  ['tcp_src', 'OXM_OF_TCP_SRC'],
  ['tcp_dst', 'OXM_OF_TCP_DST'],
  ['udp_src', 'OXM_OF_UDP_SRC'],
  ['udp_dst', 'OXM_OF_UDP_DST'],
  ['icmp_type', 'OXM_OF_ICMPV4_TYPE'],
  ['icmp_code', 'OXM_OF_ICMPV4_CODE'],
  ['icmpv6_type', 'OXM_OF_ICMPV6_TYPE'],
  ['icmpv6_code', 'OXM_OF_ICMPV6_CODE'],
  ['nd_target', 'OXM_OF_IPV6_ND_TARGET'],
  ['nd_sll', 'OXM_OF_IPV6_ND_SLL'],
  ['nd_tll', 'OXM_OF_IPV6_ND_TLL'],
];

const BY_NXM_NAME: ReadonlyMap<string, string> = new Map([
  ...FIELDS.map((field) => [nxmName(field), field.name] as const),
  ...OXM_NAMES.map(([field, name]) => [name, field] as const),
]);
