/** Datapath flows as text. The expected lines are what stock Open vSwitch 3.1 dumped for these packets. */
import { describe, expect, it } from 'vitest';
import { extractReference } from '../../src/flow/extract-reference.ts';
import { PROTO, RECIRC_ID } from '../../src/flow/key.ts';
import { parseMatch } from '../../src/flow/match-text.ts';
import { formatOdpKey } from '../../src/flow/odp-text.ts';
import { buildFrame, type FrameRecord } from '../../src/wire/frame.ts';

/** The packet's key, with the mask of a match (whose values do not matter). */
function odp(record: FrameRecord, matchText: string): string {
  const { mask } = parseMatch(`in_port=1,recirc_id=0${matchText}`);
  mask[PROTO] |= 0xffff << 16;
  mask[RECIRC_ID] = -1;
  return formatOdpKey(extractReference(buildFrame(record), 1), mask);
}

const HEAD = 'recirc_id(0),in_port(1),packet_type(ns=0,id=0)';
const ND = { target: 'fd00::2', options: [{ type: 1, mac: '02:00:00:00:00:01' }] };

const CASES: readonly [record: FrameRecord, match: string, expected: string][] = [
  [
    { ipv4: { tos: 5 }, tcp: { dstPort: 80 } },
    ',tcp,tcp_flags=+syn-ack,tp_dst=80,nw_tos=4,nw_ecn=1,nw_ttl=64,nw_src=10.0.0.0/8,nw_frag=no',
    'eth_type(0x0800),ipv4(src=10.0.0.1/255.0.0.0,proto=6,tos=0x5,ttl=64,frag=no),tcp(dst=80),tcp_flags(+syn-ack)',
  ],
  [
    { vlans: [{ vid: 10, pcp: 3 }], ipv4: {}, udp: { srcPort: 53 } },
    ',udp,vlan_tci=0x1005,nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,tp_src=1,nw_frag=no',
    'eth_type(0x8100),vlan(vid=10,pcp=3),encap(eth_type(0x0800),ipv4(dst=10.0.0.2,proto=17,tos=0,frag=no),udp(src=53))',
  ],
  [
    { vlans: [{ vid: 10, pcp: 3 }], ipv4: {}, udp: {} },
    ',dl_vlan=1,ip,nw_tos=0,nw_frag=no',
    'eth_type(0x8100),vlan(vid=10,pcp=3/0x0),encap(eth_type(0x0800),ipv4(tos=0/0xfc,frag=no))',
  ],
  [
    { ipv4: {}, udp: { dstPort: 17 } },
    ',dl_src=02:00:00:00:00:01/ff:00:00:00:00:ff,udp,tp_dst=0x10/0xfff0,nw_frag=no',
    'eth(src=02:00:00:00:00:01/ff:00:00:00:00:ff),eth_type(0x0800),ipv4(proto=17,frag=no),udp(dst=17/0xfff0)',
  ],
  [{ ipv4: { fragment: 1 }, udp: {} }, ',ip,nw_frag=later', 'eth_type(0x0800),ipv4(frag=later)'],
  [
    { ipv4: { fragment: 0x2000 }, icmp: {} },
    ',icmp,icmp_type=8,icmp_code=0,nw_frag=no',
    'eth_type(0x0800),ipv4(proto=1,frag=first),icmp(type=8,code=0)',
  ],
  [
    { arp: {} },
    ',arp,arp_spa=1.1.1.1,arp_tpa=1.1.1.1,arp_op=9,arp_sha=1:1:1:1:1:1,arp_tha=1:1:1:1:1:1',
    'eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=02:00:00:00:00:01,tha=00:00:00:00:00:00)',
  ],
  [
    { ipv6: { label: 5 }, tcp: { dstPort: 80 } },
    ',tcp6,ipv6_src=::,ipv6_dst=::/64,ipv6_label=5,tp_dst=0,tcp_flags=0,nw_frag=no',
    'eth_type(0x86dd),ipv6(src=fd00::1,dst=fd00::2/ffff:ffff:ffff:ffff::,label=0x5,proto=6,frag=no),tcp(dst=80),tcp_flags(syn)',
  ],
  [
    { ipv6: {}, icmpv6: { type: 135, nd: ND } },
    ',icmp6,icmp_type=135,icmp_code=0,nd_target=::,nd_sll=00:00:00:00:00:00,nw_frag=no,nw_ttl=1,nw_ecn=1',
    'eth_type(0x86dd),ipv6(proto=58,tclass=0/0x3,hlimit=64,frag=no),icmpv6(type=135,code=0),nd(target=fd00::2,sll=02:00:00:00:00:01)',
  ],
  [
    { mpls: [{ label: 5 }, { label: 6 }], payload: 30 },
    ',mpls,mpls_label=1,mpls_ttl=1',
    'eth_type(0x8847),mpls(label=5/0xfffff,tc=0/0,ttl=64/0xff,bos=0/0,label=6/0x0,tc=0/0,ttl=64/0x0,bos=1/0)',
  ],
  [
    { mpls: [{ label: 5 }], payload: 30 },
    ',mpls,mpls_label=1,mpls_ttl=1,mpls_tc=1,mpls_bos=1',
    'eth_type(0x8847),mpls(label=5,tc=0,ttl=64,bos=1)',
  ],
  [
    { ipv4: {}, sctp: { srcPort: 5 } },
    ',sctp,tp_src=5,nw_frag=no',
    'eth_type(0x0800),ipv4(proto=132,frag=no),sctp(src=5)',
  ],
  [
    { nsh: { spi: 5, si: 1, context: [1, 2, 3, 4] }, payload: 40 },
    ',eth_type=0x894f,nsh_flags=1/1,nsh_ttl=1,nsh_mdtype=1,nsh_np=1,nsh_si=1,nsh_c1=1,nsh_c2=2/3',
    'eth_type(0x894f),nsh(flags=0x00/0x01,ttl=63,mdtype=1,np=3,si=1,c1=0x1,c2=0x2/0x00000003)',
  ],
  [{ ethType: 40, payload: 46 }, '', 'eth_type(0/0xffff)'],
  [{ ethType: 0x9999, payload: 50 }, '', 'eth_type(0x9999)'],
];

describe('a datapath flow', () => {
  it.each(CASES)('is printed as dpctl/dump-flows prints it: %j%s', (record, match, expected) => {
    expect(odp(record, match)).toBe(`${HEAD},${expected}`);
  });

  it('begins with its metadata', () => {
    const record = { ethType: 0x9999, payload: 50 };
    expect(odp(record, ',pkt_mark=0,ct_state=-new-trk,ct_zone=0,ct_mark=0/5,ct_label=0/7')).toBe(
      `skb_mark(0),ct_state(-new-trk),ct_zone(0),ct_mark(0/0x5),ct_label(0/0x7),${HEAD},eth_type(0x9999)`,
    );
  });

  it('names its port if it can', () => {
    const key = extractReference(buildFrame({ arp: {} }), 1);
    const { mask } = parseMatch('in_port=1');
    expect(formatOdpKey(key, mask, (port) => `tap${port}`)).toBe(
      'in_port(tap1),packet_type(ns=0,id=0)',
    );
  });
});
