/** ofproto/trace, to the character. The texts are those of stock Open vSwitch 3.1. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ethernet, TestSwitch } from './test-switch.ts';

const TCP =
  'in_port=1,tcp,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tp_src=1000,tp_dst=80,nw_tos=4';

describe('a trace', () => {
  let sw: TestSwitch;
  beforeEach(() => {
    sw = new TestSwitch([{}, {}, {}, {}]);
  });
  afterEach(() => sw.close());

  it('shows tables, rules and actions, and what the packet becomes', async () => {
    await sw.bridge.replaceFlows([
      'table=0,priority=10,cookie=0x1234,in_port=1,actions=resubmit(,1),output:3',
      'table=1,priority=5,tcp,actions=mod_nw_src:1.2.3.4,dec_ttl,mod_tp_dst:8080,output:2,mod_dl_dst:aa:bb:cc:dd:ee:ff,output:4',
    ]);
    expect(sw.bridge.trace(TCP)).toBe(`\
Flow: tcp,in_port=1,vlan_tci=0x0000,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=4,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=1000,tp_dst=80,tcp_flags=0

bridge("br0")
-------------
 0. in_port=1, priority 10, cookie 0x1234
    resubmit(,1)
     1. tcp, priority 5
            mod_nw_src:1.2.3.4
            dec_ttl
            mod_tp_dst:8080
            output:2
            mod_dl_dst:aa:bb:cc:dd:ee:ff
            output:4
    output:3

Final flow: tcp,in_port=1,vlan_tci=0x0000,dl_src=00:00:00:00:00:01,dl_dst=aa:bb:cc:dd:ee:ff,nw_src=1.2.3.4,nw_dst=10.0.0.2,nw_tos=4,nw_ecn=0,nw_ttl=63,nw_frag=no,tp_src=1000,tp_dst=8080,tcp_flags=0
Megaflow: recirc_id=0,eth,tcp,in_port=1,dl_dst=00:00:00:00:00:02,nw_src=10.0.0.1,nw_ttl=64,nw_frag=no,tp_dst=80
Datapath actions: set(ipv4(src=1.2.3.4,ttl=63)),set(tcp(dst=8080)),2,set(eth(dst=aa:bb:cc:dd:ee:ff)),4,3
`);
  });

  it('says that a table has no match', async () => {
    await sw.bridge.replaceFlows(['in_port=4,actions=resubmit(,77),output:1,resubmit(,78)']);
    expect(sw.bridge.trace('in_port=4,arp')).toBe(`\
Flow: arp,in_port=4,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00,arp_spa=0.0.0.0,arp_tpa=0.0.0.0,arp_op=0,arp_sha=00:00:00:00:00:00,arp_tha=00:00:00:00:00:00

bridge("br0")
-------------
 0. in_port=4, priority 32768
    resubmit(,77)
    77. No match.
            drop
    output:1
    resubmit(,78)
78. No match.
    drop

Final flow: unchanged
Megaflow: recirc_id=0,eth,arp,in_port=4
Datapath actions: 1
`);
  });

  it('explains what an action did', async () => {
    await sw.bridge.replaceFlows([
      'in_port=2,actions=move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],load:5->NXM_NX_REG1[],resubmit(,1)',
      'table=1,reg0=2,actions=load:1->NXM_NX_REG3[],output:NXM_NX_REG1[],output:1,output:2',
    ]);
    expect(sw.bridge.trace('in_port=2')).toContain(`
 0. in_port=2, priority 32768
    move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]
     -> NXM_NX_REG0[0..15] is now 0x2
    load:0x5->NXM_NX_REG1[]
    resubmit(,1)
 1. reg0=0x2, priority 32768
    load:0x1->NXM_NX_REG3[]
    output:NXM_NX_REG1[]
     -> output port is 5
     >> Nonexistent output port
    output:1
    output:2
     >> skipping output to input port

Final flow: reg0=0x2,reg1=0x5,reg3=0x1,in_port=2,`);
  });

  it('ends where a TTL does', async () => {
    await sw.bridge.replaceFlows(['in_port=1,ip,actions=dec_ttl,output:2']);
    const trace = sw.bridge.trace('in_port=1,tcp,nw_ttl=1');
    expect(trace).toContain('    dec_ttl\n     >> IPv4 decrement TTL exception\n\n');
    expect(trace).toContain('Megaflow: recirc_id=0,eth,tcp,in_port=1,nw_ttl=1,nw_frag=no\n');
    expect(trace).toMatch(
      /Datapath actions: userspace\(pid=0,controller\(reason=2,.*max_len=65535\)\)\n$/,
    );
  });

  it('learns from a frame, but not from a flow', () => {
    const flow = 'in_port=1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02';
    expect(sw.bridge.trace(flow)).not.toContain('learned that');
    expect(sw.bridge.macs()).toEqual([]);
    const lines = sw.bridge.trace('in_port=1', ethernet(2, 1)).split('\n');
    expect(lines.slice(4, 8)).toEqual([
      ' 0. priority 0',
      '    NORMAL',
      '     -> learned that 02:00:00:00:00:01 is on port p1 in VLAN 0',
      '     -> no learned MAC for destination, flooding',
    ]);
    expect(sw.bridge.macs()).toHaveLength(1);
  });

  it('counts no packet', () => {
    sw.bridge.trace('in_port=1', ethernet(2, 1));
    expect(sw.bridge.dumpFlows()[0].packets).toBe(0);
  });

  it('refuses a frame that is too short, and a flow that is none', () => {
    expect(() => sw.bridge.trace('in_port=1', new Uint8Array(13))).toThrow(/13 bytes/);
    expect(() => sw.bridge.trace('in_port=p7')).toThrow(/p7/);
  });
});

describe('installed megaflows', () => {
  it('are printed as dpctl/dump-flows prints them', async () => {
    const sw = new TestSwitch([{}, {}, {}]);
    sw.inject(ethernet(2, 1), 1);
    const head =
      'recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x9000)';
    expect(sw.slowPath.dumpMegaflows()).toEqual([
      `${head}, packets:0, bytes:0, used:never, actions:2,3`,
    ]);
    sw.inject(ethernet(2, 1), 1);
    sw.clock.advance(1500);
    expect(sw.slowPath.dumpMegaflows()).toEqual([
      `${head}, packets:1, bytes:64, used:1.500s, actions:2,3`,
    ]);
    sw.close();
  });
});
