/**
 * A burst: the packets a worker has in hand, as a struct of arrays indexed by
 * packet number. Worker-local; nothing here is shared or ever reallocated.
 *
 * A packet's bytes stand in the worker's frame arena: 10 bytes of virtio-net
 * header at `at`, directly followed by the Ethernet frame; `size` counts both.
 * After copy-on-write of its header it has two segments: [at, at + size) and
 * [bodyAt, bodyAt + bodySize).
 */
import { KEY_WORDS } from '../flow/key.ts';

/** The virtio-net header before each frame, bytes. */
export const VNET_SIZE = 10;
/** Receive burst, plus as many re-injected and answered frames. */
export const BURST_MAX = 512;

export class Burst {
  at: Int32Array = new Int32Array(BURST_MAX);
  size: Int32Array = new Int32Array(BURST_MAX);
  bodyAt: Int32Array = new Int32Array(BURST_MAX);
  bodySize: Int32Array = new Int32Array(BURST_MAX);
  /** Byte offset from the Ethernet header to the network header (after VLAN tags and MPLS); 0 if none. */
  l3: Int32Array = new Int32Array(BURST_MAX);
  /** Byte offset from the Ethernet header to the transport header; 0 if none, or in a later fragment. */
  l4: Int32Array = new Int32Array(BURST_MAX);
  inPort: Int32Array = new Int32Array(BURST_MAX);
  /** Writes queued that refer to this packet's current header bytes. */
  queued: Uint8Array = new Uint8Array(BURST_MAX);
  /** Packet i's key starts at word i * KEY_WORDS. */
  keys: Int32Array = new Int32Array(BURST_MAX * KEY_WORDS);
}

/** The worker's frames: one buffer, several views. */
export interface Arena {
  bytes: Uint8Array;
  view: DataView;
  words: Int32Array;
}

/**
 * Free slots of the arena, worker-local. A slot holds a super-frame with
 * SLOT_HEADROOM bytes before its virtio-net header.
 */
export interface Slots {
  /** @returns byte offset where a virtio-net header goes (so that Ethernet's end is 4-byte aligned), or -1 when none is free. It returns to the free list by itself after the turn that flushes it. */
  take(): number;
}
/** Bytes before a freshly received frame's virtio-net header. */
export const SLOT_HEADROOM = 232;
/** Bytes of a slot from its virtio-net header on: a super-frame and its tags. */
export const SLOT_CAPACITY = 65536 + 512;

/** Frames to be sent at the next native call. */
export interface TxQueue {
  /** Queues one or two segments (size2 0: one). When full, it counts a drop and returns. Allocation-free. */
  push(port: number, at: number, size: number, at2: number, size2: number): void;
}

/** What the datapath knows of an output port, read by workers. */
export interface PortTable {
  /** OFFLOAD_* bits (native.ts) that the port takes; -1: no such port. */
  offloads(port: number): number;
  /** Bytes of the largest L3 packet. */
  mtu(port: number): number;
  /** Counts one dropped packet against a port, in this worker's row. */
  drop(port: number, reason: number): void;
}
