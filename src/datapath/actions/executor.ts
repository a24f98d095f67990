/**
 * Executes action lists (dpif/actions.ts) on the packets of a burst, on a
 * worker's packet path: nothing here allocates or throws, and what fails is a
 * DROP_* count.
 *
 *   execute -> #output            one OUTPUT, the common list: straight to the queue
 *           -> #list -> set-*.ts, vlan-actions.ts   packet by packet
 *                    -> #output -> offload.ts, segment.ts
 *
 * A frame is queued to several ports without being copied. Whoever changes it
 * afterwards copies its headers first (packets.ts). A packet whose header
 * action fails is dropped there, counted at its input port; an output that
 * fails concerns that output alone.
 */
import * as op from '../../dpif/actions.ts';
import {
  DROP_BAD_ACTION,
  DROP_MTU,
  DROP_NO_BUFFER,
  DROP_NO_PORT,
  DROP_NONE,
} from '../../dpif/drops.ts';
import { KEY_WORDS, PKT_MARK, SKB_PRIORITY } from '../../flow/key.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as vnet from '../../wire/vnet.ts';
import {
  type Arena,
  type Burst,
  type PortTable,
  type Slots,
  type TxQueue,
  VNET_SIZE,
} from '../burst.ts';
import {
  checkOffload,
  fillChecksum,
  l3Size,
  softwareWork,
  WORK_CHECKSUM,
  WORK_SEGMENT,
} from './offload.ts';
import { MAX_QUEUED, Packets } from './packets.ts';
import { Segmenter } from './segment.ts';
import { setArp, setEthernet, setIpv4, setIpv6, setNd } from './set-fields.ts';
import { setPorts } from './set-ports.ts';
import { popVlan, pushVlan, tagsSize } from './vlan-actions.ts';

/** Where USERSPACE actions hand packets over. */
export interface UpcallSink {
  /**
   * Parks packet i for the slow path, at most `maxSize` bytes of its frame.
   * Unless `lastAction`, the executor goes on with the packet, but does not
   * change the bytes handed over.
   */
  userspace(
    burst: Burst,
    i: number,
    reason: number,
    cookie: number,
    maxSize: number,
    lastAction: boolean,
  ): void;
}

export class Executor {
  readonly #packets: Packets;
  readonly #segmenter: Segmenter;
  readonly #tx: TxQueue;
  readonly #ports: PortTable;
  readonly #sink: UpcallSink;

  constructor(
    arena: Arena,
    burst: Burst,
    slots: Slots,
    tx: TxQueue,
    ports: PortTable,
    sink: UpcallSink,
  ) {
    this.#packets = new Packets(arena, burst, slots);
    this.#segmenter = new Segmenter(this.#packets, tx);
    this.#tx = tx;
    this.#ports = ports;
    this.#sink = sink;
  }

  /** Executes words[from, end) on each packet listed in run[0..n). */
  execute(words: Int32Array, from: number, end: number, run: Int32Array, n: number): void {
    if (words[from] === ONE_OUTPUT && end - from === op.sizeOf(ONE_OUTPUT)) {
      this.#outputRun(words[from + 1], run, n);
    } else {
      for (let k = 0; k < n; k++) this.#list(words, from, end, run[k]);
    }
  }

  /**
   * Holds the virtio-net header of a received packet against its bytes: once,
   * after extraction, if its flags or GSO type are not 0.
   *
   * @returns DROP_NONE or DROP_BAD_OFFLOAD
   */
  checkOffload(i: number): number {
    return checkOffload(this.#packets, i);
  }

  /**
   * One output of whole frames. What the loop reads is in locals: 5 against
   * 15 ns a packet, as V8 otherwise reloads every array through its object.
   */
  #outputRun(port: number, run: Int32Array, n: number): void {
    const { bytes, burst } = this.#packets;
    const { at, size, bodyAt, bodySize, queued } = burst;
    const tx = this.#tx;
    const largest = this.#largestPlain(port);
    for (let k = 0; k < n; k++) {
      const i = run[k];
      if (size[i] + bodySize[i] <= largest && isPlain(bytes, at[i])) {
        tx.push(port, at[i], size[i], bodyAt[i], bodySize[i]);
        if (queued[i] < MAX_QUEUED) queued[i]++;
      } else {
        this.#outputWithWork(port, i, NO_LIMIT);
      }
    }
  }

