/** Frames built from records: what stands where, and that receivers would accept them. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setU16 } from '../../src/wire/bytes.ts';
import * as checksum from '../../src/wire/checksum.ts';
import { buildFrame, type FrameRecord } from '../../src/wire/frame.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as ipv6 from '../../src/wire/ipv6.ts';
import * as sctp from '../../src/wire/sctp.ts';
import * as vnet from '../../src/wire/vnet.ts';

const hex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex');

describe('a frame', () => {
  it('is the same bytes that are on the wire', () => {
    // An ARP request as a Linux host sends it.
    const arp = buildFrame({
      eth: { src: '52:54:00:12:34:56', dst: 'ff:ff:ff:ff:ff:ff' },
      arp: { sha: '52:54:00:12:34:56', spa: '10.0.2.15', tpa: '10.0.2.2' },
    });
    expect(hex(arp)).toBe(
      'ffffffffffff52540012345608060001080006040001525400123456' + '0a00020f0000000000000a000202',
    );
  });

  it('has its headers in order', () => {
    const frame = buildFrame({
      vlans: [
        { vid: 10, tpid: 0x88a8, dei: true },
        { vid: 20, pcp: 7 },
      ],
      mpls: [
        { label: 0x12345, tc: 5 },
        { label: 1, ttl: 2 },
      ],
      payload: 2,
    });
    expect(hex(frame)).toBe(
      '020000000002020000000001' +
        '88a8100a' +
        '8100e014' +
        '8847' +
        '12345a40' +
        '00001102' +
        '0001',
    );
  });

  it('has the IP packet sizes and checksums that a receiver wants', () => {
    const payload = fc.nat(100);
    const records: fc.Arbitrary<FrameRecord> = fc.constantFrom(
      { ipv4: {}, tcp: { dstPort: 80 } },
      { ipv4: { options: new Uint8Array(12).fill(1) }, udp: { srcPort: 53 } },
      { ipv6: {}, tcp: { options: new Uint8Array(4).fill(1) } },
      { ipv6: { extensions: [{ type: 0 }, { type: 60, size: 24 }] }, udp: {} },
      { ipv6: {}, icmpv6: {} },
    );
    fc.assert(
      fc.property(records, payload, (record, size) => {
        const frame = buildFrame({ ...record, payload: size });
        const l3 = 14;
        const check = record.ipv4 ? ipv4.check : ipv6.check;
        expect(check(frame, l3, frame.length)).toBe(true);
        const { l4, pseudo } = record.ipv4 ? upper4(frame, l3) : upper6(frame, l3);
        expect(checksum.fold(pseudo + checksum.sum(frame, l4, frame.length))).toBe(0xffff);
        if (record.ipv4)
          expect(checksum.checksum(frame, l3, l3 + ipv4.headerLength(frame, l3))).toBe(0);
      }),
    );
  });

  it('of SCTP, ICMP and IGMP has a right checksum', () => {
    for (const record of [{ icmp: { rest: 0x00010002 } }, { igmp: {} }]) {
      const frame = buildFrame({ ipv4: {}, ...record, payload: 9 });
      expect(checksum.checksum(frame, 34, frame.length)).toBe(0);
    }
    const frame = buildFrame({ ipv4: {}, sctp: { srcPort: 7 }, payload: 9 });
    const sent = sctp.check32(frame, 34);
    sctp.fillChecksum(frame, 34, frame.length);
    expect(sctp.check32(frame, 34)).toBe(sent);
    expect(sent).not.toBe(0);
  });

  it('may be padded, cut into fragments, or say something untrue', () => {
    expect(buildFrame({ ipv4: {}, udp: {}, minSize: 60 })).toHaveLength(60);
    const fragment = buildFrame({ ipv4: { fragment: ipv4.MORE_FRAGMENTS }, udp: {} });
    expect(ipv4.fragment(fragment, 14)).toBe(ipv4.MORE_FRAGMENTS);
    expect(ipv4.totalLength(buildFrame({ ipv4: { totalLength: 9999 }, udp: {} }), 14)).toBe(9999);
    expect(hex(buildFrame({ ipv4: {}, udp: { noChecksum: true } })).slice(-4)).toBe('0000');
  });

  const hasTcpdump = spawnSync('tcpdump', ['--version']).status === 0;
  const itWithTcpdump = hasTcpdump || process.env.TAPFLOW_REQUIRE_SYSTEM === '1' ? it : it.skip;
  itWithTcpdump('is understood by tcpdump, checksums and all (skipped without tcpdump)', () => {
    const records: FrameRecord[] = [
      { ipv4: {}, tcp: { dstPort: 80 }, payload: 5 },
      { ipv6: {}, udp: { dstPort: 5000 }, payload: 5 },
      {
        ipv6: {},
        icmpv6: { type: 135, nd: { target: '::1', options: [{ type: 1, mac: '2:0:0:0:0:1' }] } },
      },
      { ipv4: {}, icmp: {}, payload: 3 },
    ];
    const { stdout, stderr } = spawnSync('tcpdump', ['-nvvr', '-'], {
      input: pcap(records.map(buildFrame)),
      encoding: 'utf8',
    });
    expect(stderr).not.toMatch(/unexpected|truncated/);
    expect(stdout).toMatch(/cksum 0x[0-9a-f]+ \(correct\)/);
    expect(stdout).toMatch(/\[udp sum ok\]/);
    expect(stdout).toMatch(/\[icmp6 sum ok\] ICMP6, neighbor solicitation/);
    expect(stdout).toMatch(/ICMP echo request/);
    expect(stdout).not.toMatch(/incorrect|bad|wrong/);
  });
});

function upper4(b: Uint8Array, l3: number): { l4: number; pseudo: number } {
  const l4 = l3 + ipv4.headerLength(b, l3);
  return { l4, pseudo: checksum.pseudoSum4(b, l3, ipv4.proto(b, l3), b.length - l4) };
}

function upper6(b: Uint8Array, l3: number): { l4: number; pseudo: number } {
  let next = ipv6.nextHeader(b, l3);
  let l4 = l3 + ipv6.SIZE;
  while (ipv6.isExtension(next)) {
    const size = ipv6.extensionSize(b, l4, next);
    next = b[l4];
    l4 += size;
  }
  return { l4, pseudo: checksum.pseudoSum6(b, l3, next, b.length - l4) };
}

function pcap(frames: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex');
  return Buffer.concat([
    head,
    ...frames.flatMap((frame) => {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(frame.length, 8);
      record.writeUInt32LE(frame.length, 12);
      return [record, frame];
    }),
  ]);
}

describe('a virtio-net header', () => {
  it('is little-endian', () => {
    const b = new Uint8Array(14);
    setU16(b, 12, 0xaabb);
    const end = vnet.emit(b, 2, {
      flags: vnet.F_NEEDS_CSUM,
      gsoType: vnet.GSO_TCPV4,
      hdrLen: 0x0102,
      gsoSize: 0x0304,
      csumStart: 0x0506,
      csumOffset: 0x0708,
    });
    expect(end).toBe(12);
    expect(hex(b)).toBe('0000' + '0101' + '0201' + '0403' + '0605' + '0807' + 'aabb');
    expect([vnet.hdrLen(b, 2), vnet.gsoSize(b, 2)]).toEqual([0x0102, 0x0304]);
    expect([vnet.csumStart(b, 2), vnet.csumOffset(b, 2)]).toEqual([0x0506, 0x0708]);
    expect(vnet.print(b, 2)).toBe('vnet flags 1 gso 1 size 772 hdr 258 csum 1286+1800');
    vnet.clear(b, 2);
    expect(hex(b)).toBe('000000000000000000000000aabb');
  });
});
