/** A switch as its users see it: frames in, frames out; counters; timeouts. */
import { afterEach, describe, expect, it } from 'vitest';
import type { BridgePortSpec, PacketIn } from '../../src/ofproto/api.ts';
import { ethernet, TestSwitch } from './test-switch.ts';

let open: TestSwitch | undefined;
afterEach(() => {
  open?.close();
  expect(open?.logged ?? []).toEqual([]);
  open = undefined;
});

function newSwitch(ports: number | readonly Partial<BridgePortSpec>[] = 3): TestSwitch {
  open = new TestSwitch(typeof ports === 'number' ? new Array(ports).fill({}) : ports);
  return open;
}

describe('a standalone bridge', () => {
  it('floods what it does not know, and forwards to where an address was seen', () => {
    const sw = newSwitch();
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([2, 3]);
    expect(sw.inject(ethernet(1, 2), 2)).toEqual([1]);
  });

  it('stops flooding towards an address once it has been learned', async () => {
    const sw = newSwitch();
    sw.inject(ethernet(2, 1), 1);
    sw.inject(ethernet(1, 2), 2);
    await sw.slowPath.revalidate();
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([2]);
  });

  it('sends nothing back out of the port it came in on', async () => {
    const sw = newSwitch();
    sw.inject(ethernet(9, 1), 1);
    sw.inject(ethernet(9, 2), 1);
    await sw.slowPath.revalidate();
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([]);
  });

  it('follows a station that moves to another port', async () => {
    const sw = newSwitch();
    sw.inject(ethernet(255, 1), 1);
    sw.inject(ethernet(1, 2), 2);
    sw.clock.advance(1);
    sw.inject(ethernet(255, 1), 3);
    await sw.slowPath.revalidate();
    expect(sw.inject(ethernet(1, 2), 2)).toEqual([3]);
    expect(sw.bridge.macs().find(({ mac }) => mac === '02:00:00:00:00:01')?.ofport).toBe(3);
  });

  it('keeps reserved multicast to itself unless told to forward it', async () => {
    const sw = newSwitch();
    const frame = ethernet(2, 1);
    frame.set([0x01, 0x80, 0xc2, 0, 0, 0x0e]);
    expect(sw.inject(frame, 1)).toEqual([]);
    sw.bridge.setForwardBpdu(true);
    await sw.slowPath.revalidate();
    expect(sw.inject(frame, 1)).toEqual([2, 3]);
  });

  it('leaves out of floods a port that has them switched off', () => {
    expect(newSwitch([{}, { flood: false }, {}]).inject(ethernet(2, 1), 1)).toEqual([3]);
  });

  it('uses a port that is added while traffic runs, and forgets one that is removed', async () => {
    const sw = newSwitch(2);
    sw.inject(ethernet(9, 1), 1);
    const { portNo } = sw.dpif.portAdd({ name: 'p3', type: 'dummy' });
    const port = { name: 'p3', portNo, vlanMode: 'trunk', flood: true } as const;
    expect(sw.bridge.addPort(port)).toBe(3);
    await sw.slowPath.revalidate();
    expect(sw.inject(ethernet(9, 1), 1)).toEqual([2, 3]);
    sw.bridge.removePort(2);
    await sw.slowPath.revalidate();
    expect(sw.inject(ethernet(9, 1), 1)).toEqual([3]);
  });
});

describe('learned addresses', () => {
  it('live as long as cached traffic comes from them', async () => {
    const sw = newSwitch();
    sw.inject(ethernet(255, 1), 1);
    for (let seconds = 0; seconds < 600; seconds += 5) {
      sw.clock.advance(5000);
      sw.inject(ethernet(255, 1), 1);
      await sw.slowPath.revalidate();
    }
    expect(sw.slowPath.stats().upcalls).toBe(1);
    expect(sw.bridge.macs()).toEqual([{ ofport: 1, vlan: 0, mac: '02:00:00:00:00:01', age: 0 }]);
  });

  it('are forgotten when their time is up, and traffic to them is flooded', async () => {
    const sw = newSwitch();
    sw.bridge.setMacAging(20);
    sw.inject(ethernet(255, 2), 2);
    for (let seconds = 0; seconds < 25; seconds += 5) {
      sw.inject(ethernet(2, 1), 1);
      sw.clock.advance(5000);
      await sw.slowPath.revalidate();
    }
    expect(sw.bridge.macs().map(({ ofport }) => ofport)).toEqual([1]);
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([2, 3]);
  });

  it('are learned for each VLAN apart', async () => {
    const sw = newSwitch([{ vlanMode: 'access', tag: 10 }, { vlanMode: 'access', tag: 20 }, {}]);
    sw.inject(ethernet(9, 1), 1);
    sw.inject(ethernet(9, 1), 2);
    const seen = sw.bridge.macs().map(({ vlan, ofport }) => [vlan, ofport]);
    expect(seen).toEqual([
      [10, 1],
      [20, 2],
    ]);
  });

  it('are flushed on demand', async () => {
    const sw = newSwitch();
    sw.inject(ethernet(9, 1), 1);
    sw.bridge.flushMacs();
    await sw.slowPath.revalidate();
    expect(sw.bridge.macs()).toEqual([]);
  });
});

