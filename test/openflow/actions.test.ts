/** Actions and flows as text, read and written. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { formatActions } from '../../src/openflow/format-actions.ts';
import { parseActions } from '../../src/openflow/parse-actions.ts';
import { parseFlowSpec } from '../../src/openflow/parse-flow.ts';

/** What is written, and how it is printed where that differs. */
const ACTIONS: readonly (readonly [text: string, printed?: string])[] = [
  ['output:1'],
  ['1', 'output:1'],
  ['output:65534', 'LOCAL'],
  ['output(port=1,max_len=200)'],
  ['output(max_len=64,port=1)', 'output(port=1,max_len=64)'],
  ['output:NXM_NX_REG0[]'],
  ['output:reg0[3..5]', 'output:NXM_NX_REG0[3..5]'],
  ['all,flood,normal,local,in_port', 'ALL,FLOOD,NORMAL,LOCAL,IN_PORT'],
  ['NORMAL'],
  ['drop'],
  ['', 'drop'],
  ['1,,2', 'output:1,output:2'],
  ['1 , 2', 'output:1,output:2'],
  ['controller', 'CONTROLLER:65535'],
  ['controller:100', 'CONTROLLER:100'],
  ['output:controller', 'CONTROLLER:65535'],
  ['controller(max_len=200)', 'CONTROLLER:200'],
  ['controller(reason=no_match,max_len=5)'],
  ['controller(id=3)'],
  ['resubmit:3'],
  ['resubmit(3,4)'],
  ['resubmit(,4)'],
  ['resubmit(3)', 'resubmit:3'],
  ['resubmit(LOCAL,4)'],
  ['resubmit(in_port,4)', 'resubmit(,4)'],
  ['resubmit(1,255)', 'resubmit:1'],
  ['goto_table:4'],
  ['mod_dl_src:01:02:03:04:05:06'],
  ['mod_dl_dst:1:2:3:4:5:6', 'mod_dl_dst:01:02:03:04:05:06'],
  ['mod_nw_src:1.2.3.4'],
  ['mod_nw_dst:1.2.3.4'],
  ['mod_nw_tos:32'],
  ['mod_nw_ttl:3'],
  ['mod_tp_src:3,mod_tp_dst:99'],
  ['mod_vlan_vid:5,mod_vlan_pcp:3'],
  ['push_vlan:0x8100,push_vlan:0x88a8'],
  ['strip_vlan'],
  ['pop_vlan'],
  ['dec_ttl'],
  ['dec_ttl(1,2)'],
  ['exit'],
  ['set_field:1->reg0', 'set_field:0x1->reg0'],
  ['set_field:0x12/0xff->reg1'],
  ['set_field:00:00:00:00:00:01->dl_dst', 'set_field:00:00:00:00:00:01->eth_dst'],
  ['set_field:00:00:00:00:00:01/00:00:00:00:00:ff->eth_src'],
  ['set_field:80->tcp_dst'],
  ['set_field:1.2.3.4->nw_src', 'set_field:1.2.3.4->ip_src'],
  ['set_field:0.0.0.4/0.0.0.255->ip_dst'],
  ['set_field:3->ip_dscp,set_field:1->nw_ecn,set_field:5->nw_ttl'],
  ['set_field:4101->vlan_vid,set_field:3->vlan_pcp'],
  ['set_field:9->metadata', 'set_field:0x9->metadata'],
  ['set_field:3->pkt_mark', 'set_field:0x3->pkt_mark'],
  ['load:3->NXM_NX_REG1[0..4]', 'load:0x3->NXM_NX_REG1[0..4]'],
  ['load:1->reg0[7]', 'load:0x1->NXM_NX_REG0[7]'],
  ['load:0x1->eth_dst[]', 'load:0x1->NXM_OF_ETH_DST[]'],
  ['load:1->OXM_OF_IPV4_SRC[]', 'load:0x1->NXM_OF_IP_SRC[]'],
  ['load:3->metadata[0..4]', 'load:0x3->OXM_OF_METADATA[0..4]'],
  ['move:NXM_NX_REG1[0..4]->NXM_NX_REG2[3..7]'],
  ['move:ip_src->ip_dst', 'move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]'],
];

/** What is wrong, and what the message must name. */
const BAD: readonly (readonly [text: string, names: RegExp])[] = [
  ['foo', /"foo" is not an action/],
  ['mod_nw_scr:1.2.3.4', /did you mean mod_nw_src/],
  ['group:1', /"group" is not supported yet/],
  ['drop,1', /"drop" must not be accompanied/],
  ['output:99999', /"output:99999" is not a port/],
  ['output:eth7', /"output:eth7" is not a port/],
  ['output(port=1,max_len=10)', /at least 14/],
  ['output:1(', /unbalanced parentheses/],
  ['mod_nw_tos:33', /"mod_nw_tos:33" is not a valid TOS/],
  ['mod_nw_ecn:4', /too large for 2 bits/],
  ['mod_tp_src:70000', /too large for 16 bits/],
  ['mod_vlan_vid:4096', /is not a VLAN ID: use 0 to 4095/],
  ['mod_nw_src:1.2.3', /is not an IPv4 address/],
  ['push_vlan:0x8101', /0x8100 or 0x88a8/],
  ['set_field:1', /lacks "->"/],
  ['set_field:1->foo', /"foo", which is not a field/],
  ['set_field:6->nw_proto', /nw_proto, which is read-only/],
  ['load:9->NXM_NX_REG0[0..2]', /does not fit into 3 bits/],
  ['load:1->reg0[40]', /it has 32/],
  ['move:reg0[0..3]->reg1[0..4]', /moves 4 bits into 5/],
  ['resubmit:70000', /"resubmit:70000" names a port/],
  ['resubmit(,256)', /0 to 254/],
  ['goto_table:255', /is not a table/],
  ['strip_vlan:3', /takes no argument/],
  ['controller(reason=hunger)', /reason=action, no_match or invalid_ttl/],
];

