/**
 * Random flows over a few tables, and random packets that are likely to meet
 * them, from a seed: fields take few values each.
 */

import { buildFrame, type FrameRecord } from '../../src/wire/frame.ts';
import type { Ipv4Header } from '../../src/wire/ipv4.ts';
import type { Ipv6Header } from '../../src/wire/ipv6.ts';
import type { VlanTag } from '../../src/wire/vlan.ts';

/** Numbers from a seed: the same ones each time (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to n - 1 */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:01:03', 'ff:ff:ff:ff:ff:ff'];
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.1.1', '192.168.0.1'];
const PREFIXES = [
  '10.0.0.1',
  '10.0.0.0/24',
  '10.0.0.0/8',
  '192.168.0.0/16',
  '10.0.0.0/255.0.255.0',
];
const ADDRESSES6 = ['fd00::1', 'fd00::2', 'fd00:1::1'];
const PREFIXES6 = ['fd00::1', 'fd00::/64', 'fd00::/16'];
const PORTS = [53, 80, 443, 1024];
const FRAGMENTS = ['no', 'yes', 'first', 'later', 'not_later'];
const TABLES = 3;
export const SWITCH_PORTS = 4;

/** Flows that are told apart by port and protocol alone, so that only actions look at more. */
export function randomActionFlows(random: Random): string[] {
  const flows: string[] = [];
  for (let table = 0; table < TABLES; table++) {
    for (let port = 1; port <= SWITCH_PORTS; port++) {
      const protocol = random.pick(PROTOCOLS);
      const match = protocol === '' ? '' : `,${protocol}`;
      const actions = randomActions(random, table, protocol, false);
      flows.push(`table=${table},in_port=${port}${match},actions=${actions}`);
    }
  }
  return flows;
}

export function randomFlows(random: Random, count: number): string[] {
  const flows = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const table = random.below(TABLES);
    const { match, protocol, tagged } = randomMatch(random);
    // No two rules of one priority match the same packet, for which of them wins is open.
    const head = `table=${table},priority=${100 + i}${match}`;
    flows.set(head, `${head},actions=${randomActions(random, table, protocol, tagged)}`);
  }
  return [...flows.values()];
}

const PROTOCOLS = ['', 'ip', 'tcp', 'udp', 'icmp', 'arp', 'ipv6', 'tcp6'] as const;
type Protocol = (typeof PROTOCOLS)[number];

function randomMatch(random: Random): { match: string; protocol: Protocol; tagged: boolean } {
  const protocol = random.pick(PROTOCOLS);
  const parts: string[] = protocol === '' ? [] : [protocol];
  const maybe = (percent: number, text: () => string): void => {
    if (random.chance(percent)) parts.push(text());
  };
  maybe(40, () => `in_port=${1 + random.below(SWITCH_PORTS)}`);
  maybe(15, () => `dl_src=${random.pick(MACS)}`);
  if (random.chance(5)) parts.push('dl_dst=01:00:00:00:00:00/01:00:00:00:00:00');
  else maybe(15, () => `dl_dst=${random.pick(MACS)}`);
  maybe(10, () => `reg0=${random.below(2)}`);
  const tagged = random.chance(25);
  if (tagged) parts.push(`dl_vlan=${random.pick([10, 20])}`);
  else maybe(5, () => 'vlan_tci=0x0000/0x1fff');
  if (protocol === 'ip' || protocol === 'tcp' || protocol === 'udp') {
    maybe(30, () => `nw_src=${random.pick(PREFIXES)}`);
    maybe(30, () => `nw_dst=${random.pick(PREFIXES)}`);
    maybe(10, () => `nw_tos=${random.pick([0, 32])}`);
    maybe(10, () => `nw_ttl=${random.pick([1, 64])}`);
    if (protocol === 'ip') maybe(20, () => `nw_frag=${random.pick(FRAGMENTS)}`);
  }
  if (protocol === 'ipv6' || protocol === 'tcp6') {
    maybe(30, () => `ipv6_src=${random.pick(PREFIXES6)}`);
    maybe(30, () => `ipv6_dst=${random.pick(PREFIXES6)}`);
  }
  if (protocol === 'tcp' || protocol === 'udp' || protocol === 'tcp6') {
    maybe(30, () => `tp_src=${random.pick(PORTS)}`);
    maybe(30, () => `tp_dst=${random.pick(['80', '53', '0x0040/0xffc0'])}`);
  }
  if (protocol === 'icmp') maybe(50, () => `icmp_type=${random.pick([0, 8])}`);
  if (protocol === 'arp') maybe(50, () => `arp_op=${random.pick([1, 2])}`);
  if (protocol === 'arp') maybe(30, () => `arp_tpa=${random.pick(PREFIXES)}`);
  return { match: parts.map((part) => `,${part}`).join(''), protocol, tagged };
}