describe('counters', () => {
  it('equal what was forwarded, by upcalls, cached and deleted flows alike', async () => {
    const sw = newSwitch();
    sw.bridge.addFlow('priority=10,in_port=1,actions=resubmit(,1)');
    sw.bridge.addFlow('table=1,actions=output:2');
    for (let i = 0; i < 5; i++) sw.inject(ethernet(2, 1), 1);
    await sw.slowPath.purge();
    for (let i = 0; i < 3; i++) sw.inject(ethernet(2, 1), 1);
    await sw.slowPath.revalidate();
    const counts = sw.bridge.dumpFlows().map(({ packets, bytes }) => [packets, bytes]);
    expect(counts).toEqual([
      [8, 512],
      [0, 0],
      [8, 512],
    ]);
  });

  it('of a rule that is resubmitted to twice count twice', async () => {
    const sw = newSwitch();
    await sw.bridge.replaceFlows(['actions=resubmit(,1),resubmit(,1)', 'table=1,actions=output:2']);
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([2, 2]);
    sw.inject(ethernet(2, 1), 1);
    await sw.slowPath.revalidate();
    expect(sw.bridge.dumpFlows('table=1').map(({ packets }) => packets)).toEqual([4]);
  });

  it('go to the rule that forwarded them, also when it has just been replaced', async () => {
    const sw = newSwitch();
    sw.bridge.addFlow('priority=1,in_port=1,actions=output:2');
    for (let i = 0; i < 4; i++) sw.inject(ethernet(2, 1), 1);
    sw.bridge.addFlow('priority=2,in_port=1,actions=output:3');
    await sw.slowPath.revalidate();
    for (let i = 0; i < 2; i++) expect(sw.inject(ethernet(2, 1), 1)).toEqual([3]);
    await sw.slowPath.revalidate();
    const counts = sw.bridge.dumpFlows('in_port=1').map(({ packets }) => packets);
    expect(counts).toEqual([2, 4]);
  });
});

describe('timeouts', () => {
  it('end a rule that no packet matches for idle_timeout, cached packets included', async () => {
    const sw = newSwitch();
    await sw.bridge.replaceFlows(['idle_timeout=10,in_port=1,actions=output:2']);
    for (let seconds = 0; seconds < 30; seconds += 5) {
      expect(sw.inject(ethernet(2, 1), 1)).toEqual([2]);
      sw.clock.advance(5000);
      await sw.slowPath.revalidate();
    }
    sw.clock.advance(5000);
    await sw.slowPath.revalidate();
    expect(sw.bridge.dumpFlows()).toEqual([]);
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([]);
  });

  it('end a rule after hard_timeout, whatever traffic there is', async () => {
    const sw = newSwitch();
    await sw.bridge.replaceFlows(['hard_timeout=10,in_port=1,actions=output:2']);
    for (let seconds = 0; seconds < 10; seconds += 1) {
      expect(sw.inject(ethernet(2, 1), 1)).toEqual([2]);
      sw.clock.advance(1000);
      await sw.slowPath.revalidate();
    }
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([]);
  });

  it('end megaflows that no packet uses', async () => {
    const sw = newSwitch();
    sw.inject(ethernet(2, 1), 1);
    sw.clock.advance(9000);
    await sw.slowPath.revalidate();
    expect(sw.slowPath.stats().flows).toBe(1);
    sw.clock.advance(2000);
    await sw.slowPath.revalidate();
    expect(sw.slowPath.stats().flows).toBe(0);
  });
});

