/**
 * Testing flows like any other code: the firewall of firewall.yaml on dummy
 * ports, without root. Copy it next to your own flows and run it with vitest.
 */
import { buildFrame, createSwitch, type TapflowSwitch } from 'tapflow';
import { afterEach, beforeEach, expect, test } from 'vitest';

const client = { mac: '02:00:00:00:00:01', ip: '10.0.0.1' };
const server = { mac: '02:00:00:00:00:02', ip: '10.0.0.2' };

let sw: TapflowSwitch;
let received: string[];

beforeEach(async () => {
  sw = await createSwitch({
    config: {
      bridges: [
        {
          name: 'br0',
          fail_mode: 'secure',
          ports: [
            { name: 'client', type: 'dummy', ofport_request: 1 },
            { name: 'server', type: 'dummy', ofport_request: 2 },
          ],
          flows: [
            'table=0,priority=10,arp,actions=normal',
            'table=0,priority=10,icmp,actions=normal',
            'table=0,priority=10,in_port=1,tcp,tp_dst=80,actions=normal',
            'table=0,priority=10,in_port=2,tcp,tp_src=80,actions=normal',
          ],
        },
      ],
    },
  });
  received = [];
  sw.on('transmit', (port) => received.push(port));
});

afterEach(() => sw.close());

const fromClient = (tcp: { srcPort?: number; dstPort: number }) =>
  buildFrame({
    eth: { src: client.mac, dst: server.mac },
    ipv4: { src: client.ip, dst: server.ip },
    tcp,
  });

test('the client reaches the web server', () => {
  sw.inject('client', fromClient({ dstPort: 80 }));
  expect(received).toEqual(['server']);
});

test('the client does not reach ssh', async () => {
  sw.inject('client', fromClient({ dstPort: 22 }));
  expect(received).toEqual([]);
  expect((await sw.stats()).ports.client).toMatchObject({ rxPackets: 1 });
});

test('the server answers, but opens no connection of its own', () => {
  const answer = { srcPort: 80, dstPort: 40000 };
  const opening = { srcPort: 40000, dstPort: 80 };
  for (const tcp of [answer, opening]) {
    const frame = buildFrame({
      eth: { src: server.mac, dst: client.mac },
      ipv4: { src: server.ip, dst: client.ip },
      tcp,
    });
    sw.inject('server', frame);
  }
  expect(received).toEqual(['client']);
});

test('a thousand packets cost one trip to the slow path', async () => {
  for (let n = 0; n < 1000; n++)
    sw.inject('client', fromClient({ srcPort: 1000 + n, dstPort: 80 }));
  const [caches] = (await sw.stats()).caches;
  expect(caches.misses).toBe(1);
  expect(await sw.bridge('br0').flows('in_port=1,tcp')).toMatchObject([{ packets: 1000 }]);
});
