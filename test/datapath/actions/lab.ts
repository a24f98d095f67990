/**
 * A worker's surroundings for action tests: an arena, slots, a transmit queue
 * and ports that record what happens, and packets put in as if received.
 */

import { Executor } from '../../../src/datapath/actions/executor.ts';
import {
  BURST_MAX,
  Burst,
  SLOT_CAPACITY,
  SLOT_HEADROOM,
  VNET_SIZE,
} from '../../../src/datapath/burst.ts';
import { ActionList } from '../../../src/dpif/actions.ts';
import { Extractor } from '../../../src/flow/extract.ts';
import { KEY_WORDS } from '../../../src/flow/key.ts';
import type { OraclePort, Outcome } from './copy-oracle.ts';

const STRIDE = (SLOT_HEADROOM + SLOT_CAPACITY + 63) & -64;
export const IN_PORT = 7;

interface Write {
  port: number;
  at: number;
  size: number;
  at2: number;
  size2: number;
}

export class Lab {
  readonly bytes: Uint8Array;
  readonly burst: Burst = new Burst();
  readonly executor: Executor;
  readonly ports: Map<number, OraclePort>;
  /** What was queued, as the kernel would be told. */
  writes: Write[] = [];
  drops: string[] = [];
  parked: Outcome['parked'] = [];
  slotsTaken = 0;
  #parkedAt: { i: number; at: number; size: number; bodyAt: number; bodySize: number }[] = [];
  readonly #slots: number;
  readonly #extractor: Extractor;

  constructor(slots: number, ports: ReadonlyMap<number, OraclePort>) {
    this.bytes = new Uint8Array(slots * STRIDE);
    this.ports = new Map(ports);
    this.#slots = slots;
    this.#extractor = new Extractor(this.bytes);
    const { buffer } = this.bytes;
    const arena = {
      bytes: this.bytes,
      view: new DataView(buffer),
      words: new Int32Array(buffer),
    };
    this.executor = new Executor(
      arena,
      this.burst,
      { take: () => this.#take() },
      { push: (port, at, size, at2, size2) => this.#push(port, at, size, at2, size2) },
      {
        offloads: (port) => this.ports.get(port)?.offloads ?? -1,
        mtu: (port) => this.ports.get(port)?.mtu ?? 0,
        drop: (port, reason) => this.drops.push(`${port} ${reason}`),
      },
      {
        userspace: (burst, i, reason, cookie, maxSize, isLast) => {
          const [at, size] = [burst.at[i], burst.size[i]];
          this.#parkedAt.push({
            i,
            at,
            size,
            bodyAt: burst.bodyAt[i],
            bodySize: burst.bodySize[i],
          });
          this.parked.push({ reason, cookie, maxSize, isLast, bytes: new Uint8Array() });
        },
      },
    );
  }

  /** Forgets the last turn. */
  reset(): void {
    this.writes = [];
    this.drops = [];
    this.parked = [];
    this.#parkedAt = [];
    this.slotsTaken = 0;
  }

  /** Puts packet i into a slot, extracts its key. @param bytes virtio-net header and frame */
  receive(i: number, bytes: Uint8Array): void {
    const at = this.#take();
    this.bytes.set(bytes, at);
    const { burst } = this;
    burst.at[i] = at;
    burst.size[i] = bytes.length;
    burst.bodyAt[i] = 0;
    burst.bodySize[i] = 0;
    burst.inPort[i] = IN_PORT;
    burst.queued[i] = 0;
    const frame = at + VNET_SIZE;
    const size = bytes.length - VNET_SIZE;
    this.#extractor.extract(frame, size, IN_PORT, burst.keys, i * KEY_WORDS);
    burst.l3[i] = this.#extractor.l3;
    burst.l4[i] = this.#extractor.l4;
  }

  /** Packet i's bytes now. */
  contents(i: number): Uint8Array {
    const { at, size, bodyAt, bodySize } = this.burst;
    return this.#joined(at[i], size[i], bodyAt[i], bodySize[i]);
  }

  /** Executes on packets 0 to n - 1. The list stands in the middle of the words, as in a flow table. */
  execute(list: Int32Array, n: number): void {
    const words = new Int32Array(list.length + 7).fill(-1);
    words.set(list, 3);
    const run = Int32Array.from({ length: BURST_MAX }, (_, i) => i);
    this.executor.execute(words, 3, 3 + list.length, run, n);
  }

  /** Everything that came of the turn, read only now: as the flush does. */
  outcome(): Outcome {
    const sent = this.writes.map(({ port, at, size, at2, size2 }) => ({
      port,
      bytes: this.#joined(at, size, at2, size2),
    }));
    const parked = this.parked.map((upcall, n) => {
      const { at, size, bodyAt, bodySize } = this.#parkedAt[n];
      return { ...upcall, bytes: this.#joined(at, size, bodyAt, bodySize) };
    });
    return { sent, parked, drops: this.drops };
  }

  #joined(at: number, size: number, at2: number, size2: number): Uint8Array {
    const bytes = new Uint8Array(size + size2);
    bytes.set(this.bytes.subarray(at, at + size));
    bytes.set(this.bytes.subarray(at2, at2 + size2), size);
    return bytes;
  }

  #take(): number {
    if (this.slotsTaken === this.#slots) return -1;
    return this.slotsTaken++ * STRIDE + SLOT_HEADROOM;
  }

  #push(port: number, at: number, size: number, at2: number, size2: number): void {
    this.writes.push({ port, at, size, at2, size2 });
  }
}

/** One action list from actions as tuples. */
export function listOf(...actions: readonly (readonly [number, ...number[]])[]): Int32Array {
  const list = new ActionList();
  for (const [code, ...args] of actions) list.push(code, ...args);
  return list.toArray();
}

export interface Offload {
  /** Leaves the checksum of the frame's L4 header, which is at l4, to be summed. */
  partial?: { start: number; offset: number };
  gsoType?: number;
  gsoSize?: number;
  hdrLen?: number;
}

/** A packet from a frame: its virtio-net header put before it. Checksums are not touched. */
export function packetOf(frame: Uint8Array, offload: Offload = {}): Uint8Array {
  const packet = new Uint8Array(VNET_SIZE + frame.length);
  const view = new DataView(packet.buffer);
  packet[0] = offload.partial ? 1 : 0;
  packet[1] = offload.gsoType ?? 0;
  view.setUint16(2, offload.hdrLen ?? 0, true);
  view.setUint16(4, offload.gsoSize ?? 0, true);
  view.setUint16(6, offload.partial?.start ?? 0, true);
  view.setUint16(8, offload.partial?.offset ?? 0, true);
  packet.set(frame, VNET_SIZE);
  return packet;
}
