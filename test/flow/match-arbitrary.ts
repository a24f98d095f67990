/** Random matches as text, each field with its prerequisites, values and masks in all their forms. */
import fc from 'fast-check';
import { formatIpv4, formatIpv6, formatMac } from '../../src/wire/address.ts';

type Text = fc.Arbitrary<string>;

const masked = (value: Text, mask: Text): Text =>
  fc.oneof(
    value,
    fc.tuple(value, mask).map(([left, right]) => `${left}/${right}`),
  );
const number = (bits: number): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, (1n << BigInt(bits)) - 1n));
const integer = (bits: number): Text =>
  // ovs-ofctl reads decimal numbers of up to 64 bits only.
  fc
    .tuple(number(bits), fc.boolean())
    .map(([n, hex]) => (hex || bits > 64 ? `0x${n.toString(16)}` : `${n}`));
const maskedInteger = (bits: number): Text => masked(integer(bits), integer(bits));
const macText: Text = number(48).map(formatMac);
const ipv4Text: Text = number(32).map((n) => formatIpv4(Number(n)));
const ipv6Text: Text = fc.oneof(
  number(128).map(formatIpv6),
  fc.bigInt(0n, 0xffffffffffffn).map((n) => formatIpv6(n << 40n)),
);
const mac = masked(macText, macText);
const ipv4 = masked(ipv4Text, fc.oneof(ipv4Text, fc.nat(32).map(String)));
/** ovs-ofctl takes a mask that begins with a digit for a prefix length. */
const ipv6Mask = ipv6Text.filter((text) => !/^\d/.test(text));
const ipv6 = masked(ipv6Text, fc.oneof(ipv6Mask, fc.nat(128).map(String)));

/** Any subset of `fields`, at most `maxLength`, as `name=value` texts. */
function some(fields: Readonly<Record<string, Text>>, maxLength: number): fc.Arbitrary<string[]> {
  const names = Object.keys(fields);
  return fc
    .uniqueArray(fc.constantFrom(...names), { maxLength })
    .chain((chosen) =>
      fc.tuple(...chosen.map((name) => fields[name].map((value) => `${name}=${value}`))),
    );
}

const flags = (names: readonly string[]): Text =>
  fc.oneof(
    fc.subarray([...names], { minLength: 1 }).map((set) => set.join('|')),
    fc
      .subarray([...names], { minLength: 1 })
      .chain((set) => fc.tuple(...set.map((name) => fc.constantFrom(`+${name}`, `-${name}`))))
      .map((terms) => terms.join('')),
  );

const metadata = some(
  {
    in_port: fc.oneof(
      fc.nat(0xfeff).map(String),
      fc.constantFrom('LOCAL', 'controller', 'IN_PORT'),
    ),
    pkt_mark: maskedInteger(32),
    metadata: maskedInteger(64),
    reg0: maskedInteger(32),
    reg15: maskedInteger(32),
    xreg1: maskedInteger(64),
    xxreg2: maskedInteger(128),
    tun_id: maskedInteger(64),
    tun_src: ipv4,
    tun_gbp_id: maskedInteger(16),
    ct_state: flags(['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat']),
    ct_zone: integer(16),
    ct_mark: maskedInteger(32),
    ct_label: maskedInteger(128),
    conj_id: integer(32),
    actset_output: fc.nat(0xfeff).map(String),
  },
  4,
);

const ethernet = some({ dl_src: mac, eth_dst: mac }, 2);
const vlan = fc.oneof(
  fc.constant([]),
  some({ dl_vlan: fc.nat(4095).map(String), dl_vlan_pcp: fc.nat(7).map(String) }, 2),
  some({ vlan_tci: maskedInteger(16) }, 1),
  fc.constant(['dl_vlan=0xffff']),
);

const ip = {
  nw_tos: fc.nat(63).map((n) => String(n * 4)),
  nw_ecn: fc.nat(3).map(String),
  nw_ttl: integer(8),
  nw_frag: fc.constantFrom('no', 'yes', 'first', 'not_later'),
};
const anyFrag = { nw_frag: fc.constantFrom('no', 'yes', 'first', 'later', 'not_later') };
const ports = { tp_src: maskedInteger(16), tp_dst: maskedInteger(16) };
const tcpFlags = flags(['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns', '[200]']);
const ip4 = { ...ip, nw_src: ipv4, nw_dst: ipv4 };
const ip6 = { ...ip, ipv6_src: ipv6, ipv6_dst: ipv6, ipv6_label: maskedInteger(20) };
const icmp = { icmp_type: integer(8), icmp_code: integer(8) };
const nd = { icmp_code: fc.constant('0'), nd_target: ipv6 };
const arp = {
  arp_op: fc.nat(255).map(String),
  arp_spa: ipv4,
  arp_tpa: ipv4,
  arp_sha: mac,
  arp_tha: mac,
};

const after = (protocol: string, fields: fc.Arbitrary<string[]>): fc.Arbitrary<string[]> =>
  fields.map((texts) => [protocol, ...texts]);
const network = fc.oneof(
  after('tcp', some({ ...ip4, ...ports, tcp_flags: tcpFlags }, 5)),
  after('tcp6', some({ ...ip6, ...ports, tcp_flags: tcpFlags }, 5)),
  after('udp', some({ ...ip4, ...ports }, 5)),
  after('udp6', some({ ...ip6, udp_src: ports.tp_src, udp_dst: ports.tp_dst }, 5)),
  after('sctp', some({ ...ip4, sctp_src: ports.tp_src }, 4)),
  after('icmp', some({ ...ip4, ...icmp }, 5)),
  after('icmp6', some({ ...ip6, ...icmp }, 5)),
  after('icmp6,icmpv6_type=135', some({ ...nd, nd_sll: mac }, 3)),
  after('icmp6,icmpv6_type=136', some({ ...nd, nd_tll: mac }, 3)),
  after('ip', some({ ...ip4, ...anyFrag, nw_proto: integer(8) }, 4)),
  after('ipv6', some({ ...ip6, ...anyFrag, nw_proto: integer(8) }, 4)),
  after('arp', some(arp, 4)),
  after('rarp', some(arp, 4)),
  after(
    'mpls',
    some(
      {
        mpls_label: integer(20),
        mpls_tc: fc.nat(7).map(String),
        mpls_bos: fc.nat(1).map(String),
        mpls_ttl: integer(8),
      },
      4,
    ),
  ),
  after(
    // Context words are printed for this type only.
    'dl_type=0x894f,nsh_mdtype=1',
    some(
      {
        nsh_flags: maskedInteger(8),
        nsh_ttl: fc.nat(63).map(String),
        nsh_np: integer(8),
        nsh_spi: integer(24),
        nsh_si: integer(8),
        nsh_c2: maskedInteger(32),
      },
      4,
    ),
  ),
  fc.bigInt(0x600n, 0xffffn).map((type) => [`dl_type=0x${type.toString(16)}`]),
  fc.constant([]),
);

/** A match's fields, in the order of the text. */
export const matchText: Text = fc
  .tuple(metadata, vlan, ethernet, network)
  .map((parts) => parts.flat().join(','));
