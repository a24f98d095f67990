/** Random packets and action lists for the executor's property tests. */
import fc from 'fast-check';
import * as op from '../../../src/dpif/actions.ts';
import { buildFrame, type FrameRecord } from '../../../src/wire/frame.ts';
import { fixChecksums, type OraclePort, parse } from './copy-oracle.ts';
import { packetOf } from './lab.ts';

export const PORTS: ReadonlyMap<number, OraclePort> = new Map([
  [1, { offloads: 15, mtu: 65535 }],
  [2, { offloads: 15, mtu: 1500 }],
  [3, { offloads: 1, mtu: 1500 }],
  [4, { offloads: 0, mtu: 1500 }],
  [5, { offloads: 3, mtu: 65535 }],
  [6, { offloads: 0, mtu: 65535 }],
]);

const payloadSize = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 400 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4000 }) },
);
const payload = fc
  .tuple(payloadSize, fc.integer({ min: 0, max: 255 }))
  .map(([size, seed]) => Uint8Array.from({ length: size }, (_, i) => (i * 37 + seed) ^ (i >> 3)));

const vlans = fc.array(
  fc.record({
    tpid: fc.constantFrom(0x8100, 0x88a8),
    vid: fc.integer({ min: 0, max: 4095 }),
    pcp: fc.integer({ min: 0, max: 7 }),
  }),
  { maxLength: 2 },
);
const port = fc.integer({ min: 0, max: 65535 });
const words4 = fc.uint8Array({ minLength: 0, maxLength: 10 });
const options = words4.map((bytes) => new Uint8Array(bytes.length * 4).fill(1));

const tcp = fc.record({
  tcp: fc.record({
    srcPort: port,
    dstPort: port,
    seq: fc.integer(),
    ack: fc.integer(),
    flags: fc.integer({ min: 0, max: 0xfff }),
    options,
  }),
});
const udp = fc.record({
  udp: fc.record({ srcPort: port, dstPort: port, noChecksum: fc.boolean() }),
});
const icmp = fc.record({ icmp: fc.record({ code: fc.integer({ min: 0, max: 255 }) }) });
const echo6 = fc.record({ icmpv6: fc.record({ rest: fc.integer() }) });
const nd = fc.record({
  icmpv6: fc.record({
    type: fc.constantFrom(135, 136),
    nd: fc.record({
      target: fc.constantFrom('fe80::1', 'fd00::99'),
      options: fc.array(
        fc.record({ type: fc.integer({ min: 1, max: 3 }), mac: fc.constant('02:11:22:33:44:55') }),
        { maxLength: 3 },
      ),
    }),
  }),
});
const sctp = fc.record({ sctp: fc.record({ srcPort: port, dstPort: port }) });

const ipv4Header = fc.record({
  src: fc.ipV4(),
  dst: fc.ipV4(),
  tos: fc.integer({ min: 0, max: 255 }),
  ttl: fc.integer({ min: 0, max: 255 }),
  id: port,
  options,
  fragment: fc.constantFrom(0, 0, 0, 0x4000, 0x2000, 0x2003, 0x0007),
});
const ipv6Header = fc.record({
  src: fc.constantFrom('fd00::1', '2001:db8::ffff:1', '::'),
  dst: fc.constantFrom('fd00::2', 'ff02::1'),
  trafficClass: fc.integer({ min: 0, max: 255 }),
  label: fc.integer({ min: 0, max: 0xfffff }),
  hopLimit: fc.integer({ min: 0, max: 255 }),
  extensions: fc.array(
    fc.constantFrom(
      { type: 0, size: 8 },
      { type: 60, size: 72 },
      { type: 60, size: 208 },
      { type: 51, size: 12 },
      { type: 43, size: 24 },
      { type: 44, fragment: 0 },
      { type: 44, fragment: 1 },
      { type: 44, fragment: 0x38 },
    ),
    { maxLength: 3 },
  ),
});

const arp = fc.record({
  arp: fc.record({ op: fc.integer({ min: 0, max: 65535 }) }),
});
const over4 = fc
  .tuple(ipv4Header, fc.oneof(tcp, udp, sctp, icmp))
  .map(([ipv4, l4]): FrameRecord => ({ ipv4, ...l4 }));
const over6 = fc
  .tuple(ipv6Header, fc.oneof(tcp, udp, sctp, echo6, nd))
  .map(([ipv6, l4]): FrameRecord => ({ ipv6, ...l4 }));

const frame = fc
  .record({
    l3: fc.oneof<fc.Arbitrary<FrameRecord>[]>(over4, over6, arp, fc.constant({})),
    vlans,
    payload,
    minSize: fc.constantFrom(0, 60, 400),
  })
  .map(({ l3, ...rest }) => buildFrame({ ...l3, ...rest }));

const superFrame = fc
  .record({
    l3: fc.oneof(
      fc
        .tuple(ipv4Header, fc.oneof(tcp, udp))
        .map(([ipv4, l4]): FrameRecord => ({ ipv4: { ...ipv4, fragment: 0x4000 }, ...l4 })),
      fc
        .tuple(ipv6Header, fc.oneof(tcp, udp))
        .map(([ipv6, l4]): FrameRecord => ({ ipv6: { ...ipv6, extensions: [] }, ...l4 })),
    ),
    vlans,
    payload: fc.integer({ min: 100, max: 6000 }),
  })
  .map(({ l3, ...rest }) => buildFrame({ ...l3, ...rest }));