  #list(words: Int32Array, from: number, end: number, i: number): void {
    let limit = NO_LIMIT;
    for (let w = from; w < end; w += op.sizeOf(words[w])) {
      const code = op.opOf(words[w]);
      if (code === op.OUTPUT) {
        this.#output(words[w + 1], i, limit);
        limit = NO_LIMIT;
      } else if (code === op.TRUNC) {
        limit = Math.max(words[w + 1], ethernet.SIZE);
      } else if (code === op.USERSPACE) {
        this.#userspace(words, w, i, limit, w + op.sizeOf(words[w]) >= end);
        limit = NO_LIMIT;
      } else {
        const failure = this.#change(code, words, w + 1, i);
        if (failure !== DROP_NONE) {
          this.#drop(i, failure);
          return;
        }
      }
    }
  }

  /** @param a where the action's arguments begin */
  #change(code: number, words: Int32Array, a: number, i: number): number {
    const p = this.#packets;
    switch (code) {
      case op.SET_ETH:
        return setEthernet(p, i, words, a);
      case op.SET_IPV4:
        return setIpv4(p, i, words, a);
      case op.SET_IPV6:
        return setIpv6(p, i, words, a);
      case op.SET_TP:
        return setPorts(p, i, words, a);
      case op.SET_ARP:
        return setArp(p, i, words, a);
      case op.SET_ND:
        return setNd(p, i, words, a);
      case op.PUSH_VLAN:
        return pushVlan(p, i, words[a]);
      case op.POP_VLAN:
        return popVlan(p, i);
      case op.SET_PRIORITY:
        p.burst.keys[i * KEY_WORDS + SKB_PRIORITY] = words[a];
        return DROP_NONE;
      case op.SET_MARK:
        p.burst.keys[i * KEY_WORDS + PKT_MARK] = words[a];
        return DROP_NONE;
      case op.DROP:
        return words[a];
      default:
        return DROP_BAD_ACTION;
    }
  }

  #userspace(words: Int32Array, w: number, i: number, limit: number, isLast: boolean): void {
    const maxSize = Math.min(words[w + 3], limit);
    this.#sink.userspace(this.#packets.burst, i, words[w + 1], words[w + 2], maxSize, isLast);
    if (!isLast) this.#packets.share(i);
  }

  /** @param limit bytes of the frame to send at most */
  #output(port: number, i: number, limit: number): void {
    const p = this.#packets;
    const { burst, bytes } = p;
    const size = burst.size[i] + burst.bodySize[i];
    const isWhole = size - VNET_SIZE <= limit;
    if (isWhole && size <= this.#largestPlain(port) && isPlain(bytes, burst.at[i])) {
      this.#push(port, i);
    } else {
      this.#outputWithWork(port, i, limit);
    }
  }

  /** Bytes, virtio-net header included, up to which an untagged frame fits the port; -1 without a port. */
  #largestPlain(port: number): number {
    if (this.#ports.offloads(port) < 0) return -1;
    return this.#ports.mtu(port) + VNET_SIZE + ethernet.SIZE;
  }

  #outputWithWork(port: number, i: number, limit: number): void {
    const offloads = this.#ports.offloads(port);
    if (offloads < 0) this.#drop(i, DROP_NO_PORT);
    else if (this.#packets.frameSize(i) > limit) this.#outputShortened(port, i, limit);
    else if (l3Size(this.#packets, i) > this.#ports.mtu(port)) this.#ports.drop(port, DROP_MTU);
    else this.#outputOffloaded(port, i, offloads);
  }

  #outputOffloaded(port: number, i: number, offloads: number): void {
    const p = this.#packets;
    const { burst, bytes } = p;
    const at = burst.at[i];
    const work = softwareWork(vnet.flags(bytes, at), vnet.gsoType(bytes, at), offloads);
    let failure = DROP_NONE;
    if (work === WORK_SEGMENT) failure = this.#segmenter.send(i, port, offloads);
    else {
      if (work === WORK_CHECKSUM) failure = fillChecksum(p, i);
      if (failure === DROP_NONE) this.#push(port, i);
    }
    if (failure !== DROP_NONE) this.#drop(i, failure);
  }

  /**
   * What is left of a checksum or of a super-frame is none any more: such a
   * frame leaves with an empty virtio-net header, on a copy of its headers.
   */
  #outputShortened(port: number, i: number, limit: number): void {
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
      this.#tx.push(port, from, inHead, burst.bodyAt[i], inBody);
      p.share(i);
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

  #push(port: number, i: number): void {
    const { burst } = this.#packets;
    this.#tx.push(port, burst.at[i], burst.size[i], burst.bodyAt[i], burst.bodySize[i]);
    this.#packets.share(i);
  }

  #drop(i: number, reason: number): void {
    this.#ports.drop(this.#packets.burst.inPort[i], reason);
  }
}

/** Whether the frame at `at` needs nothing of a port. */
const isPlain = (bytes: Uint8Array, at: number): boolean =>
  (vnet.flags(bytes, at) & vnet.F_NEEDS_CSUM) === 0 && vnet.gsoType(bytes, at) === vnet.GSO_NONE;

const ONE_OUTPUT = op.header(op.OUTPUT, 2);
/** Larger than any frame. */
const NO_LIMIT = 0x7fffffff;