describe('the flow limit', () => {
  it('bounds the megaflows, while packets still get through', () => {
    const sw = newSwitch();
    sw.slowPath.setFlowLimit(10);
    for (let n = 1; n <= 30; n++) expect(sw.inject(ethernet(100, n), 1)).toEqual([2, 3]);
    expect(sw.slowPath.stats()).toMatchObject({ flows: 10, flowLimit: 10, upcalls: 30 });
  });

  it('when lowered, makes idle megaflows go within a tenth of a second', async () => {
    const sw = newSwitch();
    for (let n = 1; n <= 15; n++) sw.inject(ethernet(100, n), 1);
    sw.slowPath.setFlowLimit(10);
    sw.clock.advance(101);
    await sw.slowPath.revalidate();
    expect(sw.slowPath.stats().flows).toBe(0);
  });
});

describe('a loop of resubmits', () => {
  it('drops the packet and leaves the rest of the switch alone', () => {
    const sw = newSwitch();
    sw.bridge.addFlow('in_port=1,actions=output:2,resubmit(,0)');
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([]);
    expect(sw.inject(ethernet(9, 2), 2)).toEqual([1, 3]);
  });

  it('says in a trace how deep it went', async () => {
    const sw = newSwitch();
    await sw.bridge.replaceFlows(['actions=resubmit(,0)']);
    const trace = sw.bridge.trace('in_port=1');
    expect(trace).toContain('>>>> over max translation depth 64 <<<<');
    expect(trace).toMatch(
      /Datapath actions: drop\nTranslation failed \(Recursion too deep\), packet is dropped\.\n$/,
    );
  });

  it('that is wide rather than deep ends after 4096', async () => {
    const sw = newSwitch();
    const flows = Array.from({ length: 10 }, (_, table) => {
      const thrice = new Array(3).fill(`resubmit(,${table + 1})`).join(',');
      return `table=${table},actions=${thrice}`;
    });
    await sw.bridge.replaceFlows(flows);
    expect(sw.bridge.trace('in_port=1')).toContain('>>>> over 4096 resubmit actions <<<<');
  });

  it('through all tables ends before the stack does', async () => {
    const sw = newSwitch();
    const flows = Array.from({ length: 255 }, (_, table) => {
      return `table=${table},actions=resubmit(,${(table + 1) % 255})`;
    });
    await sw.bridge.replaceFlows(flows);
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([]);
    expect(sw.bridge.trace('in_port=1')).toContain('>>>> over 512 tables within each other <<<<');
  });
});

describe('the controller', () => {
  it('gets packets with the rule that sent them, cut to the length asked for', () => {
    const sw = newSwitch();
    const got: PacketIn[] = [];
    sw.bridge.onPacketIn((packet) => got.push(packet));
    sw.bridge.addFlow('cookie=0x77,in_port=1,actions=controller(max_len=20),output:2');
    const frame = ethernet(2, 1);
    expect(sw.inject(frame, 1)).toEqual([2]);
    expect(sw.inject(frame, 1)).toEqual([2]);
    expect(got).toHaveLength(2);
    expect(got[1]).toEqual({
      bridge: 'br0',
      inPort: 1,
      table: 0,
      cookie: 0x77n,
      reason: 'action',
      totalSize: 64,
      frame: frame.slice(0, 20),
    });
  });

  it('sends packets out of ports, or through the tables', () => {
    const sw = newSwitch();
    sw.bridge.packetOut(ethernet(9, 1), 'output:3,mod_dl_dst:02:00:00:00:00:07,output:1');
    expect(sw.transmitted.map(({ port }) => port)).toEqual([3, 1]);
    expect(sw.transmitted[1].frame[5]).toBe(7);
    sw.transmitted.length = 0;
    sw.bridge.packetOut(ethernet(9, 1), 'resubmit(,0)', 2);
    expect(sw.transmitted.map(({ port }) => port)).toEqual([1, 3]);
  });
});

