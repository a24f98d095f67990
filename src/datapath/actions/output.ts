/**
 * OUTPUT: queues frames to a port. Where the port takes a frame as it is, that
 * is one look at its size and its virtio-net header; else what is to do is
 * decided in offload.ts and done there or in segment.ts.
 *
 * An output that fails concerns that output alone: the packet goes on.
 */
import { DROP_MTU, DROP_NO_BUFFER, DROP_NO_PORT, DROP_NONE } from '../../dpif/drops.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as vnet from '../../wire/vnet.ts';
import { type PortTable, type TxQueue, VNET_SIZE } from '../burst.ts';
import { fillChecksum, l3Size, softwareWork, WORK_CHECKSUM, WORK_SEGMENT } from './offload.ts';
import { MAX_QUEUED, type Packets } from './packets.ts';
import { Segmenter } from './segment.ts';
import { tagsSize } from './vlan-actions.ts';

/** For frames that are not to be shortened. */
export const NO_LIMIT = 0x7fffffff;

export class Output {
  readonly #packets: Packets;
  readonly #tx: TxQueue;
  readonly #ports: PortTable;
  readonly #segmenter: Segmenter;

  constructor(packets: Packets, tx: TxQueue, ports: PortTable) {
    this.#packets = packets;
    this.#tx = tx;
    this.#ports = ports;
    this.#segmenter = new Segmenter(packets, tx);
  }

  /**
   * Queues each packet of run[0..n) to the port.
   *
   * What the loop reads is in locals: V8 otherwise reloads every array through
   * its object, which took 15 ns a packet (runs of 32, Node 20) where this takes 10.
   *
   * @param limit bytes of a frame to send at most, or NO_LIMIT
   */
  send(port: number, run: Int32Array, n: number, limit: number): void {
    const { bytes, burst } = this.#packets;
    const { at, size, bodyAt, bodySize, queued } = burst;
    const tx = this.#tx;
    const largest = this.#largestPlain(port, limit);
    for (let k = 0; k < n; k++) {
      const i = run[k];
      if (size[i] + bodySize[i] <= largest && isPlain(bytes, at[i])) {
        tx.push(port, at[i], size[i], bodyAt[i], bodySize[i]);
        if (queued[i] < MAX_QUEUED) queued[i]++;
      } else {
        this.#sendWithWork(port, i, limit);
      }
    }
  }

  /** Bytes, virtio-net header included, that an untagged frame may have to go as it is; -1: none may. */
  #largestPlain(port: number, limit: number): number {
    if (this.#ports.offloads(port) < 0) return -1;
    return VNET_SIZE + Math.min(this.#ports.mtu(port) + ethernet.SIZE, limit);
  }

  #sendWithWork(port: number, i: number, limit: number): void {
    const offloads = this.#ports.offloads(port);
    if (offloads < 0) this.#drop(i, DROP_NO_PORT);
    else if (this.#packets.frameSize(i) > limit) this.#sendShortened(port, i, limit);
    else if (l3Size(this.#packets, i) > this.#ports.mtu(port)) this.#ports.drop(port, DROP_MTU);
    else this.#sendWhole(port, i, offloads);
  }

  #sendWhole(port: number, i: number, offloads: number): void {
    const { bytes, burst } = this.#packets;
    const at = burst.at[i];
    const work = softwareWork(vnet.flags(bytes, at), vnet.gsoType(bytes, at), offloads);
    let failure = DROP_NONE;
    if (work === WORK_SEGMENT) failure = this.#segmenter.send(i, port, offloads);
    else if (work === WORK_CHECKSUM) failure = fillChecksum(this.#packets, i);
    if (failure !== DROP_NONE) this.#drop(i, failure);
    else if (work !== WORK_SEGMENT) this.#push(port, i, burst.size[i], burst.bodySize[i]);
  }

  /**
   * What is left of a checksum or of a super-frame is none any more: such a
   * frame leaves with an empty virtio-net header, on a copy of its headers.
   */
  #sendShortened(port: number, i: number, limit: number): void {
    const p = this.#packets;
    const { burst, bytes } = p;
    if (limit - ethernet.SIZE - tagsSize(p, i) > this.#ports.mtu(port)) {
      this.#ports.drop(port, DROP_MTU);
      return;
    }
    const from = burst.at[i];
    const inHead = Math.min(VNET_SIZE + limit, burst.size[i]);
    const inBody = VNET_SIZE + limit - inHead;
    if (isPlain(bytes, from)) {
      this.#push(port, i, inHead, inBody);
      return;
    }
    const to = p.slots.take();
    if (to < 0) {
      this.#drop(i, DROP_NO_BUFFER);
      return;
    }
    bytes.copyWithin(to, from, from + inHead);
    vnet.clear(bytes, to);
    this.#tx.push(port, to, inHead, burst.bodyAt[i], inBody);
  }

  #push(port: number, i: number, size: number, bodySize: number): void {
    const { burst } = this.#packets;
    this.#tx.push(port, burst.at[i], size, burst.bodyAt[i], bodySize);
    this.#packets.share(i);
  }

  #drop(i: number, reason: number): void {
    this.#ports.drop(this.#packets.burst.inPort[i], reason);
  }
}

/** Whether the frame at `at` asks nothing of a port. */
const isPlain = (bytes: Uint8Array, at: number): boolean =>
  (vnet.flags(bytes, at) & vnet.F_NEEDS_CSUM) === 0 && vnet.gsoType(bytes, at) === vnet.GSO_NONE;
