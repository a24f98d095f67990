/**
 * The packets of a burst, as the actions change them: where a frame's bytes
 * are, and copy-on-write of its headers. Worker-local.
 *
 *   received:    [vnet|headers|payload............]   at, size; bodySize 0
 *   queued to port 2, then about to change:
 *                [vnet|headers|payload............]   the write of port 2 refers to it
 *                               ^ bodyAt, bodySize
 *   fresh slot:  [vnet|headers|p]                     at, size
 *
 * Invariant: the first segment holds every header, that is COPY_SIZE bytes of
 * the frame, or up to L4_HEADER_MAX bytes past the start of L4, or all of it.
 * A frame never has more than two segments.
 */

import {
  ETH_TYPE_SHIFT,
  FRAG_MASK,
  KEY_WORDS,
  NW_PROTO_SHIFT,
  PROTO,
  SHAPE,
} from '../../flow/key.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { type Arena, type Burst, type Slots, VNET_SIZE } from '../burst.ts';

export class Packets {
  readonly bytes: Uint8Array;
  /** The same bytes; big-endian words cost a third of what composed bytes do (flow/extract.ts). */
  readonly view: DataView;
  readonly burst: Burst;
  readonly slots: Slots;

  constructor(arena: Arena, burst: Burst, slots: Slots) {
    this.bytes = arena.bytes;
    this.view = arena.view;
    this.burst = burst;
    this.slots = slots;
  }

  /** Arena offset of packet i's Ethernet header. */
  ethernet(i: number): number {
    return this.burst.at[i] + VNET_SIZE;
  }

  /** Bytes of packet i from its Ethernet header on. */
  frameSize(i: number): number {
    return this.burst.size[i] + this.burst.bodySize[i] - VNET_SIZE;
  }

  /** From the key: actions never change what these say. */
  ethType(i: number): number {
    return this.burst.keys[i * KEY_WORDS + PROTO] >>> ETH_TYPE_SHIFT;
  }
  nwProto(i: number): number {
    return (this.burst.keys[i * KEY_WORDS + PROTO] >>> NW_PROTO_SHIFT) & 0xff;
  }
  isFragment(i: number): boolean {
    return (this.burst.keys[i * KEY_WORDS + SHAPE] & FRAG_MASK) !== 0;
  }

  /** Bytes of packet i's IP packet; Ethernet's padding may follow it. */
  ipSize(i: number): number {
    const o = this.ethernet(i) + this.burst.l3[i];
    if (this.ethType(i) === ethernet.TYPE_IPV4) return ipv4.totalLength(this.bytes, o);
    return ipv6.SIZE + ipv6.payloadLength(this.bytes, o);
  }

  /** From now on somebody reads the packet's present header bytes. */
  share(i: number): void {
    if (this.burst.queued[i] < MAX_QUEUED) this.burst.queued[i]++;
  }

  /**
   * Makes the first `need` bytes of the frame, which are not more than it has,
   * this packet's own to write.
   *
   * @returns false when no slot is free
   */
  own(i: number, need: number): boolean {
    const { burst } = this;
    if (burst.queued[i] === 0 && VNET_SIZE + need <= burst.size[i]) return true;
    return this.copyHeaders(i, need);
  }

  /** Makes the network and transport headers this packet's own to write. */
  ownHeaders(i: number): boolean {
    // The invariant above: they are in the first segment, if they are there.
    return this.own(i, ethernet.SIZE);
  }

  /** The slow half of `own`: moves the headers to a fresh slot. */
  copyHeaders(i: number, need: number): boolean {
    const to = this.slots.take();
    if (to < 0) return false;
    const { burst, bytes } = this;
    const at = burst.at[i];
    const size = burst.size[i];
    const copied = this.copySize(i, need);
    const inHead = Math.min(copied, size);
    bytes.copyWithin(to, at, at + inHead);
    if (copied > size) {
      const fromBody = copied - size;
      bytes.copyWithin(to + size, burst.bodyAt[i], burst.bodyAt[i] + fromBody);
      burst.bodyAt[i] += fromBody;
      burst.bodySize[i] -= fromBody;
    } else if (copied < size) {
      burst.bodyAt[i] = at + copied;
      burst.bodySize[i] = size - copied;
    }
    burst.at[i] = to;
    burst.size[i] = copied;
    burst.queued[i] = 0;
    return true;
  }

  /** Bytes of packet i, virtio-net header included, that a copy of its headers takes. */
  copySize(i: number, need: number): number {
    const { burst } = this;
    const l4 = burst.l4[i];
    const headers = Math.max(VNET_SIZE + need, l4 > 0 ? VNET_SIZE + l4 + L4_HEADER_MAX : 0);
    // A first segment that has a body already is copied whole: a third segment cannot be.
    const least = burst.bodySize[i] > 0 ? burst.size[i] : COPY_SIZE;
    return Math.min(Math.max(headers, least), burst.size[i] + burst.bodySize[i]);
  }
}

/** What `queued` counts to; beyond it there is no telling, nor need to. */
export const MAX_QUEUED = 0xff;
/** Copied at least, if the frame has so much (design.md, "Actions"). */
const COPY_SIZE = 256;
/** The largest TCP header. */
const L4_HEADER_MAX = 60;
