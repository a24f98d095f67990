/** When the revalidator works by itself: as seldom as nobody can tell, and not at all with nothing to do. */
import { describe, expect, it } from 'vitest';
import { KEY_WORDS } from '../../src/flow/key.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import type { Bridge, SlowPath } from '../../src/ofproto/api.ts';
import { frameFlow } from '../../src/ofproto/frame-flow.ts';
import { createSlowPath } from '../../src/ofproto/slow-path.ts';
import { FakeDpif } from './fake-dpif.ts';
import { ethernet } from './test-switch.ts';

/** Knows when it will ring next, and how often it has rung. */
class WatchedClock extends ManualClock {
  rings = 0;
  readonly #pending = new Set<{ at: number }>();

  override after(ms: number, callback: () => void): () => void {
    const timer = { at: this.now() + ms };
    this.#pending.add(timer);
    const cancel = super.after(ms, () => {
      this.rings++;
      this.#pending.delete(timer);
      callback();
    });
    return () => {
      this.#pending.delete(timer);
      cancel();
    };
  }

  /** Milliseconds until the next timer; undefined without one. */
  get next(): number | undefined {
    const times = [...this.#pending].map(({ at }) => at - this.now());
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

interface Setup {
  clock: WatchedClock;
  dpif: FakeDpif;
  slowPath: SlowPath;
  bridge: Bridge;
  miss(dst: number, src: number, port: number): void;
}

/** After the work that setting up has made. */
async function setUp(flows: readonly string[] = ['actions=output:2']): Promise<Setup> {
  const clock = new WatchedClock();
  const dpif = new FakeDpif(clock);
  const slowPath = createSlowPath({ dpif, clock });
  const bridge = slowPath.addBridge('br0');
  for (let n = 1; n <= 3; n++) {
    bridge.addPort({ name: `p${n}`, portNo: n, vlanMode: 'trunk', flood: true });
  }
  await bridge.replaceFlows(flows);
  clock.advance(20);
  const miss = (dst: number, src: number, port: number): void => {
    dpif.upcall(port, frameFlow(ethernet(dst, src), port).slice(0, KEY_WORDS));
  };
  return { clock, dpif, slowPath, bridge, miss };
}

const flowOf = (dpif: FakeDpif): number => [...dpif.installed.keys()][0];

describe('a switch with nothing to do', () => {
  it('sets no timer', async () => {
    const { clock } = await setUp();
    expect(clock.next).toBeUndefined();
  });

  it('sets none again when what there was to do is done', async () => {
    const { clock, miss, bridge, dpif } = await setUp(['in_port=1,actions=normal']);
    bridge.setMacAging(15);
    miss(2, 1, 1);
    bridge.addFlow('in_port=2,hard_timeout=30,actions=drop');
    clock.advance(31_000);
    expect([dpif.installed.size, bridge.macs().length, bridge.dumpFlows().length]).toEqual([
      0, 0, 1,
    ]);
    expect(clock.next).toBeUndefined();
  });
});

describe('work for the revalidator', () => {
  it('is a new megaflow: the next round comes as soon as ever', async () => {
    const { clock, miss } = await setUp();
    miss(2, 1, 1);
    expect(clock.next).toBe(500);
  });

  it('is a learned address, even without a megaflow', async () => {
    const { clock, dpif, bridge, miss } = await setUp(['actions=normal']);
    dpif.capacity = 0;
    miss(2, 1, 1);
    clock.advance(20);
    expect(clock.next).toBeGreaterThan(290_000);
    clock.advance(301_000);
    expect(bridge.macs()).toEqual([]);
  });

  it('is a rule that will end', async () => {
    const { clock, bridge } = await setUp();
    bridge.addFlow('priority=1,idle_timeout=60,actions=drop');
    clock.advance(20);
    expect(clock.next).toBeGreaterThan(59_000);
    clock.advance(60_500);
    expect(bridge.dumpFlows()).toHaveLength(1);
  });

  it('is a shorter life for what there is', async () => {
    const { clock, dpif, slowPath, bridge, miss } = await setUp(['actions=normal']);
    dpif.capacity = 0;
    miss(2, 1, 1);
    clock.advance(16_000);
    bridge.setMacAging(15);
    clock.advance(500);
    expect(bridge.macs()).toEqual([]);
    dpif.capacity = 1;
    miss(2, 1, 1);
    clock.advance(6000);
    slowPath.setMaxIdle(500);
    clock.advance(600);
    expect(dpif.installed.size).toBe(0);
  });

  it('is a controller action that nothing holds, until it is forgotten', async () => {
    const { clock, bridge } = await setUp(['actions=controller']);
    bridge.trace('in_port=1');
    expect(clock.next).toBe(500);
    clock.advance(1500);
    expect(clock.next).toBeUndefined();
  });
});

describe('rounds', () => {
  it('come twice a second while cached flows see packets', async () => {
    const { clock, dpif, miss } = await setUp();
    miss(2, 1, 1);
    const before = clock.rings;
    for (let n = 0; n < 20; n++) {
      dpif.use(flowOf(dpif), 1, 60);
      clock.advance(500);
    }
    expect(clock.rings - before).toBe(20);
  });

  it('come less often while cached flows rest, and the flows still end in time', async () => {
    const { clock, dpif, miss } = await setUp();
    miss(2, 1, 1);
    const before = clock.rings;
    clock.advance(10_000);
    expect(dpif.installed.size).toBe(1);
    clock.advance(600);
    expect(dpif.installed.size).toBe(0);
    expect(clock.rings - before).toBeLessThan(8);
  });

  it('come twice a second again when a resting flow is at work again', async () => {
    const { clock, dpif, slowPath, miss } = await setUp();
    slowPath.setMaxIdle(60_000);
    miss(2, 1, 1);
    clock.advance(20_000);
    dpif.use(flowOf(dpif), 1, 60);
    clock.advance(clock.next ?? 0);
    expect(clock.next).toBe(500);
  });

  it('come twice a second while there are more flows than the limit', async () => {
    const { clock, slowPath, dpif, miss } = await setUp(['actions=normal']);
    for (let n = 1; n <= 20; n++) miss(100, n, 1);
    clock.advance(8000);
    slowPath.setFlowLimit(12);
    expect(clock.next).toBeLessThanOrEqual(500);
    clock.advance(500);
    expect(dpif.installed.size).toBe(0);
  });

  it('of many things that end one after the other are not more than two a second', async () => {
    const { clock, bridge } = await setUp();
    for (let n = 0; n < 1000; n++) {
      bridge.addFlow(`priority=${n},idle_timeout=10,actions=drop`);
      clock.advance(3);
    }
    clock.advance(3000);
    const before = clock.rings;
    clock.advance(8000);
    expect(bridge.dumpFlows()).toHaveLength(1);
    // Each round that ends something is followed by one for the change.
    expect(clock.rings - before).toBeLessThanOrEqual(20);
  });
});

describe('cached traffic', () => {
  it.each([15, 300])('keeps its address alive at mac-aging-time %i', async (aging) => {
    const { clock, dpif, slowPath, bridge, miss } = await setUp(['actions=normal']);
    bridge.setMacAging(aging);
    slowPath.setMaxIdle(600_000);
    miss(2, 1, 1);
    clock.advance(20);
    const pause = (aging - 1) * 1000;
    for (let n = 0; n < 5; n++) {
      clock.advance(pause);
      expect(bridge.macs(), `after ${n} pauses`).toHaveLength(1);
      dpif.use(flowOf(dpif), 1, 60);
    }
  });

  it('keeps its rule alive, which ends at most a round late when it stops', async () => {
    const { clock, dpif, slowPath, bridge, miss } = await setUp([
      'idle_timeout=10,actions=output:2',
    ]);
    slowPath.setMaxIdle(600_000);
    miss(2, 1, 1);
    for (let n = 0; n < 5; n++) {
      clock.advance(9000);
      dpif.use(flowOf(dpif), 1, 60);
    }
    clock.advance(9900);
    expect(bridge.dumpFlows()).toHaveLength(1);
    clock.advance(600);
    expect(bridge.dumpFlows()).toHaveLength(0);
  });
});
