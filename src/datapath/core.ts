/**
 * The main thread's half of a datapath: megaflows, statistics, and the upcall
 * rings' other end. The threaded and the simulated datapath both own one; what
 * differs between them is who drives the forwarders and where frames come from.
 *
 * Deleted flows: a flow leaves the table at once, but a worker may still be
 * using it, so its last statistics are read and reported only when every
 * worker has begun a turn at a later epoch (`settle`).
 */
import { randomInt } from 'node:crypto';
import type {
  CacheStats,
  FlowRef,
  FlowStats,
  MaskStats,
  PortStats,
  Upcall,
  UpcallHandler,
} from '../dpif/dpif.ts';
import { UPCALL_CONTROLLER } from '../dpif/dpif.ts';
import { DROP_BY_RULE, DROP_REASONS, DROP_TRANSLATE, DROP_UPCALL_FULL } from '../dpif/drops.ts';
import { KEY_WORDS } from '../flow/key.ts';
import { AnswerRing } from './answer-ring.ts';
import { VNET_SIZE } from './burst.ts';
import { FlowTable } from './flow-table.ts';
import {
  ASLEEP,
  COUNT_LOST,
  COUNT_MASKS,
  COUNT_MEGAFLOW,
  COUNT_MICROFLOW,
  COUNT_MISSES,
  COUNT_PACKETS,
  COUNT_SLEEPS,
  COUNT_SUBTABLES,
  COUNT_TURNS,
  controlRow,
  EPOCH,
  epochAfter,
  isEarlier,
  MASK_COMPILED,
  MASK_HITS,
  MAX_PORTS,
  newSharedState,
  PORT_STAT_ROW,
  PSTAT_DROPS,
  PSTAT_RX_BYTES,
  PSTAT_RX_PACKETS,
  PSTAT_TX_BYTES,
  PSTAT_TX_PACKETS,
  RING_DATA,
  RING_HEAD,
  RING_TAIL,
  type SharedState,
  UPCALL_AT,
  UPCALL_COOKIE,
  UPCALL_FULL_SIZE,
  UPCALL_KEY,
  UPCALL_MAX,
  UPCALL_PORT,
  UPCALL_REASON,
  UPCALL_ROW,
  UPCALL_SIZE,
  WORKER_EPOCH,
} from './shared-state.ts';
import { UPCALL_PORT_FAILED, UPCALL_TRANSMIT } from './upcall-ring.ts';

const NO_ACTIONS = new Int32Array(0);

export class DatapathCore {
  readonly shared: SharedState;
  readonly #table: FlowTable;
  readonly #upcall: RingUpcall;
  readonly #answers: AnswerRing[];
  readonly #retiring: { flow: FlowRef; epoch: number }[] = [];
  #handler: UpcallHandler = () => {};
  #onRetired: (flow: FlowRef, stats: FlowStats) => void = () => {};
  #onPortFailed: (portNo: number, errno: number) => void = () => {};
  #onTransmit: ((portNo: number, frame: Uint8Array) => void) | undefined;

  /** Drops that the slow path decided on, by port and reason. */
  readonly #drops = new Float64Array(MAX_PORTS * DROP_REASONS);

  /** @param maxFlows a power of two */
  constructor(workers: number, maxFlows: number, slots: number) {
    this.shared = newSharedState(workers, maxFlows, slots, randomInt(2 ** 31));
    this.#table = new FlowTable(this.shared);
    this.#answers = this.shared.workers.map((worker) => new AnswerRing(worker));
    this.#upcall = new RingUpcall(this.shared, this.#answers, this.#drops);
  }

  setUpcallHandler(handler: UpcallHandler): void {
    this.#handler = handler;
  }

  setRetiredListener(listener: (flow: FlowRef, stats: FlowStats) => void): void {
    this.#onRetired = listener;
  }

  setPortFailedListener(listener: (portNo: number, errno: number) => void): void {
    this.#onPortFailed = listener;
  }

  setTransmitListener(listener: (portNo: number, frame: Uint8Array) => void): void {
    this.#onTransmit = listener;
  }

  /** For frames that a datapath transmits on a dummy port by itself. */
  transmitted(portNo: number, frame: Uint8Array): void {
    this.#onTransmit?.(portNo, frame);
  }

