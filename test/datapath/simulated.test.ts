/** The simulated datapath: forwarding, caches, upcalls and statistics, without a slow path. */
import { describe, expect, it } from 'vitest';
import { SimulatedDatapath } from '../../src/datapath/simulated.ts';
import { ActionList, OUTPUT } from '../../src/dpif/actions.ts';
import type { FlowRef, FlowStats, Upcall } from '../../src/dpif/dpif.ts';
import { DROP_BY_RULE, DROP_TRANSLATE, DROP_TRUNCATED } from '../../src/dpif/drops.ts';
import { IN_PORT, KEY_WORDS, NW_DST, RECIRC_ID } from '../../src/flow/key.ts';
import { buildFrame } from '../../src/wire/frame.ts';

const output = (...ports: number[]): Int32Array => {
  const list = new ActionList();
  for (const port of ports) list.push(OUTPUT, port);
  return list.toArray();
};

const maskOf = (...words: number[]): Int32Array => {
  const mask = new Int32Array(KEY_WORDS);
  for (const word of words) mask[word] = -1;
  return mask;
};

const udp = (dst: string, payload = 10): Uint8Array =>
  buildFrame({
    eth: { src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' },
    ipv4: { src: '10.0.0.1', dst },
    udp: { srcPort: 1000, dstPort: 2000 },
    payload,
  });

function setUp(ports = 3) {
  const dpif = new SimulatedDatapath({ compileAfter: 0 });
  const sent: { port: number; frame: Uint8Array }[] = [];
  dpif.onTransmit((port, frame) => sent.push({ port, frame }));
  for (let p = 1; p <= ports; p++) dpif.portAdd({ name: `p${p}`, type: 'dummy' });
  return { dpif, sent };
}

const statsOf = (dpif: SimulatedDatapath, flow: FlowRef): FlowStats => {
  const stats = { packets: 0, bytes: 0, used: 0, tcpFlags: 0 };
  dpif.flowStats(flow, stats);
  return stats;
};

describe('the simulated datapath', () => {
  it('forwards a frame unchanged by an installed megaflow and counts it', () => {
    const { dpif, sent } = setUp();
    const key = new Int32Array(KEY_WORDS);
    key[IN_PORT] = 1;
    const flow = dpif.flowPut(key, maskOf(IN_PORT, RECIRC_ID), output(2, 3)) ?? 0;
    const frame = udp('10.0.0.2');
    dpif.inject(frame, 1);
    expect(sent.map(({ port }) => port)).toEqual([2, 3]);
    expect(sent[1].frame).toEqual(frame);
    expect(statsOf(dpif, flow)).toMatchObject({ packets: 1, bytes: frame.length });
    expect(dpif.portStats(2)).toMatchObject({ txPackets: 1, txBytes: frame.length });
    expect(dpif.portStats(1)).toMatchObject({ rxPackets: 1, rxBytes: frame.length });
  });

  it('raises a miss once, and answers later packets from its caches', () => {
    const { dpif, sent } = setUp();
    let upcalls = 0;
    dpif.onUpcall((upcall: Upcall) => {
      upcalls++;
      const actions = output(2);
      dpif.flowPut(upcall.key, maskOf(IN_PORT, RECIRC_ID, NW_DST), actions);
      upcall.execute(actions, actions.length);
    });
    for (let i = 0; i < 10; i++) dpif.inject(udp('10.0.0.2'), 1);
    dpif.inject(udp('10.0.0.3'), 1);
    expect(upcalls).toBe(2);
    expect(sent.length).toBe(11);
    expect(dpif.cacheStats()[0]).toMatchObject({
      packets: 11,
      misses: 2,
      megaflowHits: 1,
      microflowHits: 8,
    });
    expect(dpif.maskStats()).toMatchObject([{ flows: 2 }]);
  });

  it('drops and counts what the slow path does not answer', () => {
    const { dpif, sent } = setUp();
    dpif.inject(udp('10.0.0.2'), 1);
    expect(sent).toEqual([]);
    expect(dpif.portStats(1).drops[DROP_TRANSLATE]).toBe(1);
  });

  it('drops by an empty action list, and frames that are too short', () => {
    const { dpif } = setUp();
    const key = new Int32Array(KEY_WORDS);
    key[IN_PORT] = 1;
    dpif.flowPut(key, maskOf(IN_PORT), output());
    dpif.inject(udp('10.0.0.2'), 1);
    dpif.inject(new Uint8Array(13), 1);
    expect(dpif.portStats(1).drops[DROP_BY_RULE]).toBe(1);
    expect(dpif.portStats(1).drops[DROP_TRUNCATED]).toBe(1);
  });

  it('replaces a flow with the same mask and key, statistics kept', () => {
    const { dpif, sent } = setUp();
    const key = new Int32Array(KEY_WORDS);
    key[IN_PORT] = 1;
    const mask = maskOf(IN_PORT);
    const first = dpif.flowPut(key, mask, output(2));
    dpif.inject(udp('10.0.0.2'), 1);
    const second = dpif.flowPut(key, mask, output(3));
    dpif.inject(udp('10.0.0.2'), 1);
    expect(second).toBe(first);
    expect(sent.map(({ port }) => port)).toEqual([2, 3]);
    expect(statsOf(dpif, first ?? 0).packets).toBe(2);
    expect(dpif.flowCount()).toBe(1);
  });

  it('reports the last statistics of a deleted flow, and forgets it at once', () => {
    const { dpif, sent } = setUp();
    const retired: [FlowRef, number][] = [];
    dpif.onRetired((flow, stats) => retired.push([flow, stats.packets]));
    const key = new Int32Array(KEY_WORDS);
    key[IN_PORT] = 1;
    const flow = dpif.flowPut(key, maskOf(IN_PORT), output(2)) ?? 0;
    dpif.inject(udp('10.0.0.2'), 1);
    dpif.flowDel(flow);
    expect(dpif.flowGet(flow)).toBeUndefined();
    dpif.inject(udp('10.0.0.2'), 1);
    expect(sent.length).toBe(1);
    expect(retired).toEqual([[flow, 1]]);
    expect(dpif.maskStats()).toEqual([]);
  });

  it('executes a packet-out on any port', () => {
    const { dpif, sent } = setUp();
    dpif.execute(udp('10.0.0.2'), 1, output(3));
    expect(sent.map(({ port }) => port)).toEqual([3]);
  });

  it('executes 100 packet-outs that a handler gives at once, in order', () => {
    const { dpif, sent } = setUp();
    dpif.onUpcall(() => {
      for (let i = 0; i < 100; i++) dpif.execute(udp(`10.0.1.${i}`), 1, output(3));
    });
    dpif.inject(udp('10.0.0.2'), 1);
    expect(sent.map(({ frame }) => frame[33])).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('holds 50,000 flows of one mask, and finds each of them', () => {
    const { dpif, sent } = setUp();
    const key = new Int32Array(KEY_WORDS);
    key[IN_PORT] = 1;
    const mask = maskOf(IN_PORT, NW_DST);
    for (let i = 0; i < 50_000; i++) {
      key[NW_DST] = 0x0a000000 + i;
      expect(dpif.flowPut(key, mask, output(2 + (i % 2)))).toBeDefined();
    }
    for (let i = 0; i < 50_000; i += 997) {
      dpif.inject(udp(`10.0.${i >> 8}.${i & 255}`), 1);
      expect(sent.at(-1)?.port).toBe(2 + (i % 2));
    }
    expect(dpif.cacheStats()[0].misses).toBe(0);
  });

  it('refuses flows beyond its room, and takes new ones after deletions', () => {
    const dpif = new SimulatedDatapath({ maxFlows: 1024 });
    dpif.portAdd({ name: 'p1', type: 'dummy' });
    const key = new Int32Array(KEY_WORDS);
    key[IN_PORT] = 1;
    const mask = maskOf(IN_PORT, NW_DST);
    const flows: FlowRef[] = [];
    for (let i = 0; i < 2000; i++) {
      key[NW_DST] = i;
      const flow = dpif.flowPut(key, mask, output());
      if (flow !== undefined) flows.push(flow);
    }
    expect(flows.length).toBe(1023);
    for (const flow of flows) dpif.flowDel(flow);
    dpif.inject(udp('1.1.1.1'), 1);
    expect(dpif.flowCount()).toBe(0);
    expect(dpif.flowPut(key, mask, output())).toBeDefined();
  });
});
