/**
 * A learning switch as a program: no NORMAL action, every decision is made
 * here, from packets that the flow `actions=controller` sends up. Once it knows
 * where both ends of a conversation live it adds a flow for it, and packets of
 * that conversation come up no more.
 *
 *   node examples/learning-controller.ts      (Node 23.6 or later)
 */
import { pathToFileURL } from 'node:url';
import { buildFrame, createSwitch, type PacketIn, type TapflowSwitch } from 'tapflow';

const BRIDGE = 'br0';

/** Makes the bridge learn. @returns the table of addresses it fills: Ethernet address to OpenFlow port */
export function learn(sw: TapflowSwitch): Map<string, number> {
  const places = new Map<string, number>();
  const bridge = sw.bridge(BRIDGE);
  bridge.addFlow('priority=0,actions=controller');
  sw.on('packet-in', ({ frame, inPort }: PacketIn) => {
    const to = macText(frame.subarray(0, 6));
    const from = macText(frame.subarray(6, 12));
    const before = places.get(from);
    places.set(from, inPort);
    // It has moved: what was decided about its old place is wrong now.
    if (before !== undefined && before !== inPort) bridge.delFlows(`dl_dst=${from}`);
    const place = places.get(to);
    if (place !== undefined) {
      const match = `in_port=${inPort},dl_src=${from},dl_dst=${to}`;
      bridge.addFlow(`priority=10,${match},idle_timeout=60,actions=output:${place}`);
    }
    bridge.packetOut(frame, place === undefined ? 'flood' : `output:${place}`, inPort);
  });
  return places;
}

const macText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');

/** Three hosts, a question to everybody and its answer. */
export async function play(print: (line: string) => void): Promise<void> {
  const ports = ['p1', 'p2', 'p3'].map((name) => ({ name, type: 'dummy' as const }));
  const sw = await createSwitch({
    config: { bridges: [{ name: BRIDGE, fail_mode: 'secure', ports }] },
  });
  const places = learn(sw);
  sw.on('transmit', (port, frame) => print(`  ${port} receives ${frame.length} bytes`));
  const [a, b] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];

  print('p1 asks everybody');
  sw.inject('p1', buildFrame({ eth: { src: a, dst: 'ff:ff:ff:ff:ff:ff' }, arp: {} }));
  print('p2 answers p1');
  sw.inject('p2', buildFrame({ eth: { src: b, dst: a }, arp: {} }));
  print(`learned: ${[...places].map(([mac, port]) => `${mac} on port ${port}`).join(', ')}`);
  await sw.close();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await play(console.log);
