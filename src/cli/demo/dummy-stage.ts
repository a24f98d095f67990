/**
 * The demo's stage where TAP ports or namespaces are refused: dummy ports. The
 * frames are made here and handed to the switch over its control socket
 * (netdev-dummy/receive); whether they came out is read off the ports' counters.
 * What forwards them is the same code, without devices.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildFrame, type FrameRecord } from '../../wire/frame.ts';
import { request } from '../control.ts';
import { startSwitch } from '../up/start-switch.ts';
import { type Actor, addressOf, CAST, type Exchange, SERVICE_PORT, type Stage } from './stage.ts';
import { topology } from './topology.ts';

export async function openDummyStage(): Promise<Stage> {
  const state = mkdtempSync(path.join(tmpdir(), `tapflow-demo-${process.pid}-`));
  const file = path.join(state, 'demo.yaml');
  writeFileSync(file, topology());
  const remove = () => rmSync(state, { recursive: true, force: true });
  const running = await startSwitch({ file, state, simulated: true }).catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    setting: 'three dummy ports of a simulated datapath, frames made by the demo',
    timed: false,
    state,
    ping: (from, to, count) =>
      exchange(state, from, to, count, (reply) => ({ icmp: { type: reply ? 0 : 8 } })),
    udp: (from, to, count) =>
      exchange(state, from, to, count, (reply) => ({ udp: udpPorts(reply) })),
    tcp: (from, to) => tcp(state, from, to),
    async close() {
      running.stop();
      await running.exited;
      remove();
    },
  };
}

/** An answer is sent for each question that came out, and counted if it comes out in turn. */
async function exchange(
  state: string,
  from: Actor,
  to: Actor,
  count: number,
  record: (reply: boolean) => FrameRecord,
): Promise<Exchange> {
  const arrived = await send(state, from, to, count, record(false));
  const answered = await send(state, to, from, arrived, record(true));
  return { asked: count, answered };
}

async function tcp(state: string, from: Actor, to: Actor) {
  const payload = 1400;
  const startedAt = performance.now();
  const frames = await send(state, from, to, 200, { tcp: { dstPort: SERVICE_PORT }, payload });
  return { bytes: frames * payload, seconds: (performance.now() - startedAt) / 1000 };
}

/** @returns how many frames came out at `to` */
async function send(
  state: string,
  from: Actor,
  to: Actor,
  count: number,
  record: FrameRecord,
): Promise<number> {
  const frame = buildFrame({
    eth: { src: macOf(from), dst: macOf(to) },
    ipv4: { src: addressOf(from), dst: addressOf(to) },
    minSize: 60,
    ...record,
  });
  const hex = Buffer.from(frame).toString('hex');
  const before = await sentTo(state, to);
  for (let n = 0; n < count; n++) await request(state, 'netdev-dummy/receive', [from, hex]);
  return (await sentTo(state, to)) - before;
}

async function sentTo(state: string, actor: Actor): Promise<number> {
  const ports = JSON.parse(await request(state, 'ports', ['--json'])) as {
    port: string;
    tx_packets: number;
  }[];
  return ports.find(({ port }) => port === actor)?.tx_packets ?? 0;
}

const macOf = (actor: Actor): string =>
  `02:00:00:00:00:0${CAST.findIndex(({ name }) => name === actor) + 1}`;

const udpPorts = (reply: boolean) =>
  reply ? { srcPort: SERVICE_PORT, dstPort: 40000 } : { srcPort: 40000, dstPort: SERVICE_PORT };
