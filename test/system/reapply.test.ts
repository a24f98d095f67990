import { execFile } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Lab } from './lab.ts';
import { describeSystem } from './requirements.ts';

const lab = new Lab();

interface Host {
  name: string;
  last: number;
  tag: number;
  mtu?: number;
}

const topology = (hosts: Host[], flows: string[] = ['priority=0,actions=normal']): string => `
bridges:
  - name: br0
    ports:${hosts
      .map(
        ({ name, last, tag, mtu }) => `
      - name: ${lab.iface(name)}
        type: tap
        tag: ${tag}
        netns: ${lab.ns(name)}
        addresses: [10.67.0.${last}/24]${mtu === undefined ? '' : `\n        mtu_request: ${mtu}`}`,
      )
      .join('')}
    flows: ${JSON.stringify(flows)}
`;

const a: Host = { name: 'a', last: 1, tag: 10 };
const b: Host = { name: 'b', last: 2, tag: 10 };
const c: Host = { name: 'c', last: 3, tag: 20 };

describeSystem('applying an edited file to a running switch', () => {
  beforeAll(async () => {
    await lab.up(topology([a, b, c]));
    await lab.ping('a', '10.67.0.2', 1);
  });
  afterAll(() => lab.close());

  it('changes nothing when the file has not changed', async () => {
    const { code, stdout } = await lab.reapply(topology([a, b, c]));
    expect(stdout).toBe('Nothing to change.\n');
    expect(code).toBe(0);
  });

  it('loses not one packet of traffic that the change does not concern', async () => {
    const pinging = lab.ping('a', '10.67.0.2', 100, '-i', '0.02');
    for (let n = 0; n < 5; n++) {
      await lab.reapply(topology([a, b]));
      await lab.reapply(
        topology(
          [a, b, c],
          ['priority=0,actions=normal', `priority=5,tcp,tp_dst=${n},actions=drop`],
        ),
      );
    }
    expect(await pinging).toBe(100);
  });

  it('moves a port to another VLAN in place', async () => {
    await lab.reapply(topology([a, b, { ...c, tag: 10 }]));
    expect(await lab.ping('a', '10.67.0.3', 2)).toBe(2);
    await lab.reapply(topology([a, b, c]));
    expect(await lab.ping('a', '10.67.0.3', 2)).toBe(0);
  });

  it('keeps the counters of a flow that stays', async () => {
    const kept = 'priority=50,icmp,actions=normal';
    await lab.reapply(topology([a, b, c], [kept, 'priority=0,actions=normal']));
    await lab.ping('a', '10.67.0.2', 5);
    await lab.reapply(topology([a, b, c], [kept, 'priority=1,actions=normal']));
    const [flow] = await lab.json<{ n_packets: number }[]>('flows', 'br0', 'icmp');
    expect(flow.n_packets).toBeGreaterThanOrEqual(10);
  });

  it('removes the port and the namespace that the file does not name any more', async () => {
    await lab.reapply(topology([a, b]));
    expect(lab.namespaces()).not.toContain(lab.ns('c'));
    expect(await lab.ping('a', '10.67.0.2', 2)).toBe(2);
    await lab.reapply(topology([a, b, c]));
    expect(lab.namespaces()).toContain(lab.ns('c'));
  });

  it('reads the file again on SIGHUP', async () => {
    lab.write(topology([a, b, c], ['priority=7,actions=normal']));
    process.kill(lab.pids.up, 'SIGHUP');
    await expect
      .poll(async () => (await lab.tapflow('flows', 'br0')).stdout, { timeout: 5000 })
      .toContain('priority=7');
  });

  it('is reached by stock ovs-appctl', async () => {
    const appctl = (...args: string[]) =>
      new Promise<string>((resolve) => {
        const env = { ...process.env, OVS_RUNDIR: lab.state };
        execFile('ovs-appctl', args, { env }, (_, stdout, stderr) => resolve(stdout + stderr));
      });
    expect(await appctl('fdb/show', 'br0')).toMatch(/^ port {2}VLAN {2}MAC {16}Age\n/);
    expect(await appctl('ofproto/trace', 'br0', 'in_port=1')).toContain('Datapath actions:');
    expect(await appctl('bridge/dump-flows', 'br0')).toContain(',actions=NORMAL\n');
  });
});
