/**
 * NORMAL between all kinds of VLAN ports: for each input port and tag, which
 * ports a flooded frame leaves through and with which tag. What stock Open
 * vSwitch 3.1 does.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { BridgePortSpec } from '../../src/ofproto/api.ts';
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
