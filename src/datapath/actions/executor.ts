/**
 * Executes action lists (dpif/actions.ts) on the packets of a burst, on a
 * worker's packet path: nothing here allocates or throws, and what fails is a
 * DROP_* count.
 *
 *   execute -> one OUTPUT, the common list ----------> output.ts -> offload.ts, segment.ts
 *           -> each action, over the whole run: OUTPUT -> output.ts
 *                  a change of headers -------------> set-*.ts, vlan-actions.ts
 *
 * A frame is queued to several ports without being copied; whoever changes it
 * afterwards copies its headers first (packets.ts). A packet whose header
 * action fails is dropped there, counted at its input port. Keys keep what was
 * extracted, but for SET_PRIORITY and SET_MARK.
 */
import * as op from '../../dpif/actions.ts';
import { DROP_BAD_ACTION, DROP_NONE } from '../../dpif/drops.ts';
import { KEY_WORDS, PKT_MARK, SKB_PRIORITY } from '../../flow/key.ts';
import * as ethernet from '../../wire/ethernet.ts';
import {
  type Arena,
  BURST_MAX,
  type Burst,
  type PortTable,
  type Slots,
  type TxQueue,
} from '../burst.ts';
import { checkOffload } from './offload.ts';
import { NO_LIMIT, Output } from './output.ts';
import { Packets } from './packets.ts';
import { setArp, setEthernet, setIpv4, setIpv6, setNd } from './set-fields.ts';
import { setPorts } from './set-ports.ts';
import { popVlan, pushVlan } from './vlan-actions.ts';

/** Where USERSPACE actions hand packets over. It must not call the executor. */
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
  readonly #output: Output;
  readonly #ports: PortTable;
  readonly #sink: UpcallSink;
  /** The packets of a run that have not been dropped yet. */
  readonly #alive = new Int32Array(BURST_MAX);

  constructor(
    arena: Arena,
    burst: Burst,
    slots: Slots,
    tx: TxQueue,
    ports: PortTable,
    sink: UpcallSink,
  ) {
    this.#packets = new Packets(arena, burst, slots);
    this.#output = new Output(this.#packets, tx, ports);
    this.#ports = ports;
    this.#sink = sink;
  }

  /** Executes words[from, end) on each packet listed in run[0..n). */
  execute(words: Int32Array, from: number, end: number, run: Int32Array, n: number): void {
    if (words[from] === ONE_OUTPUT && end - from === op.sizeOf(ONE_OUTPUT)) {
      this.#output.send(words[from + 1], run, n, NO_LIMIT);
    } else {
      for (let k = 0; k < n; k++) this.#alive[k] = run[k];
      this.#list(words, from, end, n);
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

  #list(words: Int32Array, from: number, end: number, count: number): void {
    let n = count;
    let limit = NO_LIMIT;
    let next = from;
    for (let w = from; w < end && n > 0; w = next) {
      const code = op.opOf(words[w]);
      next = w + op.sizeOf(words[w]);
      if (code === op.OUTPUT) {
        this.#output.send(words[w + 1], this.#alive, n, limit);
        limit = NO_LIMIT;
      } else if (code === op.TRUNC) {
        limit = Math.max(words[w + 1], ethernet.SIZE);
      } else if (code === op.USERSPACE) {
        this.#userspace(words, w, n, limit, next >= end);
        limit = NO_LIMIT;
      } else {
        n = this.#change(code, words, w + 1, n);
      }
    }
  }

  #userspace(words: Int32Array, w: number, n: number, limit: number, isLast: boolean): void {
    const maxSize = Math.min(words[w + 3], limit);
    for (let k = 0; k < n; k++) {
      const i = this.#alive[k];
      this.#sink.userspace(this.#packets.burst, i, words[w + 1], words[w + 2], maxSize, isLast);
      if (!isLast) this.#packets.share(i);
    }
  }

  /**
   * Changes the headers of each packet that is alive.
   *
   * @param a where the action's arguments begin
   * @returns how many still are
   */
  #change(code: number, words: Int32Array, a: number, n: number): number {
    const alive = this.#alive;
    let left = 0;
    for (let k = 0; k < n; k++) {
      const i = alive[k];
      const failure = changeOne(this.#packets, i, code, words, a);
      if (failure === DROP_NONE) alive[left++] = i;
      else this.#ports.drop(this.#packets.burst.inPort[i], failure);
    }
    return left;
  }
}

const ONE_OUTPUT = op.header(op.OUTPUT, 2);

/** @returns DROP_NONE, or why the packet must go */
function changeOne(p: Packets, i: number, code: number, words: Int32Array, a: number): number {
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
