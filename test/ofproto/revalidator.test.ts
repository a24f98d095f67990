/** What the revalidator does with megaflows, seen at the datapath's door. */
import { describe, expect, it } from 'vitest';
import { KEY_WORDS } from '../../src/flow/key.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import type { Bridge, SlowPath } from '../../src/ofproto/api.ts';
import { frameFlow } from '../../src/ofproto/frame-flow.ts';
import { createSlowPath } from '../../src/ofproto/slow-path.ts';
import { FakeDpif } from './fake-dpif.ts';
import { ethernet } from './test-switch.ts';

interface Setup {
  clock: ManualClock;
  dpif: FakeDpif;
  slowPath: SlowPath;
  bridge: Bridge;
  miss(dst: number, src: number, port: number): void;
}

function setUp(): Setup {
  const clock = new ManualClock();
  const dpif = new FakeDpif(clock);
  const slowPath = createSlowPath({ dpif, clock });
  const bridge = slowPath.addBridge('br0');
  for (let n = 1; n <= 3; n++) {
    bridge.addPort({ name: `p${n}`, portNo: n, vlanMode: 'trunk', flood: true });
  }
  const miss = (dst: number, src: number, port: number): void => {
    dpif.upcall(port, frameFlow(ethernet(dst, src), port).slice(0, KEY_WORDS));
  };
  return { clock, dpif, slowPath, bridge, miss };
}

/** Counts the flows looked at closely. */
function countGets(dpif: FakeDpif): () => number {
  let gets = 0;
  const get = dpif.flowGet.bind(dpif);
  dpif.flowGet = (ref) => {
    gets++;
    return get(ref);
  };
  return () => gets;
}

describe('the revalidator', () => {
  it('translates nothing anew when nothing has changed', async () => {
    const { dpif, slowPath, miss } = setUp();
    for (let n = 1; n <= 20; n++) miss(100, n, 1);
    await slowPath.revalidate();
    const gets = countGets(dpif);
    await slowPath.revalidate();
    expect(gets()).toBe(0);
  });

  it('translates anew only the flows that looked up an address that has moved', async () => {
    const { dpif, slowPath, miss } = setUp();
    for (let n = 1; n <= 20; n++) miss(100 + n, n, 1);
    await slowPath.revalidate();
    const gets = countGets(dpif);
    miss(200, 105, 2);
    await slowPath.revalidate();
    expect(gets()).toBe(1);
  });

  it('gives a flow that comes out different its new actions and keeps its statistics', async () => {
    const { dpif, slowPath, bridge, miss } = setUp();
    await bridge.replaceFlows(['in_port=1,actions=output:2']);
    miss(2, 1, 1);
    const [[ref, flow]] = dpif.installed;
    const before = flow.actions;
    dpif.use(ref, 5, 500);
    bridge.modFlows('in_port=1,actions=output:3', false);
    await slowPath.revalidate();
    expect([...dpif.installed.keys()]).toEqual([ref]);
    expect(flow.actions).not.toEqual(before);
    expect(bridge.dumpFlows()[0]).toMatchObject({ packets: 6, bytes: 560 });
  });

  it('deletes a flow that is too wide for the rules there are now', async () => {
    const { dpif, slowPath, bridge, miss } = setUp();
    await bridge.replaceFlows(['in_port=1,actions=output:2']);
    miss(2, 1, 1);
    bridge.addFlow('priority=40000,in_port=1,dl_src=02:00:00:00:00:09,actions=drop');
    await slowPath.revalidate();
    expect(dpif.installed.size).toBe(0);
  });

  it('deletes the flows of a bridge that is removed', async () => {
    const { dpif, slowPath, miss } = setUp();
    miss(2, 1, 1);
    slowPath.removeBridge('br0');
    await slowPath.revalidate();
    expect(dpif.installed.size).toBe(0);
  });

  it('runs by itself, twice a second and soon after a change', async () => {
    const { dpif, clock, bridge, miss } = setUp();
    await bridge.replaceFlows(['in_port=1,actions=output:2']);
    clock.advance(600);
    await new Promise((resolve) => setImmediate(resolve));
    miss(2, 1, 1);
    bridge.delFlows('in_port=1', false);
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
    const [[, flow]] = dpif.installed;
    expect(flow.actions).toHaveLength(0);
    clock.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(dpif.installed.size).toBe(0);
  });

  it('does not forget what changes while it is at work', async () => {
    const { dpif, clock, bridge, miss } = setUp();
    await bridge.replaceFlows(['in_port=1,actions=output:2']);
    clock.advance(600);
    miss(2, 1, 1);
    bridge.modFlows('in_port=1,actions=output:3', false);
    clock.advance(600);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
    const [[, flow]] = dpif.installed;
    expect(flow.actions[1]).toBe(3);
  });

  it('lets others have their turn while it works', async () => {
    const { slowPath, bridge, miss } = setUp();
    await bridge.replaceFlows([
      'actions=resubmit(,1)',
      'table=1,actions=resubmit(,2)',
      'table=2,actions=flood',
    ]);
    for (let n = 0; n < 3000; n++) miss(n & 0xff, n, 1 + (n % 3));
    const flows = Array.from(
      { length: 20 },
      (_, i) => `table=2,priority=${i},dl_dst=02:00:00:00:00:0${i % 8},actions=flood`,
    );
    for (const flow of flows) bridge.addFlow(flow);
    let longest = 0;
    let last = performance.now();
    let isDone = false;
    const watch = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (!isDone) setImmediate(watch);
    };
    watch();
    await slowPath.revalidate();
    isDone = true;
    // A slice is 5 ms; the rest is for a busy machine.
    expect(longest).toBeLessThan(40);
  });

  it('forgets controller actions that no flow holds any more, but not at once', async () => {
    const { dpif, slowPath, bridge } = setUp();
    const got: unknown[] = [];
    bridge.onPacketIn((packet) => got.push(packet));
    await bridge.replaceFlows(['in_port=1,actions=controller']);
    const key = frameFlow(ethernet(2, 1), 1).slice(0, KEY_WORDS);
    const { actions } = dpif.upcall(1, key);
    const cookie = actions?.[2] ?? 0;
    const tell = (): number => {
      dpif.upcall(1, key, { reason: 2, cookie });
      return got.length;
    };
    expect(tell()).toBe(1);
    bridge.delFlows('', false);
    await slowPath.revalidate();
    expect(tell()).toBe(2);
    await slowPath.revalidate();
    await slowPath.revalidate();
    expect(tell()).toBe(2);
  });
});

describe('a full flow table', () => {
  it('costs caching, not packets', () => {
    const { dpif } = setUp();
    dpif.capacity = 0;
    const { actions } = dpif.upcall(1, frameFlow(ethernet(2, 1), 1).slice(0, KEY_WORDS));
    expect(actions).toHaveLength(4);
  });
});

describe('an upcall from a port that no bridge has', () => {
  it('is dropped with its reason', () => {
    const { dpif } = setUp();
    expect(dpif.upcall(9, frameFlow(ethernet(2, 1), 9).slice(0, KEY_WORDS)).dropped).toBe(7);
  });
});
