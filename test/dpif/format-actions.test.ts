/**
 * The expected texts were printed by Open vSwitch 3.1: `ofproto/trace` and
 * `dpctl/dump-flows` on a dummy datapath, for the same fields and masks.
 */
import { expect, test } from 'vitest';
import * as op from '../../src/dpif/actions.ts';
import { UPCALL_CONTROLLER, UPCALL_SLOW_PATH } from '../../src/dpif/dpif.ts';
import { formatActions } from '../../src/dpif/format-actions.ts';
import { parseIpv4, parseIpv6, parseMac } from '../../src/wire/address.ts';

type Action = [number, ...number[]];

function format(actions: readonly Action[], nwProto?: number): string {
  const list = new op.ActionList();
  for (const [code, ...args] of actions) list.push(code, ...args);
  const words = Int32Array.from([-1, ...list.toArray(), -1]);
  return formatActions(words, 1, words.length - 1, undefined, { nwProto });
}

const ip = (text: string): number => parseIpv4(text) ?? Number.NaN;

function words(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    Number(BigInt.asIntN(32, value >> BigInt(32 * (count - 1 - i)))),
  );
}
const ip6 = (text: string): number[] => words(parseIpv6(text) ?? -1n, 4);
/** Two addresses, the first in the high bits. */
const macs = (first: string, second: string): number[] =>
  words(((parseMac(first) ?? -1n) << 48n) | (parseMac(second) ?? -1n), 3);

const NO_MAC = '00:00:00:00:00:00';
const ALL_MAC = 'ff:ff:ff:ff:ff:ff';
const NO_IP6 = ip6('::');
const ALL_IP6 = [-1, -1, -1, -1];

test('an empty list and DROP are drop, outputs are port numbers', () => {
  expect(format([])).toBe('drop');
  expect(format([[op.DROP, 1]])).toBe('drop');
  expect(format([[op.OUTPUT, 2]])).toBe('2');
  expect(
    format([
      [op.OUTPUT, 2],
      [op.OUTPUT, 3],
    ]),
  ).toBe('2,3');
});

test('outputs show names where the caller has them', () => {
  const list = new op.ActionList();
  list.push(op.OUTPUT, 2);
  expect(formatActions(list.words, 0, list.length, (port) => `tap${port}`)).toBe('tap2');
});

test.each<[string, Action]>([
  [
    'set(eth(src=02:11:22:33:44:55))',
    [op.SET_ETH, ...macs(NO_MAC, '02:11:22:33:44:55'), ...macs(NO_MAC, ALL_MAC)],
  ],
  [
    'set(eth(src=02:11:22:33:44:55,dst=02:11:22:33:44:57))',
    [op.SET_ETH, ...macs('02:11:22:33:44:57', '02:11:22:33:44:55'), -1, -1, -1],
  ],
  [
    'set(eth(src=02:11:22:00:00:00/ff:ff:ff:00:00:00))',
    [op.SET_ETH, ...macs(NO_MAC, '02:11:22:00:00:00'), ...macs(NO_MAC, 'ff:ff:ff:00:00:00')],
  ],
  [
    'set(eth(dst=01:00:00:00:00:00/01:00:00:00:00:00))',
    [op.SET_ETH, ...macs('01:00:00:00:00:00', NO_MAC), ...macs('01:00:00:00:00:00', NO_MAC)],
  ],
])('%s', (text, action) => {
  expect(format([action])).toBe(text);
});

test.each<[string, Action]>([
  ['set(ipv4(ttl=63))', [op.SET_IPV4, 0, 0, 0, 0, 63, 0xff]],
  [
    'set(ipv4(src=1.2.3.4,dst=1.2.3.5,tos=0x8/0xfc,ttl=63))',
    [op.SET_IPV4, ip('1.2.3.4'), -1, ip('1.2.3.5'), -1, 0x083f, 0xfcff],
  ],
  ['set(ipv4(tos=0x1/0x3))', [op.SET_IPV4, 0, 0, 0, 0, 0x100, 0x300]],
  ['set(ipv4(tos=0,ttl=0))', [op.SET_IPV4, 0, 0, 0, 0, 0, 0xffff]],
  [
    'set(ipv4(src=11.0.0.0/255.255.255.0))',
    [op.SET_IPV4, ip('11.0.0.0'), ip('255.255.255.0'), 0, 0, 0, 0],
  ],
  [
    'set(ipv4(src=1.2.3.4/255.0.255.0,tos=0x3/0xf,ttl=3/0x7))',
    [op.SET_IPV4, ip('1.2.3.4'), ip('255.0.255.0'), 0, 0, 0x303, 0xf07],
  ],
  [
    'set(ipv6(dst=fd00::9,label=0x123,tclass=0x8/0xfc,hlimit=63))',
    [
      op.SET_IPV6,
      ...NO_IP6,
      ...NO_IP6,
      ...ip6('fd00::9'),
      ...ALL_IP6,
      0x123,
      0xfffff,
      0x83f,
      0xfcff,
    ],
  ],
  [
    'set(ipv6(src=fd00::/ffff::,label=0x3/0xf,tclass=0x3/0xf,hlimit=1/0x3))',
    [op.SET_IPV6, ...ip6('fd00::'), ...ip6('ffff::'), ...NO_IP6, ...NO_IP6, 3, 0xf, 0x301, 0xf03],
  ],
])('%s', (text, action) => {
  expect(format([action])).toBe(text);
});

