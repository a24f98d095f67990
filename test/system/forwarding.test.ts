import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Lab } from './lab.ts';
import { describeSystem } from './requirements.ts';

const RAW_SOCKET = new URL('../../node_modules/raw-socket/build/Release/raw.node', import.meta.url);
const IP_PROTOCOL = new URL('./ip-protocol.cjs', import.meta.url).pathname;
const TRAFFIC = new URL('../../dist/cli/demo/traffic.js', import.meta.url).pathname;

const lab = new Lab();

const host = (name: string, last: number, tag: number): string => `
      - name: ${lab.iface(name)}
        type: tap
        tag: ${tag}
        netns: ${lab.ns(name)}
        addresses: [10.66.0.${last}/24, "fd66::${last}/64"]`;

const topology = `
bridges:
  - name: br0
    ports:${host('a', 1, 10)}${host('b', 2, 10)}${host('c', 3, 20)}${host('d', 4, 20)}
`;

const traffic = async (ns: string, ...args: string[]): Promise<unknown> =>
  JSON.parse((await lab.inside(ns, process.execPath, TRAFFIC, ...args)).stdout);

describeSystem('hosts in namespaces on one switch', () => {
  beforeAll(async () => {
    await lab.up(topology);
    for (const [ns, address] of [
      ['a', '10.66.0.1'],
      ['b', '10.66.0.2'],
    ]) {
      await traffic(ns, 'ready', address);
    }
  });
  afterAll(() => lab.close());

  it('ping each other over IPv4', async () => {
    expect(await lab.ping('a', '10.66.0.2', 10)).toBe(10);
    expect(await lab.ping('c', '10.66.0.4', 10)).toBe(10);
  });

  it('ping each other over IPv6 once the addresses are usable', async () => {
    await lab.ping('a', 'fd66::2', 1, '-w', '4');
    expect(await lab.ping('a', 'fd66::2', 5)).toBe(5);
  });

  it('cross with payloads up to the MTU and with fragments beyond it', async () => {
    expect(await lab.ping('a', '10.66.0.2', 2, '-M', 'do', '-s', '1472')).toBe(2);
    expect(await lab.ping('a', '10.66.0.2', 2, '-s', '8000')).toBe(2);
  });

  it('are kept apart by VLANs', async () => {
    expect(await lab.ping('a', '10.66.0.3', 2)).toBe(0);
    expect(await lab.ping('d', '10.66.0.2', 2)).toBe(0);
  });

  it('talk TCP with the offloads of the system', async () => {
    const server = await lab.serve('b', process.execPath, TRAFFIC, 'tcp-receive', '5001');
    const sent = (await traffic('a', 'tcp-send', '10.66.0.2', '5001', '500')) as { bytes: number };
    server.kill();
    expect(sent.bytes).toBeGreaterThan(10_000_000);
  });

  it('talk UDP', async () => {
    const server = await lab.serve('b', process.execPath, TRAFFIC, 'udp-answer', '5002');
    const talk = await traffic('a', 'udp-ask', '10.66.0.2', '5002', '200');
    server.kill();
    expect(talk).toMatchObject({ asked: 200, answered: 200 });
  });

  it.skipIf(!existsSync(RAW_SOCKET) && process.env.TAPFLOW_REQUIRE_SYSTEM !== '1').each([
    ['GRE', 47],
    ['SCTP', 132],
    ['OSPF', 89],
  ])(
    'exchange %s, an IP protocol of number %i (needs: npm rebuild raw-socket)',
    async (_, protocol) => {
      const receiver = await lab.serve(
        'b',
        process.execPath,
        IP_PROTOCOL,
        'receive',
        String(protocol),
        '5',
      );
      const counted = new Promise((resolve) =>
        receiver.stdout?.once('data', (text) => resolve(Number(text))),
      );
      const sent = await lab.inside(
        'a',
        process.execPath,
        IP_PROTOCOL,
        'send',
        String(protocol),
        '10.66.0.2',
        '5',
      );
      expect(sent.stderr).toBe('');
      expect(await counted).toBe(5);
    },
  );

  it('learn and show where each address lives', async () => {
    const macs = await lab.json<{ port: string; vlan: number }[]>('mac', 'br0');
    const seen = new Set(macs.map(({ port, vlan }) => `${port} ${vlan}`));
    expect(seen).toContain(`${lab.iface('a')} 10`);
    expect(seen).toContain(`${lab.iface('c')} 20`);
  });

  it('are forwarded from the caches after the first packets', async () => {
    type Cache = { packets: number; misses: number };
    const before = await lab.json<Cache>('cache');
    await lab.ping('a', '10.66.0.2', 50, '-i', '0.01');
    const after = await lab.json<Cache>('cache');
    expect(after.packets - before.packets).toBeGreaterThanOrEqual(100);
    expect(after.misses - before.misses).toBeLessThan(20);
  });

  it('obey a flow added while they talk, and are free again when it is deleted', async () => {
    await lab.tapflow('add-flow', 'br0', 'priority=100,icmp,actions=drop');
    expect(await lab.ping('a', '10.66.0.2', 2)).toBe(0);
    const [flow] = await lab.json<{ n_packets: number }[]>('flows', 'br0', 'icmp');
    expect(flow.n_packets).toBe(2);
    expect((await lab.tapflow('del-flows', 'br0', 'icmp')).stdout).toBe('1 flow deleted\n');
    expect(await lab.ping('a', '10.66.0.2', 2)).toBe(2);
  });
});