function randomActions(random: Random, table: number, protocol: Protocol, tagged: boolean): string {
  const actions: string[] = [];
  let hasTag = tagged;
  for (let i = random.below(6); i >= 0; i--) {
    const action = randomAction(random, table, protocol, hasTag);
    if (action.startsWith('push_vlan') || action.startsWith('mod_vlan')) hasTag = true;
    if (action === 'pop_vlan') hasTag = false;
    actions.push(action);
  }
  return actions.join(',');
}

function randomAction(random: Random, table: number, protocol: Protocol, tagged: boolean): string {
  const port = 1 + random.below(SWITCH_PORTS);
  const mac = random.pick(MACS);
  const choices = [
    () => `output:${port}`,
    () => `output:${port}`,
    () => 'in_port',
    () => 'normal',
    () => `resubmit(,${random.below(TABLES)})`,
    () => `resubmit(,${Math.min(table + 1, TABLES - 1)})`,
    () => `resubmit(${port},${Math.min(table + 1, TABLES - 1)})`,
    () => `set_field:${mac}->eth_dst`,
    () => `set_field:00:00:00:00:00:0${random.below(4)}/00:00:00:00:ff:ff->eth_src`,
    () => `set_field:${random.below(2)}->reg0`,
    () => `output(port=${port},max_len=${random.pick([64, 100])})`,
    () => `controller(max_len=${random.pick([64, 128])})`,
    ...(tagged
      ? [
          () => `set_field:${4096 + random.pick([10, 20, 30])}->vlan_vid`,
          () => `set_field:${random.below(8)}->vlan_pcp`,
          () => 'pop_vlan',
        ]
      : [() => 'push_vlan:0x8100']),
    ...writersOf(random, protocol),
  ];
  return random.pick(choices)();
}

function writersOf(random: Random, protocol: Protocol): (() => string)[] {
  const ip = [
    () => 'dec_ttl',
    () => `set_field:${random.pick([0, 1, 2])}->nw_ecn`,
    () => `set_field:${random.pick([1, 64])}->nw_ttl`,
  ];
  const ipv4 = [
    ...ip,
    () => `set_field:${random.pick(ADDRESSES)}->ip_src`,
    () => `set_field:0.0.0.${random.below(4)}/0.0.0.255->ip_dst`,
  ];
  const ipv6 = [
    ...ip,
    () => `set_field:${random.pick(ADDRESSES6)}->ipv6_dst`,
    () => `set_field:0x${random.below(3)}->ipv6_label`,
  ];
  const writers: Record<Protocol, (() => string)[]> = {
    '': [],
    ip: ipv4,
    tcp: [...ipv4, () => `set_field:${random.pick(PORTS)}->tcp_dst`],
    udp: [...ipv4, () => `set_field:${random.pick(PORTS)}->udp_src`],
    icmp: [...ipv4, () => `set_field:${random.pick([0, 8])}->icmp_type`],
    arp: [
      () => `set_field:${random.pick([1, 2])}->arp_op`,
      () => `set_field:${random.pick(ADDRESSES)}->arp_spa`,
      () => `set_field:${random.pick(MACS)}->arp_tha`,
    ],
    ipv6,
    tcp6: [...ipv6, () => `set_field:${random.pick(PORTS)}->tcp_src`],
  };
  return writers[protocol];
}

