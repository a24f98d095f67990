/**
 * Random frames for tests: well-formed ones of every protocol that a flow
 * knows, the same with a few bytes changed or the end cut off, and plain noise.
 */
import fc from 'fast-check';
import { formatIpv4, formatIpv6, formatMac } from '../../src/wire/address.ts';
import { buildFrame, type FrameRecord } from '../../src/wire/frame.ts';

/** Few values each, so that equal ones meet. */
const mac = fc.oneof(fc.constantFrom(0n, 1n, 0x020000000001n), fc.bigInt(0n, 0xffffffffffffn));
const macText = mac.map(formatMac);
const ipv4Text = fc.integer().map(formatIpv4);
const ipv6Text = fc.bigInt(0n, (1n << 128n) - 1n).map(formatIpv6);
const byte = fc.nat(255);
const port = fc.oneof(fc.nat(3), fc.nat(0xffff));

const vlans = fc.array(
  fc.record({
    tpid: fc.constantFrom(0x8100, 0x88a8),
    vid: fc.nat(4095),
    pcp: fc.nat(7),
    dei: fc.boolean(),
  }),
  { maxLength: 3 },
);

const fragment = fc.constantFrom(0, 0, 0, 0x4000, 0x2000, 0x0001, 0x2005, 0x8000);
const ipv4 = fc.record({
  src: ipv4Text,
  dst: ipv4Text,
  tos: byte,
  ttl: byte,
  fragment,
  options: fc.constantFrom(new Uint8Array(0), new Uint8Array(4), new Uint8Array(40)),
});

const extension = fc.oneof(
  fc.record({ type: fc.constantFrom(0, 43, 60), size: fc.constantFrom(8, 16, 24) }),
  fc.record({ type: fc.constant(51), size: fc.constantFrom(8, 12, 24) }),
  fc.record({ type: fc.constant(44), fragment: fc.constantFrom(0, 1, 6, 8, 0xfff9) }),
);
const ipv6 = fc.record({
  src: ipv6Text,
  dst: ipv6Text,
  trafficClass: byte,
  label: fc.nat(0xfffff),
  hopLimit: byte,
  extensions: fc.oneof(fc.constant([]), fc.array(extension, { maxLength: 4 })),
});

const ndOption = fc.record({ type: fc.constantFrom(1, 1, 2, 2, 3), mac: macText });
const nd = fc.record({
  type: fc.constantFrom(135, 136),
  code: fc.constantFrom(0, 0, 0, 1),
  rest: fc.integer(),
  nd: fc.record({ target: ipv6Text, options: fc.array(ndOption, { maxLength: 3 }) }),
});

const transport: fc.Arbitrary<FrameRecord> = fc.oneof(
  fc.record({
    tcp: fc.record({ srcPort: port, dstPort: port, flags: fc.nat(0xfff) }),
    payload: fc.nat(8),
  }),
  fc.record({ udp: fc.record({ srcPort: port, dstPort: port }), payload: fc.nat(8) }),
  fc.record({ sctp: fc.record({ srcPort: port, dstPort: port }), payload: fc.nat(8) }),
  fc.record({ icmp: fc.record({ type: byte, code: byte }) }),
  fc.record({ icmpv6: fc.record({ type: byte, code: byte }) }),
  fc.record({ icmpv6: nd }),
  fc.record({ igmp: fc.record({ type: byte, code: byte }) }),
  fc.record({ payload: fc.nat(12) }),
);

const network: fc.Arbitrary<FrameRecord> = fc.oneof(
  { weight: 4, arbitrary: join(fc.record({ ipv4 }), transport) },
  { weight: 4, arbitrary: join(fc.record({ ipv6 }), transport) },
  fc.record({
    arp: fc.record({
      op: fc.oneof(fc.nat(3), fc.nat(0xffff)),
      sha: macText,
      spa: ipv4Text,
      tha: macText,
      tpa: ipv4Text,
    }),
    ethType: fc.constantFrom(0x0806, 0x8035),
  }),
  fc.record({
    mpls: fc.array(
      fc.record({ label: fc.nat(0xfffff), tc: fc.nat(7), ttl: byte, bottom: fc.boolean() }),
      { minLength: 1, maxLength: 5 },
    ),
    payload: fc.nat(8),
  }),
  fc.record({
    nsh: fc.record({
      version: fc.constantFrom(0, 0, 0, 1),
      flags: fc.nat(3),
      ttl: fc.nat(63),
      mdType: fc.constantFrom(1, 1, 1, 2, 3, 0x11),
      nextProto: byte,
      spi: fc.nat(0xffffff),
      si: byte,
      context: fc.array(fc.integer(), { minLength: 4, maxLength: 4 }),
    }),
    payload: fc.nat(20),
  }),
  fc.record({ ethType: fc.nat(0xffff), payload: fc.nat(20) }),
);

/** A frame with every header whole. */
export const wellFormedFrame: fc.Arbitrary<Uint8Array> = join(
  fc.record({
    eth: fc.record({ dst: macText, src: macText }),
    vlans,
    snap: fc.constantFrom(false, false, false, true),
    minSize: fc.constantFrom(0, 60, 64, 400),
  }),
  network,
).map(buildFrame);

/** The same, perhaps with bytes changed, perhaps cut; or noise. Up to a few hundred bytes. */
export const anyFrame: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: wellFormedFrame },
  {
    weight: 4,
    arbitrary: fc
      .tuple(wellFormedFrame, fc.array(fc.tuple(fc.nat(120), byte), { maxLength: 3 }))
      .map(([frame, changes]) => mutate(frame, changes)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(wellFormedFrame, fc.nat(200))
      .map(([frame, size]) => frame.slice(0, Math.min(size, frame.length))),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
);

function mutate(frame: Uint8Array, changes: readonly [number, number][]): Uint8Array {
  const changed = frame.slice();
  for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
  return changed;
}

function join(
  a: fc.Arbitrary<FrameRecord>,
  b: fc.Arbitrary<FrameRecord>,
): fc.Arbitrary<FrameRecord> {
  return fc.tuple(a, b).map(([left, right]) => ({ ...left, ...right }));
}
