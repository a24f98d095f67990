/**
 * Segmentation in software, for ports that take no super-frames. Each segment
 * is a fresh copy of the headers, followed by a piece of the payload where it
 * stands:
 *
 *   super-frame  [vnet|headers|aaaaaaaabbbbbbbbccc]
 *   fresh slot   [vnet|headers][vnet|headers][vnet|headers]
 *   queued        1st + aaaaaaaa, 2nd + bbbbbbbb, 3rd + ccc
 *
 * One slot holds the headers of some hundred segments. Where a super-frame has
 * two segments itself, the payload piece across the seam is copied up to it.
 *
 * What each segment's headers say is Linux's: IP identification counts up, FIN
 * and PSH stay on the last, CWR on the first. It was checked by checkOffload.
 */
import { DROP_NO_BUFFER, DROP_NONE } from '../../dpif/drops.ts';
import { OFFLOAD_CSUM } from '../../native.ts';
import { updatePartial16 } from '../../wire/checksum.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { PROTO_TCP } from '../../wire/proto.ts';
import * as tcp from '../../wire/tcp.ts';
import * as udp from '../../wire/udp.ts';
import * as vnet from '../../wire/vnet.ts';
import { SLOT_CAPACITY, type TxQueue, VNET_SIZE } from '../burst.ts';
import { checkOffset } from './l4-check.ts';
import { headersSize, setFullCheck, sumOfTwo } from './offload.ts';
import type { Packets } from './packets.ts';

export class Segmenter {
  readonly #p: Packets;
  readonly #tx: TxQueue;
  /** Where the next copy of headers goes, and the end of its slot. */
  #next = 0;
  #end = 0;

  constructor(packets: Packets, tx: TxQueue) {
    this.#p = packets;
    this.#tx = tx;
  }

  /**
   * Queues packet i to `port` in segments; the packet stays as it is.
   * @returns DROP_NO_BUFFER when slots ran out; the segments made so far go out
   */
  send(i: number, port: number, offloads: number): number {
    const p = this.#p;
    const headers = headersSize(p, i);
    const end = p.frameSize(i);
    const step = vnet.gsoSize(p.bytes, p.burst.at[i]);
    this.#next = 0;
    this.#end = 0;
    p.share(i);
    for (let from = headers; from < end; from += step) {
      const to = Math.min(from + step, end);
      if (!this.#sendOne(i, port, offloads, headers, from, to)) return DROP_NO_BUFFER;
    }
    return DROP_NONE;
  }

  /** The segment with the payload [from, to), counted from the super-frame's Ethernet header. */
  #sendOne(
    i: number,
    port: number,
    offloads: number,
    headers: number,
    from: number,
    to: number,
  ): boolean {
    const { burst, bytes } = this.#p;
    const seam = burst.size[i] - VNET_SIZE;
    const copied = from < seam && to > seam ? seam - from : 0;
    const size = VNET_SIZE + headers + copied;
    const at = this.#room(size);
    if (at < 0) return false;
    const frame = this.#p.ethernet(i);
    bytes.copyWithin(at, burst.at[i], frame + headers);
    bytes.copyWithin(at + VNET_SIZE + headers, frame + from, frame + from + copied);
    const rest = from + copied;
    const payloadAt = rest < seam ? frame + rest : burst.bodyAt[i] + rest - seam;
    this.#fixHeaders(i, at + VNET_SIZE, headers, from, to);
    this.#fixChecksum(i, at, size, payloadAt, to - rest, offloads, to - from + headers);
    this.#tx.push(port, at, size, payloadAt, to - rest);
    return true;
  }

  /** @returns arena offset of `size` bytes for headers, or -1 */
  #room(size: number): number {
    if (this.#next + size > this.#end) {
      this.#next = this.#p.slots.take();
      if (this.#next < 0) return -1;
      this.#end = this.#next + SLOT_CAPACITY;
    }
    const at = this.#next;
    this.#next += (size + ALIGNMENT - 1) & -ALIGNMENT;
    return at;
  }

  /** All but checksums of L4. `frame` is the arena offset of the segment's Ethernet header. */
  #fixHeaders(i: number, frame: number, headers: number, from: number, to: number): void {
    const p = this.#p;
    const { bytes } = p;
    const ip = frame + p.burst.l3[i];
    const l4 = frame + p.burst.l4[i];
    const ipSize = headers - p.burst.l3[i] + to - from;
    const before = from - headers;
    if (p.ethType(i) === ethernet.TYPE_IPV4) {
      const index = before / vnet.gsoSize(bytes, p.burst.at[i]);
      ipv4.setTotalLength(bytes, ip, ipSize);
      ipv4.setId(bytes, ip, ipv4.id(bytes, ip) + index);
      ipv4.fillChecksum(bytes, ip);
    } else {
      ipv6.setPayloadLength(bytes, ip, ipSize - ipv6.SIZE);
    }
    if (p.nwProto(i) === PROTO_TCP) {
      const gone = (from > headers ? tcp.CWR : 0) | (to < p.frameSize(i) ? tcp.FIN | tcp.PSH : 0);
      tcp.setSeq(bytes, l4, tcp.seq(bytes, l4) + before);
      tcp.setFlags(bytes, l4, tcp.flags(bytes, l4) & ~gone);
    } else {
      udp.setLength(bytes, l4, headers - p.burst.l4[i] + to - from);
    }
  }

  /** The pseudo-header's length shrinks to the segment's; the rest is summed here or by the port. */
  #fixChecksum(
    i: number,
    at: number,
    size: number,
    payloadAt: number,
    payloadSize: number,
    offloads: number,
    frameSize: number,
  ): void {
    const p = this.#p;
    const l4 = p.burst.l4[i];
    const offset = checkOffset(p.nwProto(i));
    const l4At = at + VNET_SIZE + l4;
    const partial = p.view.getUint16(l4At + offset);
    const shrunk = updatePartial16(partial, p.frameSize(i) - l4, frameSize - l4);
    p.view.setUint16(l4At + offset, shrunk);
    vnet.clear(p.bytes, at);
    if ((offloads & OFFLOAD_CSUM) === 0) {
      const total = sumOfTwo(p.bytes, l4At, at + size, payloadAt, payloadAt + payloadSize);
      setFullCheck(p, l4At + offset, offset, total);
      return;
    }
    vnet.setFlags(p.bytes, at, vnet.F_NEEDS_CSUM);
    vnet.setCsumStart(p.bytes, at, l4);
    vnet.setCsumOffset(p.bytes, at, offset);
  }
}

/** Headers in one slot begin on cache lines of their own. */
const ALIGNMENT = 64;
