/** Whole flows as text. The expected lines are what `ofproto/trace` of stock Open vSwitch 3.1 printed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractReference } from '../../src/flow/extract-reference.ts';
import { formatFlow, parseFlow } from '../../src/flow/flow-text.ts';
import { FLOW_WORDS, KEY_WORDS } from '../../src/flow/key.ts';
import { buildFrame } from '../../src/wire/frame.ts';

const NO_MACS = 'dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00';
const NO_TOS = 'nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no';

describe('a flow', () => {
  it.each([
    [
      'in_port=1,tcp,nw_src=1.2.3.4',
      `tcp,in_port=1,vlan_tci=0x0000,${NO_MACS},nw_src=1.2.3.4,nw_dst=0.0.0.0,${NO_TOS},tp_src=0,tp_dst=0,tcp_flags=0`,
    ],
    [
      'arp',
      `arp,in_port=ANY,vlan_tci=0x0000,${NO_MACS},arp_spa=0.0.0.0,arp_tpa=0.0.0.0,arp_op=0,arp_sha=00:00:00:00:00:00,arp_tha=00:00:00:00:00:00`,
    ],
    [
      'in_port=1,ip,ct_state=trk,ct_zone=4,reg0=5,metadata=4,pkt_mark=3,skb_priority=3,dp_hash=4,nw_frag=later',
      `pkt_mark=0x3,dp_hash=0x4,skb_priority=0x3,ct_state=trk,ct_zone=4,ip,reg0=0x5,metadata=0x4,in_port=1,vlan_tci=0x0000,${NO_MACS},nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_proto=0,nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=later`,
    ],
    [
      'in_port=1,tun_src=1.2.3.4,tun_dst=4.5.6.7,tun_tos=20,tun_ttl=9,tun_flags=oam,dl_vlan=5,icmp6,icmpv6_type=135,nd_target=::1',
      `icmp6,tun_src=1.2.3.4,tun_dst=4.5.6.7,tun_ipv6_src=::,tun_ipv6_dst=::,tun_gbp_id=0,tun_gbp_flags=0,tun_tos=14,tun_ttl=9,tun_erspan_ver=0,gtpu_flags=0,gtpu_msgtype=0,tun_flags=oam,in_port=1,dl_vlan=5,dl_vlan_pcp=0,vlan_tci1=0x0000,${NO_MACS},ipv6_src=::,ipv6_dst=::,ipv6_label=0x00000,${NO_TOS},icmp_type=135,icmp_code=0,nd_target=::1,nd_sll=00:00:00:00:00:00,nd_tll=00:00:00:00:00:00`,
    ],
    [
      'mpls,mpls_label=5',
      `mpls,in_port=ANY,vlan_tci=0x0000,${NO_MACS},mpls_label=5,mpls_tc=0,mpls_ttl=0,mpls_bos=0,mpls_lse1=0,mpls_lse2=0`,
    ],
    [
      'dl_type=0x894f,nsh_spi=4,nsh_c1=5',
      `in_port=ANY,vlan_tci=0x0000,${NO_MACS},dl_type=0x894f,nsh_flags=0,nsh_ttl=0,nsh_mdtype=0,nsh_np=0,nsh_spi=0x4,nsh_si=0,nw_proto=0,${NO_TOS}`,
    ],
    [
      'ip,nw_proto=2',
      `ip,in_port=ANY,vlan_tci=0x0000,${NO_MACS},nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_proto=2,${NO_TOS},tp_src=0,tp_dst=0`,
    ],
    [
      'ct_state=trk|est,ip,ct_nw_src=1.2.3.4,ct_nw_proto=6,ct_tp_dst=4',
      `ct_state=est|trk,ct_nw_src=1.2.3.4,ct_nw_dst=0.0.0.0,ct_nw_proto=6,ct_tp_src=0,ct_tp_dst=4,ip,in_port=ANY,vlan_tci=0x0000,${NO_MACS},nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_proto=0,${NO_TOS}`,
    ],
    [
      'tcp6,tcp_flags=syn|ack,nw_tos=4,nw_ecn=1,nw_ttl=64',
      `tcp6,in_port=ANY,vlan_tci=0x0000,${NO_MACS},ipv6_src=::,ipv6_dst=::,ipv6_label=0x00000,nw_tos=4,nw_ecn=1,nw_ttl=64,nw_frag=no,tp_src=0,tp_dst=0,tcp_flags=syn|ack`,
    ],
    [
      'vlan_tci=0x1005',
      `in_port=ANY,dl_vlan=5,dl_vlan_pcp=0,vlan_tci1=0x0000,${NO_MACS},dl_type=0x0000`,
    ],
  ])('"%s" reads as ofproto/trace prints it', (text, expected) => {
    expect(formatFlow(parseFlow(text))).toBe(expected);
  });

  it('from text is the same as from a packet', () => {
    const cases = [
      [
        { ipv4: { src: '1.2.3.4', dst: '5.6.7.8' }, udp: { srcPort: 5, dstPort: 6 } },
        'udp,nw_src=1.2.3.4,nw_dst=5.6.7.8,nw_ttl=64,udp_src=5,udp_dst=6',
      ],
      [
        { vlans: [{ vid: 9, pcp: 1 }], ipv6: { src: '::1', dst: '::2' }, tcp: { dstPort: 6 } },
        'dl_vlan=9,dl_vlan_pcp=1,tcp6,ipv6_src=::1,ipv6_dst=::2,nw_ttl=64,tcp_dst=6,tcp_flags=syn',
      ],
      [
        { arp: { sha: '00:00:00:00:00:05', spa: '1.1.1.1', tpa: '2.2.2.2' } },
        'arp,arp_op=1,arp_sha=00:00:00:00:00:05,arp_spa=1.1.1.1,arp_tpa=2.2.2.2',
      ],
    ] as const;
    for (const [record, text] of cases) {
      const eth = { src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' };
      const flow = parseFlow(`in_port=3,dl_src=${eth.src},dl_dst=${eth.dst},${text}`);
      expect(flow).toHaveLength(FLOW_WORDS);
      const key = extractReference(buildFrame({ eth, ...record }), 3);
      expect(flow.subarray(0, KEY_WORDS)).toEqual(key);
    }
  });

  it.each([
    'ip,nw_src=1.2.3.0/24',
    'ip,nw_frag=yes',
    'reg0=1/1',
    'tcp,tcp_flags=+syn',
    'dl_src=1:1:1:1:1:1/ff:0:0:0:0:0',
  ])('cannot be half known: "%s"', (text) => {
    expect(() => parseFlow(text)).toThrow('has a mask, but a flow needs whole values');
  });

  it('of any words can be printed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: KEY_WORDS, maxLength: FLOW_WORDS }),
        (words) => {
          expect(formatFlow(Int32Array.from(words))).toContain('dl_src=');
        },
      ),
    );
  });
});
