/**
 * What the kernel does differently on packet sockets: it leaves a CRC to be
 * filled in, as no TAP does, and refuses frames that our own look at the MTU
 * lets pass. The frames come from raw sockets, so this needs no SCTP in the
 * kernel: what one would leave to do is in the virtio-net header.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildFrame, type FrameRecord } from '../../src/wire/frame.ts';
import * as sctp from '../../src/wire/sctp.ts';
import * as vnet from '../../src/wire/vnet.ts';
import { describeSystem } from '../system/requirements.ts';
import { type Capture, capture, hexOf, SOURCE, send } from './capture.ts';
import { OffloadLab } from './offload-lab.ts';

const lab = new OffloadLab();
let tap: Capture;
let socket: Capture;

const FULL = 1500;
const topology = `
bridges:
  - name: br0
    fail_mode: secure
    ports:
      - { name: ${lab.iface('a')}, type: tap, netns: ${lab.ns('a')}, ofport_request: 1, mtu_request: ${FULL + 8} }
      - { name: ${lab.iface('v')}, type: system, ofport_request: 2 }
      - { name: ${lab.iface('w')}, type: system, ofport_request: 3 }
    flows: ["in_port=1,actions=output:2", "in_port=2,actions=output:1,output:3"]
`;

const TAG = { vid: 10 };
const OUTER = { tpid: 0x88a8, vid: 20 };

const packetOf = (record: FrameRecord, header: Parameters<typeof vnet.emit>[2] = {}) => {
  const frame = buildFrame({ ...record, eth: { src: SOURCE, dst: '02:0f:f1:0a:d0:02' } });
  const bytes = new Uint8Array(10 + frame.length);
  vnet.emit(bytes, 0, header);
  bytes.set(frame, 10);
  return bytes;
};

describeSystem('a packet socket', () => {
  beforeAll(async () => {
    await lab.make('a', 'v', 'w');
    await lab.veth('v', 'v', 'v');
    await lab.veth('w', 'w', 'w');
    await lab.up(topology, '--workers', '1');
    tap = await capture(lab, 'a');
    socket = await capture(lab, 'w');
  });
  afterAll(async () => {
    tap?.stop();
    socket?.stop();
    await lab.close();
  });

  it.each<[string, FrameRecord]>([
    ['over IPv4', { ipv4: {}, sctp: {}, payload: 1001 }],
    ['over IPv6 in a VLAN', { vlans: [TAG], ipv6: {}, sctp: {}, payload: 700 }],
  ])('has the CRC that SCTP %s left to it made', async (_name, record) => {
    const l4 = 14 + 4 * (record.vlans?.length ?? 0) + (record.ipv6 ? 40 : 20);
    const whole = packetOf(record);
    const partial = packetOf(record, {
      flags: vnet.F_NEEDS_CSUM,
      csumStart: l4,
      csumOffset: sctp.CHECK,
    });
    partial.fill(0, 10 + l4 + sctp.CHECK, 10 + l4 + sctp.SIZE);
    await send(lab, 'v', [partial]);
    for (const at of [tap, socket]) {
      const [seen] = await at.take(1);
      expect(seen).toMatchObject({ frame: hexOf(whole), needsChecksum: false });
    }
  });

  it('counts frames that it refuses for their tags as larger than the MTU', async () => {
    const frames = [[OUTER, TAG], [OUTER], [TAG]].map((vlans) =>
      packetOf({ vlans, ipv4: {}, udp: {}, payload: FULL - 28 }),
    );
    await send(lab, 'a', frames);
    const drops = async () => {
      const ports = await lab.json<{ port: string; drops: Record<string, number> }[]>('ports');
      return ports.find(({ port }) => port === lab.iface('v'))?.drops;
    };
    await expect.poll(drops, { timeout: 3000 }).toEqual({ mtu: 2 });
  });
});
