/**
 * TCP at speed while flows rewrite its headers in both directions, as static
 * NAT and routing would: A talks to an address and port that B does not have,
 * and B to one that A does not have. The second switch gets the frames tagged
 * over a trunk, so that super-frames are rewritten, tagged, received by packet
 * socket, untagged and rewritten again.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../system/lab.ts';
import { describeSystem } from '../system/requirements.ts';
import { NO_DROPS, NONE_REFUSED, OffloadLab } from './offload-lab.ts';

const lab = new OffloadLab();

const MAC = { a: '02:00:00:00:73:0a', b: '02:00:00:00:73:0b', router: '02:00:00:00:73:ff' };
const PORT = 5201;

const host = (name: 'a' | 'b', last: number): string => `
      - name: ${lab.iface(name)}
        type: tap
        ofport_request: 1
        mac: ${MAC[name]}
        netns: ${lab.ns(name)}
        addresses: [10.73.0.${last}/24, "fd73::${last}/64"]`;
const trunk = (name: string): string => `
      - { name: ${lab.iface(name)}, type: system, ofport_request: 2 }`;

/** Towards B, the destination changes at the first switch, the source at the second; back, likewise. */
const FIRST = [
  `in_port=1,tcp,nw_dst=10.74.0.2,actions=mod_nw_dst:10.73.0.2,mod_tp_dst:${PORT},dec_ttl,mod_vlan_vid:30,output:2`,
  `in_port=1,tcp6,ipv6_dst=fd74::2,actions=set_field:fd73::2->ipv6_dst,mod_tp_dst:${PORT},dec_ttl,push_vlan:0x8100,set_field:4126->vlan_vid,output:2`,
  `in_port=2,dl_vlan=30,tcp,tp_src=${PORT},actions=strip_vlan,mod_nw_src:10.74.0.2,mod_tp_src:80,mod_dl_dst:${MAC.a},dec_ttl,output:1`,
  `in_port=2,dl_vlan=30,tcp6,tp_src=${PORT},actions=pop_vlan,set_field:fd74::2->ipv6_src,mod_tp_src:80,mod_dl_dst:${MAC.a},dec_ttl,output:1`,
];
const SECOND = [
  `in_port=2,dl_vlan=30,tcp,nw_src=10.73.0.1,actions=mod_nw_src:10.75.0.1,mod_dl_src:${MAC.router},strip_vlan,mod_dl_dst:${MAC.b},dec_ttl,output:1`,
  `in_port=2,dl_vlan=30,tcp6,ipv6_src=fd73::1,actions=set_field:fd75::1->ipv6_src,mod_dl_src:${MAC.router},pop_vlan,mod_dl_dst:${MAC.b},dec_ttl,output:1`,
  'in_port=1,tcp,nw_dst=10.75.0.1,actions=mod_nw_dst:10.73.0.1,dec_ttl,mod_vlan_vid:30,output:2',
  'in_port=1,tcp6,ipv6_dst=fd75::1,actions=set_field:fd73::1->ipv6_dst,dec_ttl,push_vlan:0x8100,set_field:4126->vlan_vid,output:2',
];

const topology = (): string => `
bridges:
  - name: br1
    fail_mode: secure
    ports:${host('a', 1)}${trunk('p')}
    flows: ${JSON.stringify(FIRST)}
  - name: br2
    fail_mode: secure
    ports:${host('b', 2)}${trunk('q')}
    flows: ${JSON.stringify(SECOND)}
`;

/** The addresses that exist only in flows are behind a router that nobody resolves. */
async function addRoutes(name: 'a' | 'b', ...nets: string[]): Promise<void> {
  const ip = (...args: string[]) => run('ip', '-n', lab.ns(name), ...args);
  for (const [router, net] of [
    ['10.73.0.254', nets[0]],
    ['fd73::fe', nets[1]],
  ]) {
    await ip('neigh', 'add', router, 'lladdr', MAC.router, 'dev', lab.iface(name));
    await ip('route', 'add', net, 'via', router);
  }
}

describeSystem('flows that rewrite headers of TCP at speed', () => {
  beforeAll(async () => {
    await lab.make();
    await lab.veth('p', 'q', 'sw');
    await lab.up(topology());
    await addRoutes('a', '10.74.0.0/24', 'fd74::/64');
    await addRoutes('b', '10.75.0.0/24', 'fd75::/64');
  });
  afterAll(() => lab.close());

  it.each([
    ['over IPv4', '10.74.0.2', []],
    ['over IPv4, the other way', '10.74.0.2', ['-R']],
    ['over IPv6', 'fd74::2', []],
    ['over IPv6, the other way', 'fd74::2', ['-R']],
  ])('%s', async (_, address, options) => {
    const transfer = await lab.iperf('a', 'b', address, '-p', '80', ...options);
    expect(transfer.gbitPerSecond).toBeGreaterThan(0.5);
    expect(transfer.retransmitted).toBeLessThan(0.01);
  });

  it('nothing was dropped, and no kernel refused a checksum', async () => {
    expect(await lab.drops()).toEqual(NO_DROPS);
    expect(await lab.refused('a')).toEqual(NONE_REFUSED);
    expect(await lab.refused('b')).toEqual(NONE_REFUSED);
  });
});
