/**
 * NORMAL between all kinds of VLAN ports: for each input port and tag, which
 * ports a flooded frame leaves through and with which tag. What stock Open
 * vSwitch 3.1 does.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { BridgePortSpec } from '../../src/ofproto/api.ts';
import { buildFrame } from '../../src/wire/frame.ts';
import { ethernet, TestSwitch, type Transmitted } from './test-switch.ts';

const PORTS: readonly Partial<BridgePortSpec>[] = [
  { vlanMode: 'access', tag: 10 },
  { vlanMode: 'trunk', trunks: [10, 20] },
  { vlanMode: 'native-tagged', tag: 10, trunks: [20] },
  { vlanMode: 'native-untagged', tag: 10 },
  { vlanMode: 'access', tag: 10, priorityTags: 'if-nonzero' },
  { vlanMode: 'trunk', priorityTags: 'always' },
];

/** "1 untagged", then what comes out: "port" or "port:vlan" or "port:vlan/priority". */
const CASES: readonly (readonly [input: string, output: string])[] = [
  ['1', '2:10 3:10 4 5 6:10'],
  ['1:0', '2:10 3:10 4 5 6:10'],
  ['1:0/5', '2:10/5 3:10/5 4 5:0/5 6:10/5'],
  ['1:10', ''],
  ['1:20', ''],
  ['2', ''],
  ['2:0/5', ''],
  ['2:10', '1 3:10 4 5 6:10'],
  ['2:20/3', '3:20/3 4:20/3 6:20/3'],
  ['2:30', ''],
  ['3', '1 2:10 4 5 6:10'],
  ['3:0/5', '1 2:10/5 4 5:0/5 6:10/5'],
  ['3:10', '1 2:10 4 5 6:10'],
  ['3:20', '2:20 4:20 6:20'],
  ['3:30', ''],
  ['4', '1 2:10 3:10 5 6:10'],
  ['4:10', '1 2:10 3:10 5 6:10'],
  ['4:20/3', '2:20/3 3:20/3 6:20/3'],
  ['4:30', '6:30'],
  ['5', '1 2:10 3:10 4 6:10'],
  ['5:10', ''],
  ['6', ''],
  ['6:10', '1 2:10 3:10 4 5'],
  ['6:20', '2:20 3:20 4:20'],
  ['6:30', '4:30'],
];

describe('NORMAL', () => {
  const sw = new TestSwitch(PORTS);
  afterAll(() => sw.close());

  it.each(CASES)('sends what comes in as "%s" out as "%s"', (input, output) => {
    const [port, vid, pcp] = input.split(/[:/]/).map(Number);
    const tag = vid === undefined ? undefined : ((pcp ?? 0) << 13) | vid;
    const sent = sw.send(ethernet(2, 1, tag), port);
    expect(sent.map(written).join(' ')).toBe(output);
    expect(sw.send(ethernet(2, 1, tag), port)).toEqual(sent);
  });
});

describe('a limit on tags', () => {
  const FLOWS = [
    'priority=9,ip,dl_vlan=10,actions=output:2',
    'priority=8,ip,actions=output:3',
    'priority=7,dl_type=0x8100,actions=output:4',
    'priority=6,actions=drop',
  ];
  const frames = [[], [10], [10, 30], [20, 30], [20]].map((vids) =>
    buildFrame({ vlans: vids.map((vid) => ({ vid })), ipv4: {}, udp: { dstPort: 7 } }),
  );
  const ports = (sw: TestSwitch): number[] => frames.flatMap((frame) => sw.inject(frame, 1));

  it('of one, the default, makes the inner tag the type, also for cached flows', async () => {
    const sw = new TestSwitch([{}, {}, {}, {}]);
    await sw.bridge.replaceFlows(FLOWS);
    for (const flow of [...frames, ...frames.toReversed()]) sw.inject(flow, 1);
    expect(ports(sw)).toEqual([3, 2, 4, 4, 3]);
    sw.close();
  });

  it('can be changed while traffic runs', async () => {
    const sw = new TestSwitch([{}, {}, {}, {}]);
    await sw.bridge.replaceFlows(FLOWS);
    for (const [limit, expected] of [
      [0, [3, 2, 2, 3, 3]],
      [1, [3, 2, 4, 4, 3]],
      [2, [3, 2, 2, 3, 3]],
    ] as const) {
      sw.slowPath.setVlanLimit(limit);
      await sw.slowPath.revalidate();
      expect(ports(sw), `limit ${limit}`).toEqual(expected);
    }
    sw.close();
  });

  it('needs no more megaflows than there are inner protocols', async () => {
    const sw = new TestSwitch([{}, {}]);
    await sw.bridge.replaceFlows(['dl_vlan=10,actions=output:2']);
    for (let vid = 1; vid <= 50; vid++) {
      const vlans = [{ vid: 10 }, { vid }];
      sw.inject(buildFrame({ vlans, ipv4: { dst: `10.0.0.${vid}` }, udp: { dstPort: vid } }), 1);
    }
    expect(sw.slowPath.stats().flows).toBe(1);
    sw.close();
  });
});

describe('a port with priority-tags=always', () => {
  it('keeps a tag that says neither VLAN nor priority, where others drop it', () => {
    const sw = new TestSwitch([{}, {}, { priorityTags: 'always' }, { priorityTags: 'if-nonzero' }]);
    expect(sw.send(ethernet(2, 1, 0), 1).map(written)).toEqual(['2', '3:0', '4']);
    expect(sw.send(ethernet(2, 1, 0x6000), 1).map(written)).toEqual(['2:0/3', '3:0/3', '4:0/3']);
    sw.close();
  });
});

describe('VLAN settings', () => {
  it('change while traffic runs', async () => {
    const sw = new TestSwitch([{}, {}]);
    expect(sw.send(ethernet(2, 1, 10), 1).map(written)).toEqual(['2:10']);
    sw.bridge.setPort(2, { vlanMode: 'access', tag: 10 });
    await sw.slowPath.revalidate();
    expect(sw.send(ethernet(2, 1, 10), 1).map(written)).toEqual(['2']);
    sw.bridge.setPort(2, { tag: 11 });
    await sw.slowPath.revalidate();
    expect(sw.send(ethernet(2, 1, 10), 1)).toEqual([]);
    sw.close();
  });

  it('out of range are refused, and change nothing', () => {
    const sw = new TestSwitch([{}]);
    expect(() => sw.bridge.setPort(1, { tag: 4096 })).toThrow(/4096 is not a VLAN/);
    expect(() => sw.bridge.setPort(1, { trunks: [-1] })).toThrow(/-1 is not a VLAN/);
    expect(sw.send(ethernet(2, 1), 1)).toEqual([]);
    sw.close();
  });
});

function written({ port, frame }: Transmitted): string {
  if (((frame[12] << 8) | frame[13]) !== 0x8100) return String(port);
  const tci = (frame[14] << 8) | frame[15];
  const priority = tci >> 13 === 0 ? '' : `/${tci >> 13}`;
  return `${port}:${tci & 0xfff}${priority}`;
}