test.each<[string, Action]>([
  [
    'set(arp(sip=1.2.3.4,tip=1.2.3.5,op=2,sha=02:00:00:00:00:0a,tha=02:00:00:00:00:0b))',
    [
      ...[op.SET_ARP, 2, 0xffff, ip('1.2.3.4'), -1, ip('1.2.3.5'), -1],
      ...[...macs('02:00:00:00:00:0a', '02:00:00:00:00:0b'), -1, -1, -1],
    ] as Action,
  ],
  [
    'set(arp(sip=1.2.0.0/255.255.0.0,tha=02:00:00:00:00:00/ff:00:00:00:00:ff))',
    [
      ...[op.SET_ARP, 0, 0, ip('1.2.0.0'), ip('255.255.0.0'), 0, 0],
      ...[...macs(NO_MAC, '02:00:00:00:00:00'), ...macs(NO_MAC, 'ff:00:00:00:00:ff')],
    ] as Action,
  ],
  [
    'set(nd(target=fe80::3,sll=02:00:00:00:00:0a))',
    [
      ...[op.SET_ND, ...ip6('fe80::3'), ...ALL_IP6],
      ...[...macs('02:00:00:00:00:0a', NO_MAC), ...macs(ALL_MAC, NO_MAC)],
    ] as Action,
  ],
  [
    'set(nd(tll=02:00:00:00:00:0a))',
    [
      ...[op.SET_ND, ...NO_IP6, ...NO_IP6],
      ...[...macs(NO_MAC, '02:00:00:00:00:0a'), ...macs(NO_MAC, ALL_MAC)],
    ] as Action,
  ],
])('%s', (text, action) => {
  expect(format([action])).toBe(text);
});

test.each<[string, number, number, number]>([
  ['set(tcp(dst=81))', 6, 81, 0xffff],
  ['set(tcp(src=82,dst=81))', 6, (82 << 16) | 81, -1],
  ['set(tcp(src=3/0xff,dst=16))', 6, (3 << 16) | 16, 0x00ffffff],
  ['set(tcp(dst=256/0xff00))', 6, 0x100, 0xff00],
  ['set(udp(dst=81))', 17, 81, 0xffff],
  ['set(sctp(dst=81))', 132, 81, 0xffff],
  ['set(icmp(type=9,code=2))', 1, (9 << 16) | 2, -1],
  ['set(icmp(type=3/0xf,code=1))', 1, (3 << 16) | 1, 0x000f00ff],
  ['set(icmpv6(type=129,code=0))', 58, 129 << 16, -1],
])('%s', (text, nwProto, value, mask) => {
  expect(format([[op.SET_TP, value, mask]], nwProto)).toBe(text);
});

test.each<[string, Action]>([
  ['push_vlan(vid=10,pcp=0)', [op.PUSH_VLAN, 0x8100100a | 0]],
  ['push_vlan(tpid=0x88a8,vid=10,pcp=3)', [op.PUSH_VLAN, 0x88a8700a | 0]],
  ['push_vlan(vid=5,pcp=1,cfi=0)', [op.PUSH_VLAN, 0x81002005 | 0]],
  ['pop_vlan', [op.POP_VLAN]],
  ['set(skb_priority(0x3))', [op.SET_PRIORITY, 3]],
  ['set(skb_mark(0x2))', [op.SET_MARK, 2]],
  ['trunc(100)', [op.TRUNC, 100]],
  ['userspace(pid=0,slow_path(action))', [op.USERSPACE, UPCALL_SLOW_PATH, 0, 65535]],
  [
    'userspace(pid=0,controller(reason=1,dont_send=0,continuation=0,recirc_id=0,' +
      'rule_cookie=0,controller_id=0,max_len=65535))',
    [op.USERSPACE, UPCALL_CONTROLLER, 0, 65535],
  ],
])('%s', (text, action) => {
  expect(format([action])).toBe(text);
});

test('the caller says what a cookie means', () => {
  const list = new op.ActionList();
  list.push(op.USERSPACE, UPCALL_CONTROLLER, 7, 128);
  const userspace = (...args: number[]) => `controller(${args.join(' ')})`;
  expect(formatActions(list.words, 0, list.length, String, { userspace })).toBe(
    `userspace(pid=0,controller(${UPCALL_CONTROLLER} 7 128))`,
  );
});
