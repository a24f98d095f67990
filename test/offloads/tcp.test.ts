/**
 * TCP and UDP over each pair of port types with every offload at the system's
 * default, and towards TAPs that lack some, where the switch does the work.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OFFLOAD_CSUM } from '../../src/native.ts';
import { describeSystem } from '../system/requirements.ts';
import { NO_DROPS, NONE_REFUSED, OffloadLab } from './offload-lab.ts';

interface Case {
  name: string;
  /** A TAP without offloads sends small frames, faster than anyone takes them: that way is not looked at. */
  oneWay?: boolean;
  setUp(lab: OffloadLab): Promise<string>;
}

const tap = (lab: OffloadLab, name: string, last: number, more = ''): string => `
      - name: ${lab.iface(name)}
        type: tap
        netns: ${lab.ns(name)}
        addresses: [10.71.0.${last}/24, "fd71::${last}/64"]${more}`;

const system = (lab: OffloadLab, name: string): string => `
      - { name: ${lab.iface(name)}, type: system }`;

const bridge = (name: string, ...ports: string[]): string =>
  `\n  - name: ${name}\n    ports:${ports.join('')}`;

/** Frames to b are cut up and summed in software as far as `offloads` lacks it. */
async function tapToLimited(lab: OffloadLab, offloads: number): Promise<string> {
  await lab.make();
  lab.limitOffloads({ b: offloads });
  return bridge('br0', tap(lab, 'a', 1), tap(lab, 'b', 2));
}

const CASES: Case[] = [
  {
    name: 'TAP to TAP',
    async setUp(lab) {
      await lab.make();
      return bridge('br0', tap(lab, 'a', 1), tap(lab, 'b', 2));
    },
  },
  {
    name: 'TAP to a packet socket on a veth',
    async setUp(lab) {
      await lab.make('b');
      await lab.veth('q', 'b', 'b', '10.71.0.2/24', 'fd71::2/64');
      return bridge('br0', tap(lab, 'a', 1), system(lab, 'q'));
    },
  },
  {
    name: 'veth to veth',
    async setUp(lab) {
      await lab.make('a', 'b');
      await lab.veth('p', 'a', 'a', '10.71.0.1/24', 'fd71::1/64');
      await lab.veth('q', 'b', 'b', '10.71.0.2/24', 'fd71::2/64');
      return bridge('br0', system(lab, 'p'), system(lab, 'q'));
    },
  },
  {
    name: 'TAP to a TAP without offloads',
    oneWay: true,
    setUp: (lab) => tapToLimited(lab, 0),
  },
  {
    name: 'TAP to a TAP that sums, but does not segment',
    oneWay: true,
    setUp: (lab) => tapToLimited(lab, OFFLOAD_CSUM),
  },
  {
    name: 'access TAP, bridge, trunk veth, bridge, access TAP',
    async setUp(lab) {
      await lab.make();
      await lab.veth('p', 'q', 'sw');
      const tag = '\n        tag: 10';
      return (
        bridge('br1', tap(lab, 'a', 1, tag), system(lab, 'p')) +
        bridge('br2', tap(lab, 'b', 2, tag), system(lab, 'q'))
      );
    },
  },
];

describeSystem('TCP and UDP', () => {
  describe.each(CASES)('$name', ({ setUp, oneWay }) => {
    const lab = new OffloadLab();
    beforeAll(async () => {
      await lab.up(`bridges:${await setUp(lab)}\n`);
      await lab.ping('a', '10.71.0.2', 1);
      await lab.ping('a', 'fd71::2', 1);
    });
    afterAll(async () => {
      try {
        expect(await lab.drops()).toEqual(NO_DROPS);
        expect(await lab.refused('a')).toEqual(NONE_REFUSED);
        expect(await lab.refused('b')).toEqual(NONE_REFUSED);
      } finally {
        await lab.close();
      }
    });

    const back: [string, string, string[]] = ['over IPv4, the other way', '10.71.0.2', ['-R']];
    it.each<[string, string, string[]]>([
      ['over IPv4', '10.71.0.2', []],
      ['over IPv6', 'fd71::2', []],
      ...(oneWay === true ? [] : [back]),
    ])('TCP runs at speed %s', async (_, address, options) => {
      const transfer = await lab.iperf('a', 'b', address, ...options);
      expect(transfer.gbitPerSecond).toBeGreaterThan(0.5);
      expect(transfer.retransmitted).toBeLessThan(0.01);
    });

    it('UDP crosses in datagrams that have to be fragmented', async () => {
      const options = ['-u', '-l', '9000', '-b', '80M', '-k', '500'];
      const before = await lab.overflowed('b');
      const transfer = await lab.iperf('a', 'b', '10.71.0.2', ...options);
      expect(transfer.packets).toBe(500);
      // On busy CPUs the receiver's socket buffer overflows: those have crossed, and no other is lost.
      expect(transfer.lost).toBeLessThanOrEqual((await lab.overflowed('b')) - before);
    });

    it.each(['10.71.0.2', 'fd71::2'])(
      'UDP crosses that its sender left to be segmented: %s',
      async (address) => {
        const receiver = await lab.serve('b', 'python3', UDP_GSO, 'receive', '5301', '2000');
        const counted = new Promise((resolve) =>
          receiver.stdout?.once('data', (text) => resolve(String(text))),
        );
        const sent = await lab.inside('a', 'python3', UDP_GSO, 'send', address, '5301', '2000');
        expect(sent.stderr).toBe('');
        expect(await counted).toBe('2000 0\n');
      },
    );
  });
});

const UDP_GSO = new URL('udp-gso.py', import.meta.url).pathname;
