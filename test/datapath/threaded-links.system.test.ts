/**
 * What the threaded datapath says of its ports' links: interfaces that go up
 * and down, vanish, and come back under the same name as another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openThreadedDatapath, type ThreadedDatapath } from '../../src/datapath/threaded.ts';
import type { DpifEvent } from '../../src/dpif/dpif.ts';
import { createSwitch } from '../../src/index.ts';
import { describeSystem, ip, uniqueName } from '../native/lab.ts';

let dpif: ThreadedDatapath;
let name: string;
let peer: string;
let netns: string;
let events: DpifEvent[];

describeSystem('the link of a system port', () => {
  beforeEach(async () => {
    [name, peer, netns] = [uniqueName('tfl'), uniqueName('tfm'), uniqueName('tfn')];
    ip('netns', 'add', netns);
    addVeth();
    dpif = await openThreadedDatapath({ workers: 1, maxFlows: 1024 });
    events = [];
    dpif.onEvent((event) => events.push(event));
  });
  afterEach(async () => {
    await dpif.close();
    ip('netns', 'del', netns);
  });

  it('is told as the kernel has it now, and going down is no failure', async () => {
    const { portNo } = dpif.portAdd({ name, type: 'system' });
    const link = () => dpif.ports().map(({ adminUp, linkUp }) => [adminUp, linkUp]);
    await expect.poll(link).toEqual([[true, true]]);
    ip('-n', netns, 'link', 'set', peer, 'down');
    await expect.poll(link).toEqual([[true, false]]);
    ip('link', 'set', name, 'down');
    await expect.poll(link).toEqual([[false, false]]);
    await sleep(50);
    expect(events).toEqual([]);
    expect(dpif.portInfo(portNo)?.ifindex).toBeGreaterThan(0);
  });

  it('is down for good when another interface takes the name, which is a failure', async () => {
    const { portNo } = dpif.portAdd({ name, type: 'system' });
    ip('link', 'del', name);
    addVeth();
    const gone = { ifindex: 0, adminUp: false, linkUp: false };
    expect(dpif.portInfo(portNo)).toMatchObject(gone);
    await expect.poll(() => events).toMatchObject([{ kind: 'port-failed', portNo }]);
    dpif.portDel(portNo);
    const again = dpif.portAdd({ name, type: 'system' });
    expect(dpif.portInfo(again.portNo)?.ifindex).toBe(again.ifindex);
    expect(again.ifindex).toBeGreaterThan(0);
  });

  it('comes back when the configuration is applied again, though nobody was told of the end', async () => {
    const config = `bridges: [{ name: br0, ports: [{ name: ${name} }] }]`;
    const sw = await createSwitch({ config, datapath: 'threaded', workers: 1 });
    try {
      ip('link', 'set', name, 'down');
      await sleep(50);
      ip('link', 'del', name);
      addVeth();
      expect(await sw.apply(config)).toEqual({
        changes: [
          `port ${name} closed on bridge br0: its device had failed`,
          `port ${name} added to bridge br0`,
        ],
        warnings: [],
        errors: [],
      });
      expect(await sw.apply(config)).toMatchObject({ changes: [] });
    } finally {
      await sw.close();
    }
  });

  it('may lack a carrier, and an address there is warned of all the same', () => {
    const tap = uniqueName('tft');
    ip('tuntap', 'add', tap, 'mode', 'tap');
    try {
      ip('addr', 'add', '192.0.2.78/32', 'dev', tap);
      const { portNo } = dpif.portAdd({ name: tap, type: 'system' });
      const info = dpif.portInfo(portNo);
      expect(info?.linkUp).toBe(false);
      expect(info?.warnings?.join()).toContain('192.0.2.78');
    } finally {
      ip('link', 'del', tap);
    }
  });
});

function addVeth(): void {
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', peer, 'netns', netns);
  ip('link', 'set', name, 'up');
  ip('-n', netns, 'link', 'set', peer, 'up');
}