describe('flows as text', () => {
  it('are refused whole when one of them is bad', async () => {
    const sw = newSwitch();
    const before = sw.bridge.dumpFlows().length;
    const bad = sw.bridge.replaceFlows(['actions=drop', 'actions=outptu:1']);
    await expect(bad).rejects.toThrow(/outptu/);
    expect(sw.bridge.dumpFlows()).toHaveLength(before);
  });

  it('are replaced, however many they are, without a long hold of the thread', async () => {
    const sw = newSwitch();
    const flow = (i: number) => `ip,nw_src=10.0.${i >> 8}.${i & 255},actions=drop`;
    let longest = 0;
    let last = performance.now();
    const tick = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    });
    await sw.bridge.replaceFlows(Array.from({ length: 20_000 }, (_, i) => flow(i)));
    clearInterval(tick);
    expect(sw.bridge.dumpFlows()).toHaveLength(20_000);
    // A slice is 4 ms; the rest is for a machine that is busy with other tests.
    expect(longest).toBeLessThan(100);
  });

  it('are modified and deleted loosely or strictly', async () => {
    const sw = newSwitch();
    await sw.bridge.replaceFlows([
      'priority=5,tcp,in_port=1,actions=output:2',
      'priority=6,tcp,actions=output:2',
      'priority=7,udp,actions=output:3',
    ]);
    expect(sw.bridge.modFlows('tcp,actions=output:1', false)).toBe(2);
    expect(sw.bridge.delFlows('priority=6,tcp', true)).toBe(1);
    expect(sw.bridge.delFlows('out_port=1', false)).toBe(1);
    const texts = sw.bridge.dumpFlows().map(({ text }) => text.replace(/.*idle_age=0, /, ''));
    expect(texts).toEqual(['priority=7,udp actions=output:3']);
  });

  it("are dumped in ovs-ofctl's form", async () => {
    const sw = newSwitch();
    await sw.bridge.replaceFlows([
      'table=3,priority=5,cookie=0x12,idle_timeout=30,hard_timeout=60,importance=3,send_flow_rem,in_port=LOCAL,actions=1',
      'actions=normal',
    ]);
    sw.clock.advance(3545);
    sw.bridge.modFlows('table=3,actions=drop', false);
    sw.clock.advance(1000);
    expect(sw.bridge.dumpFlows().map(({ text }) => text)).toEqual([
      ' cookie=0x0, duration=4.545s, table=0, n_packets=0, n_bytes=0, idle_age=4, actions=NORMAL',
      ' cookie=0x12, duration=4.545s, table=3, n_packets=0, n_bytes=0, idle_timeout=30, hard_timeout=60, send_flow_rem importance=3, idle_age=4, hard_age=1, priority=5,in_port=LOCAL actions=drop',
    ]);
  });

  it('are dumped by table, descending priority and order of insertion, whatever their masks', async () => {
    const sw = newSwitch();
    const flows = ['in_port=3', 'tcp', 'in_port=1', 'udp', 'arp', 'in_port=2'];
    await sw.bridge.replaceFlows([
      'table=1,actions=drop',
      ...flows.map((match) => `priority=5,${match},actions=drop`),
    ]);
    sw.bridge.addFlow('priority=7,icmp,actions=drop');
    sw.bridge.addFlow('priority=5,in_port=3,actions=drop');
    const texts = sw.bridge.dumpFlows().map(({ text }) => text.replace(/.*idle_age=0, /, ''));
    expect(texts).toEqual([
      'priority=7,icmp actions=drop',
      ...flows.slice(1).map((match) => `priority=5,${match} actions=drop`),
      'priority=5,in_port=3 actions=drop',
      'actions=drop',
    ]);
  });

  it('replace one with the same match and priority, counters and all', async () => {
    const sw = newSwitch();
    await sw.bridge.replaceFlows(['in_port=1,actions=output:2']);
    sw.inject(ethernet(2, 1), 1);
    sw.bridge.addFlow('in_port=1,actions=output:3');
    await sw.slowPath.revalidate();
    expect(sw.bridge.dumpFlows().map(({ packets }) => packets)).toEqual([0]);
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([3]);
  });

  it('are refused when they overlap one and say check_overlap', () => {
    const sw = newSwitch();
    sw.bridge.addFlow('priority=9,in_port=1,actions=drop');
    const overlapping = 'check_overlap,priority=9,dl_type=0x800,actions=drop';
    expect(() => sw.bridge.addFlow(overlapping)).toThrow(/overlaps/);
    sw.bridge.addFlow('check_overlap,priority=9,in_port=2,actions=drop');
  });

  it('take port names', () => {
    const sw = newSwitch();
    sw.bridge.addFlow('in_port=p1,actions=p3,output:p2');
    expect(sw.inject(ethernet(2, 1), 1)).toEqual([3, 2]);
    expect(() => sw.bridge.addFlow('actions=p9')).toThrow(/p9/);
  });
});

describe('fail mode', () => {
  it('secure has no flow to begin with, standalone has NORMAL', () => {
    const sw = newSwitch();
    sw.bridge.setFailMode('secure');
    expect(sw.bridge.dumpFlows()).toEqual([]);
    sw.bridge.setFailMode('standalone');
    expect(sw.bridge.dumpFlows()[0].text).toMatch(/priority=0 actions=NORMAL$/);
  });
});
