import { buildFrame, createSwitch, type TapflowSwitch } from 'tapflow';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { learn, play } from '../../examples/learning-controller.ts';

const [a, b] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const frame = (src: string, dst: string) => buildFrame({ eth: { src, dst }, udp: {} });

let sw: TapflowSwitch;
let places: Map<string, number>;
let received: string[];

beforeEach(async () => {
  const ports = ['p1', 'p2', 'p3'].map((name) => ({ name, type: 'dummy' as const }));
  sw = await createSwitch({
    config: { bridges: [{ name: 'br0', fail_mode: 'secure', ports }] },
  });
  received = [];
  sw.on('transmit', (port) => received.push(port));
  places = learn(sw);
});
afterEach(() => sw.close());

it('the learning controller floods what it does not know, and learns the sender', () => {
  sw.inject('p1', frame(a, b));
  expect(received).toEqual(['p2', 'p3']);
  expect([...places]).toEqual([[a, 1]]);
});

it('the learning controller hands a conversation to the switch once it knows both ends', async () => {
  sw.inject('p1', frame(a, b));
  sw.inject('p2', frame(b, a));
  sw.inject('p1', frame(a, b));
  await sw.revalidate();
  received.length = 0;
  let packetIns = 0;
  sw.on('packet-in', () => packetIns++);
  for (let n = 0; n < 10; n++) sw.inject('p1', frame(a, b));
  expect(received).toEqual(Array(10).fill('p2'));
  expect(packetIns).toBe(0);
});

it('the learning controller follows a host that moves', async () => {
  sw.inject('p1', frame(a, b));
  sw.inject('p2', frame(b, a));
  sw.inject('p3', frame(a, b));
  await sw.revalidate();
  received.length = 0;
  sw.inject('p2', frame(b, a));
  expect(received).toEqual(['p3']);
});

it('the learning controller tells its story', async () => {
  const lines: string[] = [];
  await play((line) => lines.push(line));
  expect(lines).toEqual([
    'p1 asks everybody',
    '  p2 receives 42 bytes',
    '  p3 receives 42 bytes',
    'p2 answers p1',
    '  p1 receives 42 bytes',
    `learned: ${a} on port 1, ${b} on port 2`,
  ]);
});
