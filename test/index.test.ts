import { afterEach, describe, expect, it } from 'vitest';
import { buildFrame, createSwitch, type TapflowSwitch, type Topology } from '../src/index.ts';

const CONFIG: Topology = {
  bridges: [
    {
      name: 'br0',
      other_config: { 'mac-aging-time': 60 },
      ports: [
        { name: 'p1', type: 'dummy' },
        { name: 'p2', type: 'dummy' },
        { name: 'p3', type: 'dummy', tag: 5 },
      ],
    },
  ],
};
const [a, b] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const frame = (src: string, dst: string) => buildFrame({ eth: { src, dst }, udp: {}, minSize: 60 });

let sw: TapflowSwitch;
afterEach(() => sw.close());

async function start(config: Topology | string = CONFIG): Promise<string[]> {
  sw = await createSwitch({ config });
  const received: string[] = [];
  sw.on('transmit', (port, sent) => received.push(`${port} ${sent.length}`));
  return received;
}

describe('the library', () => {
  it('forwards like any switch, at once and on one thread', async () => {
    const received = await start();
    sw.inject('p1', frame(a, b));
    expect(received).toEqual(['p2 60']);
  });

  it('takes the text of a topology file as well', async () => {
    await start('bridges: [{ name: br0, ports: [{ name: p1, type: dummy }] }]');
    expect(sw.ports()).toEqual([{ bridge: 'br0', name: 'p1', ofport: 1 }]);
  });

  it('counts in ports, caches and flows what it forwarded', async () => {
    await start();
    for (let n = 0; n < 10; n++) sw.inject('p1', frame(a, b));
    const { ports, caches, megaflows } = await sw.stats();
    expect(ports.p1).toMatchObject({ rxPackets: 10, rxBytes: 600, txPackets: 0, drops: {} });
    expect(ports.p2).toMatchObject({ txPackets: 10 });
    expect(caches[0]).toMatchObject({ packets: 10, misses: 1 });
    expect(megaflows).toBe(1);
    expect(await sw.bridge('br0').flows()).toMatchObject([{ packets: 10, bytes: 600 }]);
  });

  it('forgets addresses when its clock is moved', async () => {
    await start();
    sw.inject('p1', frame(a, b));
    expect(sw.bridge('br0').macs()).toMatchObject([{ mac: a, ofport: 1, vlan: 0 }]);
    await sw.advance(70_000);
    expect(sw.bridge('br0').macs()).toEqual([]);
  });

  it('ends flows at their timeouts', async () => {
    await start();
    sw.bridge('br0').addFlow('priority=9,hard_timeout=5,udp,actions=drop');
    await sw.advance(4000);
    expect(await sw.bridge('br0').flows('udp')).toHaveLength(1);
    await sw.advance(2000);
    expect(await sw.bridge('br0').flows('udp')).toHaveLength(0);
  });

  it('hands packets to the program and takes its own', async () => {
    const received = await start();
    const bridge = sw.bridge('br0');
    bridge.addFlow('priority=9,in_port=2,actions=controller');
    const packets: unknown[] = [];
    sw.on('packet-in', (packet) => packets.push(packet));
    sw.inject('p2', frame(b, a));
    expect(packets).toMatchObject([{ bridge: 'br0', inPort: 2, reason: 'action', totalSize: 60 }]);
    bridge.packetOut(frame(a, b), 'output:1,output:3');
    expect(received).toEqual(['p1 60', 'p3 60']);
  });

  it('goes over to another configuration without touching what stays', async () => {
    await start();
    sw.inject('p1', frame(a, b));
    const [br0] = CONFIG.bridges;
    const { changes } = await sw.apply({ bridges: [{ ...br0, ports: br0.ports?.slice(0, 2) }] });
    expect(changes).toEqual(['port p3 removed from bridge br0']);
    expect((await sw.stats()).ports.p1.rxPackets).toBe(1);
  });

  it('explains what it would do', async () => {
    await start();
    expect(sw.bridge('br0').trace('in_port=1')).toContain('Datapath actions: 2');
  });

  it('throws coded errors that name the thing', async () => {
    await start();
    expect(() => sw.inject('nope', frame(a, b))).toThrow(
      'there is no open port "nope"; there is: p1, p2, p3',
    );
    expect(() => sw.bridge('nope')).toThrow('there is no bridge "nope"; there is: br0');
    expect(() => sw.bridge('br0').addFlow('nonsense')).toThrow('nonsense');
    await expect(sw.apply('bridges: [{}]')).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    const tap = { bridges: [{ name: 'br0', ports: [{ name: 't', type: 'tap' as const }] }] };
    await expect(createSwitch({ config: tap })).rejects.toThrow(/^t: .*simulated/);
  });
});