describe('actions', () => {
  const cases = ACTIONS.map(([text, printed = text]) => ({ text, printed }));

  it.each(cases)('"$text" are read, and written as "$printed"', ({ text, printed }) => {
    expect(formatActions(parseActions(text))).toBe(printed);
  });

  it.each(cases)('"$text" are the same when read from what was written', ({ text }) => {
    const actions = parseActions(text);
    expect(parseActions(formatActions(actions))).toEqual(actions);
  });

  it.each(BAD)('"%s" are refused with a reason', (text, names) => {
    expect(() => parseActions(text)).toThrow(names);
    expect(() => parseActions(text)).toThrow(expect.objectContaining({ code: 'BAD_FLOW' }));
  });
});

/** A flow that is refused, and what the message must name. */
const BAD_FLOWS: readonly (readonly [text: string, names: RegExp])[] = [
  ['in_port=1', /needs its actions/],
  ['foo=1,actions=1', /foo=1 \(at character 1\) is neither/],
  ['in_port=1,priority=70000,actions=1', /priority=70000 \(at character 11\)/],
  ['table=256,actions=1', /table=256/],
  ['cookie=1/2,actions=1', /cookie=1\/2 .* has a mask/],
  ['idle_timeout=70000,actions=1', /idle_timeout=70000/],
  ['out_port=3,actions=1', /out_port=3/],
  ['actions=set_field:80->tcp_dst', /tcp_dst, which needs tcp or tcp6/],
  ['actions=set_field:4101->vlan_vid', /needs a packet with a VLAN tag/],
  ['tcp,actions=move:ipv6_src->ipv6_dst', /ipv6_src, which needs ipv6/],
  ['actions=goto_table:1,output:1', /goto_table must be the last/],
  ['table=3,actions=goto_table:3', /to a later one/],
];

describe('flows', () => {
  it('carry everything that add-flow takes', () => {
    const spec = parseFlowSpec(
      'table=3,priority=5,cookie=0x12,idle_timeout=3,hard_timeout=6,importance=7,send_flow_rem,tcp,actions=1',
      'add',
    );
    expect(spec).toMatchObject({
      table: 3,
      priority: 5,
      cookie: 0x12n,
      idleTimeout: 3,
      hardTimeout: 6,
      importance: 7,
      flags: ['send_flow_rem'],
      actions: [{ kind: 'output', port: 1 }],
    });
  });

  it('may be pasted from a dump', () => {
    const dumped =
      ' cookie=0x0, duration=3.5s, table=0, n_packets=4, n_bytes=5, idle_age=3, priority=7,in_port=1 actions=output:2';
    expect(parseFlowSpec(dumped, 'add')).toMatchObject({ table: 0, priority: 7 });
  });

  it('that set a VLAN may push its tag first', () => {
    const text = 'actions=push_vlan:0x8100,set_field:4101->vlan_vid,output:1';
    expect(parseFlowSpec(text, 'add').actions).toHaveLength(3);
  });

  it.each(BAD_FLOWS)('"%s" is refused with a reason', (text, names) => {
    expect(() => parseFlowSpec(text, 'add')).toThrow(names);
  });

  it('to delete are selected by cookie only with a mask', () => {
    expect(() => parseFlowSpec('cookie=1', 'delete')).toThrow(/cookie=N\/-1/);
    expect(parseFlowSpec('cookie=1/-1', 'delete').cookieMask).toBe(0xffffffffffffffffn);
  });

  it('to delete have a priority only when matched strictly', () => {
    expect(() => parseFlowSpec('priority=3', 'delete')).toThrow(/--strict/);
    expect(parseFlowSpec('priority=3', 'delete strict').priority).toBe(3);
  });
});

const OFCTL = 'ovs-ofctl';
const hasStock = spawnSync(OFCTL, ['--version']).status === 0;
if (!hasStock && process.env.TAPFLOW_REQUIRE_SYSTEM === '1') {
  throw new Error('TAPFLOW_REQUIRE_SYSTEM is set, but ovs-ofctl is not installed');
}
const title = `ovs-ofctl prints actions${hasStock ? '' : ' (skipped: ovs-ofctl not installed)'}`;

describe.skipIf(!hasStock)(title, () => {
  // In OpenFlow 1.0 it writes set_field as load, in 1.5 mod_* as set_field: one of them is ours.
  it('as we do', () => {
    for (const [text] of ACTIONS) {
      const match = /vlan_vid|vlan_pcp|pop_vlan/.test(text) ? 'tcp,dl_vlan=7' : 'tcp';
      const printed = ['OpenFlow10', 'OpenFlow15'].map((protocol) => {
        const flow = `${match},actions=${text}`;
        const args = ['-O', `${protocol}`, 'parse-flow', flow];
        const { stdout } = spawnSync(OFCTL, args, { encoding: 'utf8' });
        return /actions=(.*)\n$/.exec(stdout)?.[1];
      });
      expect(printed, text).toContain(formatActions(parseActions(text)));
    }
  });
});
