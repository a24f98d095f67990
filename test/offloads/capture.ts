/**
 * Frames with their virtio-net headers, into and out of a lab's interfaces
 * (frames.py), and super-frames to send: what a kernel's stack would hand over,
 * of any kind and with any tags.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { checksum, fold, pseudoSum4, pseudoSum6 } from '../../src/wire/checksum.ts';
import { buildFrame, type FrameRecord } from '../../src/wire/frame.ts';
import * as ipv6 from '../../src/wire/ipv6.ts';
import { PROTO_TCP, PROTO_UDP } from '../../src/wire/proto.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';
import * as vnet from '../../src/wire/vnet.ts';
import { eventually } from '../system/lab.ts';
import type { OffloadLab } from './offload-lab.ts';

export const SOURCE = '02:0f:f1:0a:d0:01';

/** The tag that the kernel took off is back in `frame`; offsets count it. */
export interface Captured {
  needsChecksum: boolean;
  gsoType: number;
  gsoSize: number;
  csumStart: number;
  csumOffset: number;
  /** In hex. */
  frame: string;
}

export interface Capture {
  /** The frames from SOURCE since the last call, when there are `count`; more are waited for a little. */
  take(count: number): Promise<Captured[]>;
  stop(): void;
}

export async function capture(lab: OffloadLab, ns: string): Promise<Capture> {
  const script = new URL('frames.py', import.meta.url).pathname;
  const source = SOURCE.replaceAll(':', '');
  const args = [script, 'receive', lab.iface(ns), source];
  const child = await lab.serve(ns, 'python3', ...args);
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += String(chunk);
  });
  const lines = () => said.split('\n').slice(0, -1).filter(Boolean);
  return {
    async take(count) {
      await eventually(`${count} frames in ${ns}`, () => lines().length >= count, 3000);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const taken = lines().map(parse);
      said = '';
      return taken;
    },
    stop: () => child.kill(),
  };
}

/** Sends virtio-net headers with frames from a namespace's interface. */
export async function send(lab: OffloadLab, ns: string, frames: Uint8Array[]): Promise<void> {
  const file = path.join(lab.state, 'frames');
  writeFileSync(file, frames.map((frame) => `${Buffer.from(frame).toString('hex')}\n`).join(''));
  const script = new URL('frames.py', import.meta.url).pathname;
  const { code, stderr } = await lab.inside(ns, 'python3', script, 'send', lab.iface(ns), file);
  if (code !== 0) throw new Error(stderr);
}

/** A virtio-net header and the record's frame, its checksum partial, in segments of `gsoSize`. */
export function superFrame(record: FrameRecord, gsoSize: number): Uint8Array {
  const frame = buildFrame({ ...record, eth: { src: SOURCE, ...record.eth } });
  const l3 = 14 + 4 * (record.vlans?.length ?? 0);
  const l4 = l3 + (record.ipv6 ? ipv6.SIZE : 20);
  const check = record.udp ? udp.CHECK : tcp.CHECK;
  const proto = record.udp ? PROTO_UDP : PROTO_TCP;
  const pseudo = (record.ipv6 ? pseudoSum6 : pseudoSum4)(frame, l3, proto, frame.length - l4);
  new DataView(frame.buffer).setUint16(l4 + check, fold(pseudo));
  const bytes = new Uint8Array(10 + frame.length);
  bytes.set(frame, 10);
  const headers = l4 + (record.udp ? udp.SIZE : tcp.SIZE + (record.tcp?.options?.length ?? 0));
  vnet.emit(bytes, 0, {
    flags: vnet.F_NEEDS_CSUM,
    gsoType: gsoTypeOf(record),
    hdrLen: headers,
    gsoSize,
    csumStart: l4,
    csumOffset: check,
  });
  return bytes;
}

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(10)).toString('hex');

/** The frame as it would be on a wire. */
export function withFullChecksum({
  frame,
  needsChecksum,
  csumStart,
  csumOffset,
}: Captured): string {
  if (!needsChecksum) return frame;
  const bytes = Buffer.from(frame, 'hex');
  const check = checksum(bytes, csumStart, bytes.length);
  bytes.writeUInt16BE(
    csumOffset === udp.CHECK ? udp.nonZero(check) : check,
    csumStart + csumOffset,
  );
  return bytes.toString('hex');
}

export function gsoTypeOf(record: FrameRecord): number {
  if (record.udp) return vnet.GSO_UDP_L4;
  return record.ipv6 ? vnet.GSO_TCPV6 : vnet.GSO_TCPV4;
}

function parse(line: string): Captured {
  const [header, tag, frame] = line.split(' ');
  const bytes = Buffer.from(header, 'hex');
  const hasTag = tag !== '-';
  return {
    needsChecksum: (vnet.flags(bytes, 0) & vnet.F_NEEDS_CSUM) !== 0,
    gsoType: vnet.gsoType(bytes, 0),
    gsoSize: vnet.gsoSize(bytes, 0),
    csumStart: vnet.csumStart(bytes, 0) + (hasTag ? 4 : 0),
    csumOffset: vnet.csumOffset(bytes, 0),
    frame: hasTag ? frame.slice(0, 24) + tag + frame.slice(24) : frame,
  };
}