  flowPut(key: Int32Array, mask: Int32Array, actions: Int32Array): FlowRef | undefined {
    if (this.#table.isWaiting) this.settle();
    return this.#table.put(key, mask, actions, actions.length, this.epoch);
  }

  flowDel(flow: FlowRef): void {
    if (this.#table.delete(flow, this.epoch)) this.#retiring.push({ flow, epoch: this.epoch });
  }

  flowStats(flow: FlowRef, out: FlowStats): void {
    this.#table.stats(flow, out);
  }

  flowGet(flow: FlowRef): { key: Int32Array; mask: Int32Array; actions: Int32Array } | undefined {
    return this.#table.get(flow);
  }

  flows(): IterableIterator<FlowRef> {
    return this.#table.flows();
  }

  get flowCount(): number {
    return this.#table.count;
  }

  /** Has worker 0 execute actions on a frame, or (without actions) receive it. */
  send(frame: Uint8Array, portNo: number, actions: Int32Array | undefined): void {
    this.#answers[0].send(frame, portNo, actions);
  }

  /** Whether frames given to `send` have not been handed over yet; `sendWaiting` hands over what fits. */
  get isSending(): boolean {
    return this.#answers[0].isWaiting;
  }

  sendWaiting(): void {
    this.#answers[0].sendWaiting();
  }

  get epoch(): number {
    return Atomics.load(this.shared.control, EPOCH);
  }

  /** Begins a new epoch: what has been retired so far may go once all workers have seen it. */
  advanceEpoch(): number {
    const epoch = epochAfter(this.epoch);
    Atomics.store(this.shared.control, EPOCH, epoch);
    return epoch;
  }

  /** The oldest epoch in which a worker may be. */
  passedEpoch(): number {
    let passed = this.epoch;
    for (let w = 0; w < this.shared.workers.length; w++) {
      const seen = Atomics.load(this.shared.control, controlRow(w) + WORKER_EPOCH);
      if (seen !== ASLEEP && isEarlier(seen, passed)) passed = seen;
    }
    return passed;
  }

  get hasRetired(): boolean {
    return this.#retiring.length > 0 || this.#table.reclaimable;
  }

  /**
   * Frees and reports what no worker can be using any more, at most so many flows.
   * @returns whether there were more
   */
  settle(most: number = Number.POSITIVE_INFINITY): boolean {
    if (!this.hasRetired) return false;
    if (this.passedEpoch() === this.epoch) this.advanceEpoch();
    const passed = this.passedEpoch();
    let done = 0;
    while (done < most && this.#isOver(done, passed)) this.#report(this.#retiring[done++].flow);
    const hasMore = this.#isOver(done, passed);
    this.#retiring.splice(0, done);
    this.#table.reclaim(passed);
    return hasMore;
  }

  /**
   * Hands pending upcalls to the handler until there are none or `until` says
   * that time is up. @returns whether any are left
   */
  drain(worker: number, until: () => boolean): boolean {
    this.#answers[worker].sendWaiting();
    const { upcalls } = this.shared.workers[worker];
    let tail = Atomics.load(upcalls, RING_TAIL);
    while (tail !== Atomics.load(upcalls, RING_HEAD)) {
      if (until()) return true;
      this.#upcall.load(worker, RING_DATA + (tail & (UPCALL_MAX - 1)) * UPCALL_ROW);
      tail = (tail + 1) | 0;
      Atomics.store(upcalls, RING_TAIL, tail);
      this.#handle(this.#upcall);
    }
    return false;
  }

  #handle(upcall: RingUpcall): void {
    if (upcall.reason === UPCALL_PORT_FAILED) {
      this.#onPortFailed(upcall.portNo, upcall.cookie);
      return;
    }
    try {
      if (upcall.reason === UPCALL_TRANSMIT) {
        this.#onTransmit?.(upcall.portNo, upcall.frame().slice());
      } else {
        this.#handler(upcall);
      }
    } finally {
      upcall.finish();
    }
  }

  /** What a dead worker had in hand is lost; its rings begin anew. */
  resetWorker(worker: number): void {
    const { upcalls, answers } = this.shared.workers[worker];
    Atomics.store(upcalls, RING_TAIL, Atomics.load(upcalls, RING_HEAD));
    Atomics.store(answers, RING_TAIL, Atomics.load(answers, RING_HEAD));
    Atomics.store(this.shared.control, controlRow(worker) + WORKER_EPOCH, ASLEEP);
  }

  portStats(port: number): PortStats {
    const drops = new Array<number>(DROP_REASONS).fill(0);
    for (let d = 0; d < DROP_REASONS; d++) drops[d] = this.#drops[port * DROP_REASONS + d];
    const total = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, drops };
    const at = port * PORT_STAT_ROW;
    for (const { portStats } of this.shared.workers) {
      total.rxPackets += portStats[at + PSTAT_RX_PACKETS];
      total.rxBytes += portStats[at + PSTAT_RX_BYTES];
      total.txPackets += portStats[at + PSTAT_TX_PACKETS];
      total.txBytes += portStats[at + PSTAT_TX_BYTES];
      for (let d = 0; d < DROP_REASONS; d++) drops[d] += portStats[at + PSTAT_DROPS + d];
    }
    return total;
  }

  /** For a port number that is about to be used anew, when no worker counts on it. */
  clearPortStats(port: number): void {
    const at = port * PORT_STAT_ROW;
    for (const { portStats } of this.shared.workers) portStats.fill(0, at, at + PORT_STAT_ROW);
    this.#drops.fill(0, port * DROP_REASONS, (port + 1) * DROP_REASONS);
  }

  cacheStats(): CacheStats[] {
    return this.shared.workers.map(({ counters }, worker) => ({
      worker,
      packets: counters[COUNT_PACKETS],
      microflowHits: counters[COUNT_MICROFLOW],
      megaflowHits: counters[COUNT_MEGAFLOW],
      subtablesTried: counters[COUNT_SUBTABLES],
      misses: counters[COUNT_MISSES],
      lostUpcalls: counters[COUNT_LOST],
      turns: counters[COUNT_TURNS],
      sleeps: counters[COUNT_SLEEPS],
    }));
  }

  maskStats(): MaskStats[] {
    return [...this.#table.masks()].map(({ number, flows }) => {
      const at = COUNT_MASKS + 2 * number;
      const { workers } = this.shared;
      return {
        mask: this.#table.maskWords(number),
        flows,
        hits: workers.reduce((sum, { counters }) => sum + counters[at + MASK_HITS], 0),
        compiled: workers.some(({ counters }) => counters[at + MASK_COMPILED] === 1),
      };
    });
  }

