/**
 * The flow key's layout: which 32-bit word of an Int32Array holds which field.
 *
 * One layout serves everybody. A datapath worker extracts the first KEY_WORDS
 * words from a frame; the slow path works on FLOW_WORDS words, the same ones
 * followed by the OpenFlow registers, which no frame carries. A *mask* has the
 * same layout as a key: a 1-bit says that the bit matters.
 *
 * Words hold values, not bytes of a frame: a field that is big-endian on the
 * wire is stored as the number it means (`nw_src` 10.0.0.1 is 0x0a000001 | 0).
 * Fields wider than 32 bits take several words, most significant first. Small
 * fields share a word; their shifts stand beside it.
 *
 *   words  0..15  base block: always present, one cache line
 *   words 16..    extension blocks, each with a bit in the SHAPE word
 *
 * Invariant: a block whose SHAPE bit is clear is all zero, so that keys can be
 * compared word by word without looking at SHAPE first. The extractor keeps it
 * by clearing what the slot's previous key had set (see extract.ts).
 */

/** Datapath port number in the datapath; OpenFlow port number in the slow path. */
export const IN_PORT = 0;
export const RECIRC_ID = 1;
export const DP_HASH = 2;
export const SKB_PRIORITY = 3;
export const PKT_MARK = 4;

/** `nw_frag` and which extension blocks are present. */
export const SHAPE = 5;
/** nw_frag as Open vSwitch has it: bit 0 any fragment, bit 1 not the first. */
export const FRAG_MASK = 0x3;
export const FRAG_ANY = 0x1;
export const FRAG_LATER = 0x2;
export const HAS_IPV6 = 0x10;
export const HAS_ND = 0x20;
export const HAS_MPLS = 0x40;
export const HAS_NSH = 0x80;
export const HAS_CT = 0x100;
export const HAS_TUNNEL = 0x200;

/** dl_dst[0..3], then dl_dst[4..5] dl_src[0..1], then dl_src[2..5]. */
export const MAC_0 = 6;
export const MAC_1 = 7;
export const MAC_2 = 8;

/** Outer and inner tag: TPID << 16 | TCI, with the CFI bit (0x1000) set where a tag is present. */
export const VLAN_0 = 9;
export const VLAN_1 = 10;
export const VLAN_CFI = 0x1000;
export const VLAN_VID_MASK = 0x0fff;
export const VLAN_PCP_SHIFT = 13;

/** eth_type << 16 | nw_proto << 8 | nw_tos. For ARP and RARP, nw_proto is the low byte of the opcode. */
export const PROTO = 11;
export const ETH_TYPE_SHIFT = 16;
export const NW_PROTO_SHIFT = 8;

/** nw_ttl << 16 | tcp_flags (12 bits): what changes from packet to packet within a flow. */
export const VOLATILE = 12;
export const NW_TTL_SHIFT = 16;
export const TCP_FLAGS_MASK = 0xfff;

/** tp_src << 16 | tp_dst. For ICMP and ICMPv6, type and code; for IGMP likewise. */
export const TP = 13;
/** IPv4 addresses; for ARP, arp_spa and arp_tpa. */
export const NW_SRC = 14;
export const NW_DST = 15;

/** IPv6 block. */
export const IPV6_SRC = NW_DST + 1;
export const IPV6_DST = 20;
export const IPV6_LABEL = 24;
export const IPV6_END = 25;

/**
 * ARP and neighbour discovery block: arp_sha and arp_tha packed like MAC_0..2
 * but source first (nd_sll and nd_tll, likewise, for ND), then ND's own.
 */
export const ARP_0 = 25;
export const ARP_1 = 26;
export const ARP_2 = 27;
export const ND_TARGET = 28;
export const ND_RESERVED = 32;
export const ND_OPTIONS_TYPE = 33;
export const ND_END = 34;

/** Up to three MPLS label stack entries, outermost first. */
export const MPLS_0 = 34;
export const MPLS_DEPTH = 3;
export const MPLS_END = 37;

/** flags << 24 | ttl << 16 | mdtype << 8 | np, then spi << 8 | si, then four context words. */
export const NSH_BASE = 37;
export const NSH_PATH = 38;
export const NSH_CONTEXT = 39;
export const NSH_END = 43;

/** Connection tracking. */
export const CT_STATE = 43;
export const CT_ZONE = 44;
export const CT_MARK = 45;
export const CT_LABEL = 46;
export const CT_NW_SRC = 50;
export const CT_NW_DST = 51;
export const CT_IPV6_SRC = 52;
export const CT_IPV6_DST = 56;
/** ct_tp_src << 16 | ct_tp_dst */
export const CT_TP = 60;
export const CT_NW_PROTO = 61;
export const CT_END = 62;

/** Tunnel metadata. tun_id is 64 bits; an address family's unused words are zero. */
export const TUN_ID = 62;
export const TUN_SRC = 64;
export const TUN_DST = 65;
export const TUN_IPV6_SRC = 66;
export const TUN_IPV6_DST = 70;
/** tos << 24 | ttl << 16 | flags */
export const TUN_BITS = 74;
/** tp_src << 16 | tp_dst of the outer header. */
export const TUN_TP = 75;
/** gbp_id << 8 | gbp_flags */
export const TUN_GBP = TUN_TP + 1;
/** erspan_ver << 24 | erspan_dir << 16 | erspan_hwid << 8 */
export const TUN_ERSPAN = 77;
export const TUN_ERSPAN_IDX = 78;
/** gtpu_flags << 8 | gtpu_msgtype */
export const TUN_GTPU = 79;
/** Which of tun_metadata0..63 are present: 0..31 in the second word, 32..63 in the first. */
export const TUN_METADATA_PRESENT = 80;
/** The options' bytes, at the offsets the bridge's TLV table assigns: 256 bytes. */
export const TUN_METADATA = TUN_METADATA_PRESENT + 2;
export const TUN_END = TUN_METADATA + 64;

/** The words a datapath key has. */
export const KEY_WORDS = TUN_METADATA + 64;

/** What only the slow path knows. */
export const METADATA = TUN_METADATA + 64;
export const REG_0 = 148;
export const REG_COUNT = 16;
export const ACTSET_OUTPUT = 164;
export const CONJ_ID = 165;
/** ns << 16 | type of `packet_type`; 0 is Ethernet. */
export const PACKET_TYPE = 166;

/** The words a slow-path flow has (a multiple of 4). */
export const FLOW_WORDS = 168;

/** First word, end word and SHAPE bit of each extension block, in layout order. */
export const BLOCKS: readonly (readonly [start: number, end: number, shapeBit: number])[] = [
  [IPV6_SRC, IPV6_END, HAS_IPV6],
  [ARP_0, ND_END, HAS_ND],
  [MPLS_0, MPLS_END, HAS_MPLS],
  [NSH_BASE, NSH_END, HAS_NSH],
  [CT_STATE, CT_END, HAS_CT],
  [TUN_ID, TUN_END, HAS_TUNNEL],
];