/** What a kernel may hand us: full or partial checksums, super-frames of every kind. */
export const packet: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: frame }, { weight: 1, arbitrary: superFrame }),
    fc.boolean(),
    fc.boolean(),
    fc.oneof(fc.integer({ min: 50, max: 200 }), fc.integer({ min: 50, max: 2000 })),
    fc.boolean(),
  )
  .map(([bytes, isPartial, isSuper, gsoSize, isEcn]) => {
    const plain = packetOf(bytes);
    routeThrough(plain);
    const p = parse(plain);
    fixChecksums(plain);
    const canBePartial = p.l4 > 0 && !p.isFragment && [6, 17, 58].includes(p.proto);
    if (!isPartial || !canBePartial) return plain;
    const start = p.l4 - 10;
    const offset = p.proto === 6 ? 16 : p.proto === 17 ? 6 : 2;
    const headers = start + (p.proto === 6 ? (plain[p.l4 + 12] >> 4) * 4 : 8);
    const isPadded = p.ipEnd < plain.length;
    const gso = isSuper && !isPadded && plain.length - 10 - headers > gsoSize;
    const gsoType = p.proto === 17 ? 5 : (p.type === 0x0800 ? 1 : 4) | (isEcn ? 0x80 : 0);
    const packet = packetOf(plain.subarray(10), {
      partial: { start, offset },
      ...(gso && p.proto !== 58 ? { gsoType, gsoSize, hdrLen: headers } : {}),
    });
    // A UDP sender that leaves the checksum to others wants one.
    if (p.proto === 17) packet[p.l4 + 6] = 1;
    fixChecksums(packet);
    return packet;
  });

/** Routing headers (of one address) get an address and say that it is still ahead. */
function routeThrough(packet: Uint8Array): void {
  const p = parse(packet);
  if (p.type !== 0x86dd) return;
  let next = packet[p.l3 + 6];
  let o = p.l3 + 40;
  while ([0, 43, 51, 60].includes(next)) {
    if (next === 43) {
      packet.fill(0, o + 2, o + 24);
      packet[o + 3] = packet[p.l3 + 7] & 1;
      packet.set([0xfd, 0, 0x77], o + 8);
    }
    const size = next === 51 ? (packet[o + 1] + 2) * 4 : (packet[o + 1] + 1) * 8;
    next = packet[o];
    o += size;
  }
}

const word = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 0x0000ffff));
const mask = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, -1) },
  { weight: 1, arbitrary: fc.integer() },
);
const setOf = (code: number, ...args: fc.Arbitrary<number>[]) =>
  fc.tuple(...args).map((values): [number, ...number[]] => [code, ...values]);
const times = (count: number, arbitrary: fc.Arbitrary<number>) =>
  Array.from({ length: count }, () => arbitrary);

type Action = [number, ...number[]];
const setEth = setOf(op.SET_ETH, ...times(3, word), ...times(3, mask));
const setIpv4 = setOf(op.SET_IPV4, word, mask, word, mask, word, mask);
const setIpv6 = setOf(
  op.SET_IPV6,
  ...times(4, word),
  ...times(4, mask),
  ...times(4, word),
  ...times(4, mask),
  ...[word, mask, word, mask],
);
const setTp = setOf(op.SET_TP, word, mask);
const setArp = setOf(
  op.SET_ARP,
  word,
  mask,
  word,
  mask,
  word,
  mask,
  word,
  word,
  word,
  ...times(3, mask),
);
const setNd = setOf(
  op.SET_ND,
  ...times(4, word),
  ...times(4, mask),
  ...times(3, word),
  ...times(3, mask),
);
const output = setOf(op.OUTPUT, fc.constantFrom(1, 2, 3, 4, 5, 6, 9));
const trunc = setOf(op.TRUNC, fc.integer({ min: 0, max: 1500 }));
const userspace = setOf(op.USERSPACE, fc.constant(2), fc.nat(99), fc.constantFrom(0xffff, 128));
const pushVlan = setOf(
  op.PUSH_VLAN,
  fc.integer({ min: 0x81000000, max: 0x8100ffff }).map((t) => t | 0),
);
const popVlan = fc.constant<Action>([op.POP_VLAN]);
const priority = setOf(op.SET_PRIORITY, word);

/** Actions that a packet like this one can have, now and then one that does not fit. */
export function actionsFor(packet: Uint8Array): fc.Arbitrary<Action[]> {
  const p = parse(packet);
  const fitting: fc.Arbitrary<Action>[] = [setEth, pushVlan, popVlan, priority];
  if (p.type === 0x0800) fitting.push(setIpv4, setIpv4);
  if (p.type === 0x86dd) fitting.push(setIpv6, setIpv6);
  if (p.type === 0x0806) fitting.push(setArp, setArp);
  if (p.l4 > 0) fitting.push(setTp, setTp);
  if (p.proto === 58) fitting.push(setNd);
  const rare = fc.oneof(setIpv4, setIpv6, setArp, setNd, setTp, fc.constant<Action>([op.DROP, 1]));
  return fc.array(
    fc.oneof(
      { weight: 40, arbitrary: output },
      { weight: 40, arbitrary: fc.oneof(...fitting) },
      { weight: 6, arbitrary: trunc },
      { weight: 6, arbitrary: userspace },
      { weight: 1, arbitrary: rare },
    ),
    { maxLength: 12 },
  );
}