  #isOver(i: number, passed: number): boolean {
    return i < this.#retiring.length && isEarlier(this.#retiring[i].epoch, passed);
  }

  #report(flow: FlowRef): void {
    const stats: FlowStats = { packets: 0, bytes: 0, used: 0, tcpFlags: 0 };
    this.#table.stats(flow, stats);
    this.#table.release(flow);
    this.#onRetired(flow, stats);
  }
}

/** The one Upcall object of a datapath; `load` points it at a ring entry. */
class RingUpcall implements Upcall {
  reason = 0;
  cookie = 0;
  portNo = 0;
  frameSize = 0;
  readonly key: Int32Array = new Int32Array(KEY_WORDS);
  readonly #shared: SharedState;
  readonly #answers: AnswerRing[];
  readonly #drops: Float64Array;
  readonly #arenas: Uint8Array[];
  #worker = 0;
  #at = 0;
  #size = 0;
  #answered = false;

  constructor(shared: SharedState, answers: AnswerRing[], drops: Float64Array) {
    this.#shared = shared;
    this.#answers = answers;
    this.#drops = drops;
    this.#arenas = shared.workers.map(({ arena }) => new Uint8Array(arena));
  }

  load(worker: number, row: number): void {
    const { upcalls } = this.#shared.workers[worker];
    this.#worker = worker;
    this.#at = upcalls[row + UPCALL_AT];
    this.#size = upcalls[row + UPCALL_SIZE];
    this.portNo = upcalls[row + UPCALL_PORT];
    this.reason = upcalls[row + UPCALL_REASON];
    this.cookie = upcalls[row + UPCALL_COOKIE];
    this.frameSize = upcalls[row + UPCALL_FULL_SIZE] - VNET_SIZE;
    for (let w = 0; w < KEY_WORDS; w++) this.key[w] = upcalls[row + UPCALL_KEY + w];
    this.#answered = false;
  }

  frame(): Uint8Array {
    return this.#arenas[this.#worker].subarray(this.#at + VNET_SIZE, this.#at + this.#size);
  }

  execute(actions: Int32Array, length: number): void {
    if (this.#answered) return;
    if (length === 0) {
      this.drop(DROP_BY_RULE);
      return;
    }
    this.#answered = this.#answer(actions, length);
    if (!this.#answered) this.drop(DROP_UPCALL_FULL);
  }

  drop(reason: number): void {
    if (this.#answered) return;
    this.#drops[this.portNo * DROP_REASONS + reason]++;
    this.#answered = this.#answer(NO_ACTIONS, 0);
  }

  /** Whatever the handler did or failed to do, the slot goes back. */
  finish(): void {
    if (this.#answered) return;
    if (this.reason === UPCALL_CONTROLLER || this.reason === UPCALL_TRANSMIT) {
      this.#answer(NO_ACTIONS, 0);
    } else {
      this.drop(DROP_TRANSLATE);
    }
  }

  #answer(actions: Int32Array, length: number): boolean {
    return this.#answers[this.#worker].push(this.#at, this.#size, this.portNo, actions, length);
  }
}
