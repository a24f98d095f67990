/**
 * Super-frames of every kind from a TAP or a packet socket to outputs that take all offloads,
 * checksums only, or none. The oracle is the kernel: the same frames once
 * more, with the sender's offloads off, are cut up and summed by the kernel
 * before the switch sees them, and must come out the same, byte by byte.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OFFLOAD_CSUM } from '../../src/native.ts';
import type { FrameRecord } from '../../src/wire/frame.ts';
import type { VlanTag } from '../../src/wire/vlan.ts';
import { describeSystem } from '../system/requirements.ts';
import {
  type Capture,
  type Captured,
  capture,
  gsoTypeOf,
  hexOf,
  send,
  superFrame,
  withFullChecksum,
} from './capture.ts';
import { NO_DROPS, OffloadLab } from './offload-lab.ts';

const lab = new OffloadLab();

const tap = (name: string, ofport: number): string => `
      - { name: ${lab.iface(name)}, type: tap, netns: ${lab.ns(name)}, ofport_request: ${ofport} }`;

const OUTPUTS = 'output:2,output:3,output:4,output:5';
// Fields behind a second tag are for flows only with a vlan-limit that counts it.
const topology = (flows: string[]): string => `
other_config: { vlan-limit: 2 }
bridges:
  - name: br0
    fail_mode: secure
    ports:${tap('a', 1)}${tap('none', 2)}${tap('csum', 3)}${tap('all', 4)}
      - { name: ${lab.iface('veth')}, type: system, ofport_request: 5 }
      - { name: ${lab.iface('v')}, type: system, ofport_request: 6 }
    flows: ${JSON.stringify(flows)}
`;

const DST = '02:0f:f1:0a:d0:02';
const TAG10 = { vid: 10, pcp: 3 };
const OUTER = { tpid: 0x88a8, vid: 20 };
const [FIN, PSH, ACK, ECE] = [1, 8, 16, 64];

/** Where a super-frame comes from and goes to. */
interface Ends {
  eth: { dst: string };
  four: { src: string; dst: string; ttl: number };
  six: { src: string; dst: string; hopLimit: number };
  ports: { srcPort: number; dstPort: number };
}

const ENDS: Ends = {
  eth: { dst: DST },
  four: { src: '10.72.0.1', dst: '10.72.0.2', ttl: 64 },
  six: { src: 'fd72::1', dst: 'fd72::2', hopLimit: 64 },
  ports: { srcPort: 1111, dstPort: 2222 },
};

const NEW_ENDS: Ends = {
  eth: { dst: '02:0f:f1:0a:d0:03' },
  four: { src: '192.0.2.77', dst: '198.51.100.200', ttl: 63 },
  six: { src: '2001:db8::77', dst: '2001:db8:ffff::200', hopLimit: 63 },
  ports: { srcPort: 60001, dstPort: 80 },
};
const MOVE = 'mod_dl_dst:02:0f:f1:0a:d0:03,dec_ttl,mod_tp_src:60001,mod_tp_dst:80';
const MOVE4 = `mod_nw_src:192.0.2.77,mod_nw_dst:198.51.100.200,${MOVE}`;
const MOVE6 = `set_field:2001:db8::77->ipv6_src,set_field:2001:db8:ffff::200->ipv6_dst,${MOVE}`;

interface Super {
  record: FrameRecord;
  gsoSize: number;
}

/** One of each kind. */
function superFrames({ eth, four, six, ports }: Ends, vlans: VlanTag[]): Super[] {
  const options = Uint8Array.of(1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8);
  const tcp = { ...ports, seq: 0xfffffff0, ack: 7, flags: ACK | PSH | FIN, window: 500 };
  const ecn = { ...tcp, flags: ACK | ECE };
  const ipv4 = { id: 0xfffe, ...four };
  const base = { eth, vlans };
  return [
    { record: { ...base, ipv4, tcp: { ...tcp, options }, payload: 14480 }, gsoSize: 1448 },
    { record: { ...base, ipv4, tcp, payload: 64001 }, gsoSize: 1401 },
    { record: { ...base, ipv4, tcp: ecn, payload: 1449 }, gsoSize: 1448 },
    { record: { ...base, ipv6: six, tcp: { ...tcp, options }, payload: 60000 }, gsoSize: 1428 },
    { record: { ...base, ipv4, udp: ports, payload: 9001 }, gsoSize: 1400 },
    { record: { ...base, ipv6: six, udp: ports, payload: 7001 }, gsoSize: 1333 },
  ];
}

const allTags = (ends: Ends): Super[] =>
  [[], [TAG10], [OUTER, TAG10]].flatMap((vlans) => superFrames(ends, vlans));

const bytesOf = ({ record, gsoSize }: Super): Uint8Array => superFrame(record, gsoSize);

