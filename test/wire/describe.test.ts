/** Frames in words. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeFrame } from '../../src/wire/describe.ts';
import { buildFrame, type FrameRecord } from '../../src/wire/frame.ts';
import { anyFrame } from '../flow/frame-arbitrary.ts';

const ETH = 'eth 02:00:00:00:00:01 > 02:00:00:00:00:02';
const V4 = 'ipv4 10.0.0.1 > 10.0.0.2';

describe('a described frame', () => {
  it.each<[FrameRecord, string]>([
    [{ arp: {} }, 'arp op 1 10.0.0.1 asks for 10.0.0.2'],
    [
      { vlans: [{ vid: 5, pcp: 2 }], ipv4: {}, udp: { srcPort: 1, dstPort: 53 }, payload: 2 },
      `vlan 5 pcp 2, ${V4} proto 17 ttl 64 length 30, udp 1 > 53 length 10`,
    ],
    [
      { ipv6: {}, tcp: { dstPort: 80, seq: -1 } },
      'ipv6 fd00::1 > fd00::2 next 6 hlim 64 length 20, tcp 0 > 80 flags 0x2 seq 4294967295',
    ],
    [{ ipv4: { fragment: 9 }, udp: {} }, `${V4} proto 17 ttl 64 length 28`],
    [{ ipv4: {}, sctp: { srcPort: 4 } }, `${V4} proto 132 ttl 64 length 32, sctp 4 > 0`],
    [{ ipv4: {}, icmp: {} }, `${V4} proto 1 ttl 64 length 28, icmp type 8 code 0`],
    [{ ipv4: {}, igmp: {} }, `${V4} proto 2 ttl 64 length 28, igmp type 22 group 239.0.0.1`],
    [
      { ipv6: {}, icmpv6: { type: 128 } },
      'ipv6 fd00::1 > fd00::2 next 58 hlim 64 length 8, icmpv6 type 128 code 0',
    ],
    [{ mpls: [{ label: 5 }] }, 'mpls 5 ttl 64'],
    [{ nsh: { spi: 4, si: 9 } }, 'nsh spi 4 si 9 ttl 63'],
    [{ ethType: 0x9999, payload: 9 }, 'type 0x9999'],
    [{ ipv4: { totalLength: 999 } }, 'type 0x0800'],
  ])('%j reads well', (record, expected) => {
    expect(describeFrame(buildFrame(record))).toBe(`${ETH}, ${expected}`);
  });

  it('may be of any bytes', () => {
    fc.assert(fc.property(anyFrame, (frame) => describeFrame(frame).length > 0));
    expect(describeFrame(new Uint8Array(13))).toBe('13 bytes, too short for Ethernet');
  });
});
