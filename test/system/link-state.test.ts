/** Links that go down and come back under a running switch, on TAPs and on a system port. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OffloadLab } from '../offloads/offload-lab.ts';
import { eventually, run } from './lab.ts';
import { describeSystem } from './requirements.ts';

const lab = new OffloadLab();

const tap = (name: string, last: number): string => `
      - { name: ${lab.iface(name)}, type: tap, netns: ${lab.ns(name)}, addresses: [10.69.0.${last}/24] }`;

const linkState = async (name: string): Promise<string | undefined> => {
  const [{ ports }] = await lab.json<{ ports: { name: string; link_state: string }[] }[]>('show');
  return ports.find((port) => port.name === lab.iface(name))?.link_state;
};

const setLink = (ns: string, iface: string, state: 'up' | 'down'): Promise<unknown> =>
  run('ip', '-n', lab.ns(ns), 'link', 'set', lab.iface(iface), state);

describeSystem('a port whose link goes down', () => {
  beforeAll(async () => {
    await lab.make('a', 'b', 'v');
    await lab.veth('v', 'w', 'v', '10.69.0.3/24');
    await lab.up(`
bridges:
  - name: br0
    ports:${tap('a', 1)}${tap('b', 2)}
      - { name: ${lab.iface('v')} }
`);
  });
  afterAll(() => lab.close());

  it.each([
    ['tap', 'b', 'b', 'b', '10.69.0.2', '10.69.0.3'],
    ['far end of a system', 'v', 'v', 'w', '10.69.0.3', '10.69.0.2'],
    ['system', 'v', 'sw', 'v', '10.69.0.3', '10.69.0.2'],
  ])('as a %s port does no harm to others, and is used again when it is back', async (...row) => {
    const [, port, ns, iface, address, other] = row;
    await eventually('all answer', async () => (await lab.ping('a', address, 1)) === 1);
    await setLink(ns, iface, 'down');
    await eventually('it is down', async () => (await linkState(port)) === 'down');
    expect(await lab.ping('a', address, 2)).toBe(0);
    expect(await lab.ping('a', other, 10)).toBe(10);
    await setLink(ns, iface, 'up');
    await eventually('it is up', async () => (await linkState(port)) === 'up');
    await eventually('it answers', async () => (await lab.ping('a', address, 1)) === 1, 10_000);
  });
});