const CASES = [
  {
    name: 'from a packet socket',
    from: 'v',
    flows: [`in_port=6,actions=${OUTPUTS}`],
    sent: allTags(ENDS),
    expected: allTags(ENDS),
  },
  {
    name: 'unchanged',
    flows: [`in_port=1,actions=${OUTPUTS}`],
    sent: allTags(ENDS),
    expected: allTags(ENDS),
  },
  {
    name: 'with new addresses, ports and TTL',
    flows: [
      `in_port=1,tcp,actions=${MOVE4},${OUTPUTS}`,
      `in_port=1,udp,actions=${MOVE4},${OUTPUTS}`,
      `in_port=1,tcp6,actions=${MOVE6},${OUTPUTS}`,
      `in_port=1,udp6,actions=${MOVE6},${OUTPUTS}`,
    ],
    sent: allTags(ENDS),
    expected: allTags(NEW_ENDS),
  },
  {
    name: 'with their outer tag taken off',
    flows: [`in_port=1,actions=strip_vlan,${OUTPUTS}`],
    sent: allTags(ENDS),
    expected: [[], [], [TAG10]].flatMap((vlans) => superFrames(ENDS, vlans)),
  },
  {
    name: 'with one tag more',
    flows: [`in_port=1,actions=push_vlan:0x8100,set_field:4126->vlan_vid,${OUTPUTS}`],
    sent: [[], [TAG10]].flatMap((vlans) => superFrames(ENDS, vlans)),
    expected: [[{ vid: 30 }], [{ vid: 30 }, TAG10]].flatMap((vlans) => superFrames(ENDS, vlans)),
  },
].map(({ flows, sent, expected, ...rest }) => ({
  from: 'a',
  ...rest,
  actions: flows,
  sent,
  expected: expected.map(bytesOf),
}));

const segmentsOf = ({ record, gsoSize }: Super): number =>
  Math.ceil(Number(record.payload) / gsoSize);

describeSystem('super-frames', () => {
  beforeAll(async () => {
    await lab.make('veth', 'v');
    await lab.veth('v', 'v', 'v');
    await lab.setVethMtu('v', 'v', 1508);
    // A packet socket sends nothing larger than the MTU, an Ethernet header and one tag of type 0x8100.
    await lab.veth('veth', 'veth', 'veth');
    await lab.setVethMtu('veth', 'veth', 1508);
    lab.limitOffloads({ none: 0, csum: OFFLOAD_CSUM });
    // One worker, so that frames of different flows stay in order as well.
    await lab.up(topology([]), '--workers', '1');
    await Promise.all(NAMES.map(async (name) => captures.set(name, await capture(lab, name))));
  });
  afterAll(async () => {
    for (const at of captures.values()) at.stop();
    try {
      expect(await lab.drops()).toEqual(NO_DROPS);
    } finally {
      await lab.close();
    }
  });

  const NAMES = ['none', 'csum', 'all', 'veth'] as const;
  type Seen = Record<(typeof NAMES)[number], Captured[]>;

  const captures = new Map<string, Capture>();

  /** What each output's far end sees of the frames. */
  async function cross(
    from: string,
    frames: Super[],
    counts: Record<string, number>,
  ): Promise<Seen> {
    await send(lab, from, frames.map(bytesOf));
    const seen: Record<string, Captured[]> = {};
    for (const [name, at] of captures) seen[name] = await at.take(counts[name]);
    return seen as Seen;
  }

  const setOffloads = async (ns: string, on: 'on' | 'off'): Promise<void> => {
    const features = ['tx', 'tso', 'tx-udp-segmentation'].flatMap((name) => [name, on]);
    const { code, stderr } = await lab.inside(ns, 'ethtool', '-K', lab.iface(ns), ...features);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  };

  describe.each(CASES)('$name', ({ from, actions, sent, expected }) => {
    const segments = sent.reduce((sum, frame) => sum + segmentsOf(frame), 0);
    const whole = { none: segments, csum: segments, all: sent.length, veth: sent.length };
    const cutUp = { none: segments, csum: segments, all: segments, veth: segments };
    let seen: Seen;
    beforeAll(async () => {
      await lab.reapply(topology(actions));
      // The first frame of a flow takes the slow path, and those of others overtake it.
      await cross(from, sent, whole);
      seen = await cross(from, sent, whole);
    });

    it('arrive whole where the port takes them, with a partial checksum of what they now are', () => {
      for (const name of ['all', 'veth'] as const) {
        expect(seen[name].map(({ frame }) => frame)).toEqual(expected.map(hexOf));
        expect(seen[name].map(({ gsoSize }) => gsoSize)).toEqual(
          sent.map(({ gsoSize }) => gsoSize),
        );
        expect(seen[name].map(({ gsoType }) => gsoType)).toEqual(
          sent.map(({ record }) => gsoTypeOf(record)),
        );
      }
    });

    it('arrive elsewhere in the segments and with the checksums that the kernel would make', async () => {
      await setOffloads(from, 'off');
      const kernel = await cross(from, sent, cutUp).finally(() => setOffloads(from, 'on'));
      expect(kernel.none.some(({ needsChecksum }) => needsChecksum)).toBe(false);
      expect(seen.none).toEqual(kernel.none);
      expect(seen.csum.every(({ needsChecksum }) => needsChecksum)).toBe(true);
      expect(seen.csum.map(withFullChecksum)).toEqual(kernel.none.map(({ frame }) => frame));
    });
  });
});
