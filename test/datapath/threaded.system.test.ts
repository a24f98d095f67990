/**
 * The threaded datapath on real TAPs: several workers, ports that come and go,
 * a worker that dies, a flood of misses. Frames are sent and received through
 * packet sockets of the addon in namespaces of the test's own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { MAIN_SLOTS } from '../../src/datapath/shared-state.ts';
import { openThreadedDatapath, type ThreadedDatapath } from '../../src/datapath/threaded.ts';
import { ActionList, OUTPUT } from '../../src/dpif/actions.ts';
import type { DpifEvent } from '../../src/dpif/dpif.ts';
import { KEY_WORDS, MAC_0, MAC_1, MAC_2 } from '../../src/flow/key.ts';
import { describeSystem } from '../system/requirements.ts';
import { type HostReport, Lab, type LabFrame, labFrameBytes } from './lab.ts';

let dpif: ThreadedDatapath | undefined;
let lab: Lab | undefined;

afterEach(async () => {
  await dpif?.close();
  await lab?.close();
  dpif = undefined;
  lab = undefined;
});

const peerOf = (port: number): number => ((port - 1) ^ 1) + 1;

/** Ports 1 and 2, 3 and 4, ... are joined; a megaflow per pair of addresses. */
async function setUp(ports: number, options: Parameters<typeof openThreadedDatapath>[0]) {
  const datapath = await openThreadedDatapath({ maxFlows: 65536, ...options });
  dpif = datapath;
  const mask = new Int32Array(KEY_WORDS);
  for (const word of [0, 1, MAC_0, MAC_1, MAC_2]) mask[word] = -1;
  datapath.onUpcall((upcall) => {
    const list = new ActionList();
    list.push(OUTPUT, peerOf(upcall.portNo));
    const actions = list.toArray();
    datapath.flowPut(upcall.key, mask, actions);
    upcall.execute(actions, actions.length);
  });
  const theLab = await Lab.open(datapath, ports);
  lab = theLab;
  return { datapath, theLab };
}

const frame = (from: number, flow: number, sequence: number): LabFrame => ({
  from,
  to: peerOf(from),
  flow,
  sequence,
});

/** As packet-outs, all at once: more than the ring to the worker takes. */
function sendOut(datapath: ThreadedDatapath, count: number): void {
  const list = new ActionList();
  list.push(OUTPUT, 2);
  for (let i = 0; i < count; i++) {
    datapath.execute(labFrameBytes(frame(1, 0, i)), 1, list.toArray());
  }
}

async function reportOnce(
  theLab: Lab,
  enough: (hosts: HostReport[]) => boolean,
): Promise<HostReport[]> {
  let hosts = await theLab.report();
  for (let tries = 0; tries < 300 && !enough(hosts); tries++) {
    await sleep(10);
    hosts = await theLab.report();
  }
  return hosts;
}

describeSystem('the threaded datapath', () => {
  for (const backend of ['io_uring', 'plain'] as const) {
    it(`forwards in order and counts exactly with 2 workers and 4 ports (${backend})`, async () => {
      const { datapath, theLab } = await setUp(4, { workers: 2, backend });
      const PACKETS = 600;
      for (let sequence = 0; sequence < PACKETS; sequence += 20) {
        const frames: LabFrame[] = [];
        for (let i = sequence; i < sequence + 20; i++) {
          for (const from of [1, 2, 3, 4]) frames.push(frame(from, i % 8, i));
        }
        await theLab.send(frames);
      }
      const hosts = await reportOnce(theLab, (all) =>
        all.every(({ received }) => received >= PACKETS),
      );
      for (const host of hosts) {
        expect(host).toMatchObject({ received: PACKETS, misdelivered: 0, outOfOrder: 0 });
        const stats = datapath.portStats(host.host);
        expect(stats).toMatchObject({ rxPackets: PACKETS, txPackets: PACKETS });
        expect(stats.drops.every((drops) => drops === 0)).toBe(true);
      }
      const workers = datapath.cacheStats();
      expect(workers.every(({ packets }) => packets > 0)).toBe(true);
      expect(workers.reduce((sum, { packets }) => sum + packets, 0)).toBe(4 * PACKETS);
    });
  }

  it('misdelivers nothing while ports come and go under load', async () => {
    const { theLab } = await setUp(4, { workers: 2 });
    for (let round = 0; round < 20; round++) {
      const frames: LabFrame[] = [];
      for (let i = round * 50; i < round * 50 + 50; i++) {
        for (const from of [1, 2, 3, 4]) frames.push(frame(from, 0, i));
      }
      const sent = theLab.send(frames);
      await theLab.removePort(4);
      await sent;
      await theLab.addPort(4);
    }
    const hosts = await reportOnce(theLab, ([one, two]) => one.received + two.received >= 2000);
    expect(hosts.map(({ misdelivered }) => misdelivered)).toEqual([0, 0, 0, 0]);
    expect(hosts[0].received).toBe(1000);
    expect(hosts[1].received).toBe(1000);
  });

  it('restarts a worker that dies, which finds ports and flows again', async () => {
    const { datapath, theLab } = await setUp(2, { workers: 1 });
    const events: DpifEvent[] = [];
    datapath.onEvent((event) => events.push(event));
    await theLab.send([frame(1, 0, 0)]);
    await reportOnce(theLab, (hosts) => hosts[1].received === 1);
    await datapath.threads[0].terminate();
    for (let tries = 0; tries < 300 && events.length < 2; tries++) await sleep(10);
    expect(events.map(({ kind }) => kind)).toEqual(['worker-died', 'worker-restarted']);
    await datapath.quiesce();
    await theLab.send([frame(1, 0, 1)]);
    const hosts = await reportOnce(theLab, (all) => all[1].received === 2);
    expect(hosts[1].received).toBe(2);
    expect(datapath.cacheStats()[0].misses).toBe(1);
  });

  it('sends every one of 100 packet-outs at once, in order, without other traffic', async () => {
    const { datapath, theLab } = await setUp(2, { workers: 1 });
    sendOut(datapath, 100);
    const hosts = await reportOnce(theLab, (all) => all[1].received === 100);
    expect(hosts[1]).toMatchObject({ received: 100, misdelivered: 0, outOfOrder: 0 });
  });

  it('sends packet-outs that waited while a worker died, none twice', async () => {
    const { datapath, theLab } = await setUp(2, { workers: 1 });
    const events: DpifEvent[] = [];
    datapath.onEvent((event) => events.push(event));
    const ended = datapath.threads[0].terminate();
    sendOut(datapath, 100);
    await ended;
    await expect.poll(() => events.length).toBe(2);
    await datapath.quiesce();
    // What was in the dead worker's hands is lost.
    await reportOnce(theLab, (all) => all[1].received >= 100 - MAIN_SLOTS);
    await sleep(20);
    const [, host] = await theLab.report();
    expect(host).toMatchObject({ misdelivered: 0, outOfOrder: 0 });
    expect(host.received).toBeGreaterThanOrEqual(100 - MAIN_SLOTS);
  });

  it('keeps upcalls for other ports while one port floods with misses', async () => {
    const { datapath, theLab } = await setUp(4, { workers: 1 });
    for (let round = 0; round < 30; round++) {
      const flood = Array.from({ length: 600 }, (_, i) => frame(1, round * 600 + i, 0));
      await theLab.send([...flood, frame(3, round, 0)]);
    }
    const hosts = await reportOnce(theLab, (all) => all[3].received === 30);
    expect(hosts[3].received).toBe(30);
    expect(datapath.portStats(3).drops.every((drops) => drops === 0)).toBe(true);
  });
});