/** A flow for ofproto/trace. */
export function randomPacket(random: Random): string {
  const parts = [
    `in_port=${1 + random.below(SWITCH_PORTS)}`,
    `dl_src=${random.pick(MACS.slice(0, 3))}`,
    `dl_dst=${random.pick(MACS)}`,
  ];
  if (random.chance(30)) {
    parts.push(`dl_vlan=${random.pick([10, 20])}`, `dl_vlan_pcp=${random.below(8)}`);
  }
  const protocol = random.pick(['', 'tcp', 'tcp', 'udp', 'icmp', 'arp', 'tcp6', 'udp6']);
  if (protocol !== '') parts.push(protocol);
  if (protocol === 'arp') {
    parts.push(`arp_op=${random.pick([1, 2])}`, `arp_tpa=${random.pick(ADDRESSES)}`);
  } else if (protocol.endsWith('6')) {
    parts.push(`ipv6_src=${random.pick(ADDRESSES6)}`, `ipv6_dst=${random.pick(ADDRESSES6)}`);
    parts.push(`nw_ttl=${random.pick([1, 2, 64])}`);
  } else if (protocol !== '') {
    parts.push(`nw_src=${random.pick(ADDRESSES)}`, `nw_dst=${random.pick(ADDRESSES)}`);
    parts.push(`nw_ttl=${random.pick([1, 2, 64])}`, `nw_tos=${random.pick([0, 32])}`);
  }
  const fragment = protocol === 'tcp' && random.chance(15);
  if (fragment) parts.push(`nw_frag=${random.pick(['first', 'later'])}`);
  else if (/^(tcp|udp)/.test(protocol)) {
    const name = protocol.slice(0, 3);
    parts.push(`${name}_src=${random.pick(PORTS)}`, `${name}_dst=${random.pick(PORTS)}`);
  }
  if (protocol === 'icmp') parts.push(`icmp_type=${random.pick([0, 8])}`);
  return parts.join(',');
}

/** A frame likely to meet the flows: whole, a fragment, tagged once or twice, ARP. */
export function randomFrame(random: Random): Uint8Array {
  const record: FrameRecord = {
    eth: { src: random.pick(MACS.slice(0, 3)), dst: random.pick(MACS) },
    payload: 20 + random.below(100),
  };
  if (random.chance(30)) record.vlans = randomTags(random);
  const ports = { srcPort: random.pick(PORTS), dstPort: random.pick(PORTS) };
  const kind = random.below(8);
  if (kind === 0) record.arp = { op: random.pick([1, 2, 3]), tpa: random.pick(ADDRESSES) };
  else if (kind <= 4) record.ipv4 = randomIpv4(random, kind === 3);
  else if (kind <= 6) record.ipv6 = randomIpv6(random);
  if (kind === 1 || kind === 5) record.tcp = ports;
  if (kind === 2 || kind === 6) record.udp = ports;
  if (kind === 4) record.icmp = { type: random.pick([0, 8]) };
  return buildFrame(record);
}

function randomTags(random: Random): VlanTag[] {
  const tag = (): VlanTag => ({ vid: random.pick([0, 10, 20]), pcp: random.below(8) });
  return random.chance(80) ? [tag()] : [tag(), tag()];
}

function randomIpv4(random: Random, isFragment: boolean): Ipv4Header {
  const header: Ipv4Header = {
    src: random.pick(ADDRESSES),
    dst: random.pick(ADDRESSES),
    ttl: random.pick([0, 1, 2, 64]),
    tos: random.pick([0, 1, 32]),
  };
  if (isFragment) return { ...header, proto: 6, fragment: random.pick([0x2000, 0x2004, 4]) };
  return header;
}

function randomIpv6(random: Random): Ipv6Header {
  const src = random.pick(ADDRESSES6);
  return { src, dst: random.pick(ADDRESSES6), hopLimit: random.pick([1, 2, 64]) };
}
