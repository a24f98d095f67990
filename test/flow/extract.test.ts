/** The fast extractor against the reference parser, on frames of every kind. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Extractor } from '../../src/flow/extract.ts';
import { extractReference } from '../../src/flow/extract-reference.ts';
import { formatFlow } from '../../src/flow/flow-text.ts';
import { HAS_CT, HAS_TUNNEL, KEY_WORDS, SHAPE } from '../../src/flow/key.ts';
import { buildFrame } from '../../src/wire/frame.ts';
import { expectAgreement, extractAt } from './extract-agreement.ts';
import { anyFrame, wellFormedFrame } from './frame-arbitrary.ts';

describe('the flow key', () => {
  it('is what the reference parser says, for any bytes', () => {
    fc.assert(fc.property(anyFrame, expectAgreement), { numRuns: 3000 });
  });

  it('is what the reference parser says, wherever a frame is cut off', () => {
    fc.assert(
      fc.property(wellFormedFrame, (frame) => {
        for (let size = 0; size <= Math.min(frame.length, 160); size++) {
          expectAgreement(frame.subarray(0, size));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('leaves nothing of the key that stood in its slot before', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { minLength: 2, maxLength: 6 }), (frames) => {
        const slot = new Int32Array(KEY_WORDS);
        for (const frame of frames.filter(({ length }) => length >= 14)) {
          new Extractor(frame).extract(0, frame.length, 7, slot, 0);
          expect(slot).toEqual(extractReference(frame, 7));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('leaves no conntrack and tunnel metadata of an earlier packet', () => {
    const frame = buildFrame({ ipv4: {}, udp: {} });
    const slot = new Int32Array(KEY_WORDS).fill(1, 16);
    slot[SHAPE] = HAS_CT | HAS_TUNNEL | 0xf0;
    new Extractor(frame).extract(0, frame.length, 1, slot, 0);
    expect(slot).toEqual(extractReference(frame, 1));
  });

  it('is written to its place among others and nowhere else', () => {
    const frame = buildFrame({ ipv6: {}, tcp: {} });
    const keys = new Int32Array(3 * KEY_WORDS).fill(5);
    keys.fill(0, KEY_WORDS, 2 * KEY_WORDS);
    new Extractor(frame).extract(0, frame.length, 1, keys, KEY_WORDS);
    expect(keys.subarray(KEY_WORDS, 2 * KEY_WORDS)).toEqual(extractReference(frame, 1));
    expect(new Set(keys.subarray(0, KEY_WORDS))).toEqual(new Set([5]));
    expect(new Set(keys.subarray(2 * KEY_WORDS))).toEqual(new Set([5]));
  });

  it('is the same from a shared buffer', () => {
    const frame = buildFrame({ vlans: [{ vid: 3 }], ipv4: {}, tcp: { dstPort: 80 } });
    const bytes = new Uint8Array(new SharedArrayBuffer(4096));
    bytes.set(frame, 1001);
    expect(extractAt(bytes, 1001, frame.length)).toEqual(extractReference(frame, 1));
  });

  it('is refused to a frame shorter than an Ethernet header', () => {
    for (let size = 0; size < 14; size++) {
      const extractor = new Extractor(new Uint8Array(64));
      expect(extractor.extract(0, size, 1, new Int32Array(KEY_WORDS), 0)).toBe(false);
      expect([extractor.l3, extractor.l4]).toEqual([0, 0]);
    }
  });

  it('reads, printed, as Open vSwitch prints it', () => {
    const frame = buildFrame({
      eth: { src: '02:00:00:00:00:0a', dst: '02:00:00:00:00:0b' },
      vlans: [{ vid: 10, pcp: 3 }],
      ipv4: { src: '10.0.0.1', dst: '10.0.0.2', tos: 0x2a },
      udp: { srcPort: 1000, dstPort: 53 },
    });
    expect(formatFlow(extractReference(frame, 4))).toBe(
      'udp,in_port=4,dl_vlan=10,dl_vlan_pcp=3,vlan_tci1=0x0000,dl_src=02:00:00:00:00:0a,' +
        'dl_dst=02:00:00:00:00:0b,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=40,nw_ecn=2,nw_ttl=64,' +
        'nw_frag=no,tp_src=1000,tp_dst=53',
    );
  });
});

describe('the offsets of the headers', () => {
  const offsets = (record: Parameters<typeof buildFrame>[0], size?: number) => {
    const frame = buildFrame(record);
    const extractor = new Extractor(frame);
    extractor.extract(0, size ?? frame.length, 1, new Int32Array(KEY_WORDS), 0);
    return [extractor.l3, extractor.l4];
  };

  it('follow VLAN tags, IP options and extension headers', () => {
    expect(offsets({ ipv4: {}, udp: {} })).toEqual([14, 34]);
    expect(offsets({ vlans: [{ vid: 1 }, { vid: 2 }], ipv4: {}, tcp: {} })).toEqual([22, 42]);
    expect(offsets({ ipv4: { options: new Uint8Array(8) }, icmp: {} })).toEqual([14, 42]);
    expect(offsets({ ipv6: { extensions: [{ type: 0 }] }, tcp: {} })).toEqual([14, 62]);
    expect(offsets({ snap: true, arp: {} })).toEqual([22, 0]);
    expect(offsets({ mpls: [{ label: 1 }, { label: 2 }], payload: 20 })).toEqual([22, 0]);
  });

  it('are 0 where a header is not whole', () => {
    expect(offsets({ ipv4: {}, udp: {} }, 40)).toEqual([0, 0]);
    expect(offsets({ ipv4: {}, tcp: {}, payload: 4 }, 30)).toEqual([0, 0]);
    expect(offsets({ ipv6: {}, udp: {} }, 50)).toEqual([0, 0]);
    expect(offsets({ arp: {} }, 41)).toEqual([0, 0]);
    expect(offsets({ ipv4: { proto: 6 }, payload: 19 })).toEqual([14, 0]);
    expect(offsets({ ethType: 0x1234, payload: 50 })).toEqual([0, 0]);
  });

  it('name no transport header in a later fragment', () => {
    expect(offsets({ ipv4: { fragment: 0x2001 }, udp: {} })).toEqual([14, 0]);
    const extensions = [{ type: 44, fragment: 8 }];
    expect(offsets({ ipv6: { extensions }, udp: {} })).toEqual([14, 0]);
    expect(offsets({ ipv4: { fragment: 0x2000 }, udp: {} })).toEqual([14, 34]);
  });
});
