/**
 * The forwarder: a worker's loop body, one burst a turn. `turn` reads like the
 * packet's way: send and receive, follow changes, execute what the slow path
 * answered, extract keys, classify, execute.
 *
 * It knows its ports and memory only through shared-state.ts and a BurstIo, so
 * a worker thread drives it over descriptors (worker.ts) and the simulated
 * datapath drives the same code over plain arrays (simulated.ts).
 *
 * Nothing in `turn` allocates, throws, waits or logs; failures are counted.
 * Signatures cover the words that tell one connection from another: not
 * nw_ttl and tcp_flags, which change within it.
 */
import { DROP_BY_RULE, DROP_TRUNCATED } from '../dpif/drops.ts';
import { Extractor } from '../flow/extract.ts';
import {
  HAS_IPV6,
  IN_PORT,
  IPV6_END,
  IPV6_SRC,
  KEY_WORDS,
  MAC_0,
  MAC_1,
  MAC_2,
  NW_DST,
  NW_SRC,
  PROTO,
  RECIRC_ID,
  SHAPE,
  TCP_FLAGS_MASK,
  TP,
  VLAN_0,
  VLAN_1,
  VOLATILE,
} from '../flow/key.ts';
import {
  IO_BUDGET,
  IO_ERROR_CODE,
  IO_ERROR_PORT,
  IO_FREE,
  IO_FREE_COUNT,
  IO_FREE_USED,
  IO_MAX_RX,
  IO_RX,
  IO_SLEPT,
  RX_STRIDE,
} from '../native.ts';
import { Executor } from './actions/executor.ts';
import { type Arena, BURST_MAX, Burst, VNET_SIZE } from './burst.ts';
import { hashFinish, hashWord } from './hash.ts';
import { regionBase } from './hash-region.ts';
import { MicroflowCache } from './microflow-cache.ts';
import { PortRows } from './port-rows.ts';
import { Subtables } from './port-subtables.ts';
import {
  ANSWER_INJECT,
  ASLEEP,
  CHANGES,
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
  MAIN_SLOTS,
  MASK_COMPILED,
  MASK_HITS,
  MASK_ROW,
  MASKS,
  MAX_PORTS,
  PORT_CLOSED,
  PORT_DUMMY,
  PORT_GENERATION,
  PORT_KIND,
  PORT_ROW,
  PORT_RX_FDS,
  PORT_STATE,
  PORT_TX_FD,
  type SharedState,
  STAT_BYTES,
  STAT_PACKETS,
  STAT_ROW,
  STAT_TCP_FLAGS,
  STAT_USED,
  STOP,
  slotOf,
  TABLE,
  WORKER_CHANGES,
  WORKER_EPOCH,
  WORKER_SLEEPING,
} from './shared-state.ts';
import { SlotPool } from './slot-pool.ts';
import { FLOW_ACTIONS, FLOW_END, FLOW_MASK, FLOW_STATS } from './subtable.ts';
import { type DummyTransmit, IoTxQueue } from './tx-queue.ts';
import { UpcallRing } from './upcall-ring.ts';

/** How a forwarder reaches devices: one native call a turn, or arrays in tests. */
export interface BurstIo {
  /** The I/O block of native.ts. */
  readonly block: Int32Array;
  /** Sends, receives, and sleeps up to timeoutMs if there was nothing. @returns frames received */
  turn(timeoutMs: number, notify: boolean): number;
  setPort(port: number, kind: number, txFd: number, rxFd: number): void;
  delPort(port: number): void;
  /** Milliseconds, on the datapath's clock. */
  now(): number;
}

export interface ForwarderOptions {
  shared: SharedState;
  worker: number;
  io: BurstIo;
  /** Empty turns before it sleeps; 0 where a spinning worker would only take the CPU from others. */
  spin: number;
  /** Where frames for dummy ports go; the slow path's ring where absent. */
  dummies?: DummyTransmit;
  compileAfter?: number;
}

/** Frames read from one port in a turn; of super-frames the binding reads fewer. */
const BUDGET = 64;
/** Packets after which a port's masks are ranked, and compiled where hot. */
const TEND_AFTER = 4096;
/** Longest sleep: an epoch passes at least this often. */
const SLEEP_MS = 1000;
/** Answers executed in one turn. */
const ANSWERS_MAX = BURST_MAX - IO_MAX_RX;

export class Forwarder {
  readonly burst: Burst = new Burst();
  readonly arena: Arena;
  readonly slots: SlotPool;
  readonly tx: IoTxQueue;
  readonly #shared: SharedState;
  readonly #worker: number;
  readonly #row: number;
  readonly #io: BurstIo;
  readonly #spin: number;
  readonly #ports: PortRows;
  readonly #upcalls: UpcallRing;
  readonly #executor: Executor;
  readonly #extractor: Extractor;
  readonly #microflows = new MicroflowCache();
  readonly #subtables: Subtables;
  readonly #flowStats: Float64Array;
  readonly #counters: Float64Array;

  /** By packet of the burst: its megaflow's record; 0: not known yet, -1: parked or dropped. */
  readonly #flowOf = new Int32Array(BURST_MAX);
  readonly #run = new Int32Array(BURST_MAX);
  readonly #portGeneration = new Int32Array(MAX_PORTS);
  readonly #signatureSeed: number;
  #changes = -1;
  #masks = 0;
  #tableWord = 0;
  #tableBase = 0;
  #tableLimit = 0;
  #idleTurns = 0;
  #untended = 0;
  #lastReceived = 0;
  #now = 0;

  constructor(options: ForwarderOptions) {
    const { shared, worker, io } = options;
    const state = shared.workers[worker];
    this.#shared = shared;
    this.#worker = worker;
    this.#row = controlRow(worker);
    this.#io = io;
    this.#spin = options.spin;
    this.arena = {
      bytes: new Uint8Array(state.arena),
      view: new DataView(state.arena),
      words: new Int32Array(state.arena),
    };
    this.slots = new SlotPool(slotOf(state.arena.byteLength) - MAIN_SLOTS);
    this.#ports = new PortRows(shared.ports, state.portStats);
    this.#upcalls = new UpcallRing(state, this.arena, this.slots, this.#ports);
    this.tx = new IoTxQueue(io.block, this.#ports, options.dummies ?? this.#upcalls, () =>
      this.#flush(),
    );
    this.#executor = new Executor(
      this.arena,
      this.burst,
      this.slots,
      this.tx,
      this.#ports,
      this.#upcalls,
    );
    this.#extractor = new Extractor(this.arena.bytes);
    this.#subtables = new Subtables(shared, options.compileAfter);
    this.#flowStats = state.flowStats;
    this.#counters = state.counters;
    this.#signatureSeed = hashWord(shared.seed, worker);
    io.block[IO_BUDGET] = BUDGET;
  }

  /** Up to so many bursts. @returns false once the main thread has said stop */
  run(turns: number): boolean {
    for (let i = 0; i < turns; i++) if (!this.turn()) return false;
    return true;
  }

  /** One burst. @returns false once the main thread has said stop */
  turn(): boolean {
    const received = this.#sendAndReceive();
    this.#followChanges();
    const answered = this.#executeAnswers(received);
    this.#extract(received);
    this.classify(0, received);
    this.execute(0, received);
    this.#finish(received, answered);
    return Atomics.load(this.#shared.control, STOP) === 0;
  }

  /** Whether answers or frames to send are waiting for the next turn. */
  get hasWork(): boolean {
    return this.tx.count > 0 || this.#upcalls.hasAnswer;
  }

  #sendAndReceive(): number {
    const { block } = this.#io;
    const offered = this.slots.offer(
      block,
      IO_FREE,
      Math.min(2 * this.#lastReceived + BUDGET, IO_MAX_RX),
    );
    block[IO_FREE_COUNT] = offered;
    const spin = this.#spinTurns();
    const sleep = spin === 0 || this.#idleTurns > spin;
    const received = sleep ? this.#sleep() : this.#io.turn(0, this.#upcalls.takeRaised());
    this.tx.sent();
    this.slots.accept(block, IO_FREE, offered, block[IO_FREE_USED]);
    this.#lastReceived = received;
    this.#now = this.#io.now();
    if (block[IO_ERROR_PORT] > 0) {
      this.#upcalls.portFailed(block[IO_ERROR_PORT], block[IO_ERROR_CODE]);
    }
    return received;
  }

  /** Spinning while an upcall is pending would take the CPU from the thread that answers it. */
  #spinTurns(): number {
    return this.#upcalls.pending ? 0 : this.#spin;
  }

  #sleep(): number {
    const { control } = this.#shared;
    Atomics.store(control, this.#row + WORKER_SLEEPING, 1);
    Atomics.store(control, this.#row + WORKER_EPOCH, ASLEEP);
    const called =
      this.#upcalls.hasAnswer ||
      Atomics.load(control, CHANGES) !== this.#changes ||
      Atomics.load(control, STOP) !== 0;
    const received = this.#io.turn(called ? 0 : SLEEP_MS, this.#upcalls.takeRaised());
    Atomics.store(control, this.#row + WORKER_SLEEPING, 0);
    this.#counters[COUNT_SLEEPS] += this.#io.block[IO_SLEPT];
    return received;
  }

  #followChanges(): void {
    const { control } = this.#shared;
    Atomics.store(control, this.#row + WORKER_EPOCH, Atomics.load(control, EPOCH));
    const changes = Atomics.load(control, CHANGES);
    if (changes !== this.#changes) this.#followPorts(changes);
    const masks = Atomics.load(control, MASKS);
    if (masks !== this.#masks) {
      this.#masks = masks;
      this.#subtables.reset();
    }
    const table = Atomics.load(control, TABLE);
    if (table !== this.#tableWord) {
      this.#tableWord = table;
      this.#tableBase = regionBase(this.#shared.table, table >>> 8);
      this.#tableLimit = 2 ** (table & 0xff) - 1;
    }
  }

  /** Tells the I/O engine of ports that came, went or changed; not on the packet path. */
  #followPorts(changes: number): void {
    const { ports, control } = this.#shared;
    for (let port = 1; port < MAX_PORTS; port++) {
      const row = port * PORT_ROW;
      const generation = Atomics.load(ports, row + PORT_GENERATION);
      if (generation === this.#portGeneration[port]) continue;
      this.#portGeneration[port] = generation;
      const state = Atomics.load(ports, row + PORT_STATE);
      this.#io.delPort(port);
      if (state === PORT_CLOSED || state === PORT_DUMMY) continue;
      const rxFd = ports[row + PORT_RX_FDS + this.#worker];
      this.#io.setPort(port, ports[row + PORT_KIND], ports[row + PORT_TX_FD], rxFd);
    }
    this.#changes = changes;
    Atomics.store(control, this.#row + WORKER_CHANGES, changes);
  }

  /** Frames the slow path has decided on, before anything that came after them. */
  #executeAnswers(received: number): number {
    let i = received;
    while (i < received + ANSWERS_MAX && this.#upcalls.next()) {
      const { at, size, port, from, end } = this.#upcalls;
      if ((port & ANSWER_INJECT) !== 0) {
        this.#inject(i, port & (ANSWER_INJECT - 1), at, size);
        i++;
      } else if (from !== end) {
        this.#place(i, port, at, size);
        if (this.#extractKey(i)) {
          this.#run[0] = i;
          this.#executor.execute(this.#upcalls.words, from, end, this.#run, 1);
        }
        i++;
      }
    }
    this.#upcalls.answered();
    return i - received;
  }

  /** The main thread's own frame, as if it had been received. */
  #inject(i: number, port: number, at: number, size: number): void {
    this.#place(i, port, at, size);
    this.#ports.countRx(port, 1, size - VNET_SIZE);
    this.#flowOf[i] = 0;
    if (!this.#extractKey(i)) this.#dropReceived(i, DROP_TRUNCATED);
    this.classify(i, i + 1);
    this.execute(i, i + 1);
  }

  #extract(received: number): void {
    const { block } = this.#io;
    const { bytes } = this.arena;
    const { burst } = this;
    const { at, size, bodySize, inPort, queued, l3, l4, keys } = burst;
    const flowOf = this.#flowOf;
    const extractor = this.#extractor;
    for (let i = 0; i < received; i++) {
      const rx = IO_RX + i * RX_STRIDE;
      const place = block[rx + 1];
      const whole = block[rx + 2];
      at[i] = place;
      size[i] = whole;
      bodySize[i] = 0;
      inPort[i] = block[rx];
      queued[i] = 0;
      const frameSize = whole - VNET_SIZE;
      if (extractor.extract(place + VNET_SIZE, frameSize, block[rx], keys, i * KEY_WORDS)) {
        l3[i] = extractor.l3;
        l4[i] = extractor.l4;
        flowOf[i] = 0;
        if ((bytes[place] | bytes[place + 1]) !== 0) this.#checkOffload(i);
      } else {
        this.#dropReceived(i, DROP_TRUNCATED);
      }
    }
    this.#countReceived(received);
  }

  /** Ports' counters, a run of frames from one port at a time. */
  #countReceived(received: number): void {
    const { inPort, size } = this.burst;
    for (let i = 0; i < received; ) {
      const first = i;
      let bytes = 0;
      do bytes += size[i++] - VNET_SIZE;
      while (i < received && inPort[i] === inPort[first]);
      this.#ports.countRx(inPort[first], i - first, bytes);
    }
  }

  #dropReceived(i: number, reason: number): void {
    this.#flowOf[i] = -1;
    this.#ports.drop(this.burst.inPort[i], reason);
  }

  #checkOffload(i: number): void {
    const reason = this.#executor.checkOffload(i);
    if (reason !== 0) this.#dropReceived(i, reason);
  }

  #place(i: number, port: number, at: number, size: number): void {
    const { burst } = this;
    burst.at[i] = at;
    burst.size[i] = size;
    burst.bodySize[i] = 0;
    burst.inPort[i] = port;
    burst.queued[i] = 0;
  }

  #extractKey(i: number): boolean {
    const { burst } = this;
    const ok = this.#extractor.extract(
      burst.at[i] + VNET_SIZE,
      burst.size[i] - VNET_SIZE,
      burst.inPort[i],
      burst.keys,
      i * KEY_WORDS,
    );
    burst.l3[i] = this.#extractor.l3;
    burst.l4[i] = this.#extractor.l4;
    return ok;
  }

  /**
   * Finds each packet's megaflow; parks those that have none. The microflow
   * cache comes first, its answer verified by the megaflow's own compare.
   */
  classify(start: number, end: number): void {
    const { flows, masks } = this.#shared;
    const { keys } = this.burst;
    const flowOf = this.#flowOf;
    const microflows = this.#microflows;
    const { matchesOf, hits } = this.#subtables;
    let found = 0;
    for (let i = start; i < end; i++) {
      if (flowOf[i] < 0) continue;
      const k = i * KEY_WORDS;
      const signature = this.#signature(keys, k);
      const record = microflows.lookup(signature);
      const number = flows[record + FLOW_MASK];
      if (number !== 0 && matchesOf[number](keys, k, flows, record, masks, number * MASK_ROW)) {
        flowOf[i] = record;
        hits[number]++;
        found++;
      } else {
        flowOf[i] = this.#lookupMegaflow(i, signature);
      }
    }
    this.#counters[COUNT_PACKETS] += end - start;
    this.#counters[COUNT_MICROFLOW] += found;
    microflows.note(end - start, found);
  }

  /** Two lanes, so that the multiplications overlap. */
  #signature(keys: Int32Array, k: number): number {
    let a = hashWord(this.#signatureSeed, keys[k + IN_PORT] ^ (keys[k + RECIRC_ID] << 16));
    let b = hashWord(~this.#signatureSeed, keys[k + PROTO] ^ keys[k + VLAN_1]);
    a = hashWord(a, keys[k + MAC_0]);
    b = hashWord(b, keys[k + MAC_1]);
    a = hashWord(a, keys[k + MAC_2]);
    b = hashWord(b, keys[k + VLAN_0]);
    a = hashWord(a, keys[k + NW_SRC]);
    b = hashWord(b, keys[k + NW_DST]);
    a = hashWord(a, keys[k + TP]);
    const shape = keys[k + SHAPE];
    if (shape !== 0) {
      b = hashWord(b, shape);
      if ((shape & HAS_IPV6) !== 0) {
        for (let w = IPV6_SRC; w < IPV6_END; w++) b = hashWord(b, keys[k + w]);
      }
    }
    return hashFinish(hashWord(a, b));
  }

  /** @returns the packet's record, or -1 when it was parked or dropped */
  #lookupMegaflow(i: number, signature: number): number {
    const { flows, masks, table } = this.#shared;
    const { keys } = this.burst;
    const k = i * KEY_WORDS;
    const port = this.burst.inPort[i];
    this.#subtables.refresh(port);
    const own = this.#subtables.of(port);
    for (let s = 0; s < own.count; s++) {
      const number = own.order[s];
      this.#subtables.tries[number]++;
      const record = this.#subtables.lookupOf[number](
        keys,
        k,
        flows,
        masks,
        number * MASK_ROW,
        table,
        this.#tableBase,
        this.#tableLimit,
        number,
      );
      if (record === 0) continue;
      if (this.#upcalls.isBehind(signature)) break;
      this.#counters[COUNT_SUBTABLES] += s + 1;
      this.#counters[COUNT_MEGAFLOW]++;
      this.#counters[COUNT_MASKS + 2 * number + MASK_HITS]++;
      this.#subtables.hits[number]++;
      this.#microflows.insert(signature, record);
      return record;
    }
    this.#counters[COUNT_MISSES]++;
    this.#upcalls.miss(this.burst, i, signature);
    return -1;
  }

  /** Runs of packets that share a flow get its actions together. */
  execute(start: number, end: number): void {
    const flowOf = this.#flowOf;
    for (let i = start; i < end; ) {
      const record = flowOf[i];
      let n = 0;
      do this.#run[n++] = i++;
      while (i < end && flowOf[i] === record);
      if (record > 0) this.#executeRun(record, n);
    }
  }

  #executeRun(record: number, n: number): void {
    const { flows } = this.#shared;
    this.#credit(flows[record + FLOW_STATS] * STAT_ROW, n);
    const from = record + flows[record + FLOW_ACTIONS];
    const end = record + flows[record + FLOW_END];
    if (from === end) {
      for (let j = 0; j < n; j++) this.#ports.drop(this.burst.inPort[this.#run[j]], DROP_BY_RULE);
    } else {
      this.#executor.execute(flows, from, end, this.#run, n);
    }
  }

  #credit(row: number, n: number): void {
    this.#subtables.of(this.burst.inPort[this.#run[0]]).hits += n;
    const { keys, size } = this.burst;
    let bytes = 0;
    let tcpFlags = 0;
    for (let j = 0; j < n; j++) {
      const i = this.#run[j];
      bytes += size[i] - VNET_SIZE;
      tcpFlags |= keys[i * KEY_WORDS + VOLATILE] & TCP_FLAGS_MASK;
    }
    const stats = this.#flowStats;
    stats[row + STAT_PACKETS] += n;
    stats[row + STAT_BYTES] += bytes;
    stats[row + STAT_USED] = this.#now;
    if (tcpFlags !== 0) stats[row + STAT_TCP_FLAGS] |= tcpFlags;
  }

  #finish(received: number, answered: number): void {
    this.tx.close();
    this.#counters[COUNT_TURNS]++;
    this.#counters[COUNT_LOST] = this.#upcalls.lost;
    this.#idleTurns = received + answered > 0 ? 0 : this.#idleTurns + 1;
    this.#untended += received;
    if (this.#untended >= TEND_AFTER) {
      this.#untended = 0;
      for (let i = 0; i < received; i++) this.#tend(this.burst.inPort[i]);
    }
  }

  #tend(port: number): void {
    if (!this.#subtables.tend(port)) return;
    const own = this.#subtables.of(port);
    for (let s = 0; s < own.count; s++) {
      const number = own.order[s];
      this.#counters[COUNT_MASKS + 2 * number + MASK_COMPILED] = this.#subtables.isCompiled(number)
        ? 1
        : 0;
    }
  }

  /** The transmit queue is full in the middle of a burst: sends without receiving. */
  #flush(): void {
    this.tx.close();
    this.#io.block[IO_FREE_COUNT] = 0;
    this.#io.turn(0, false);
    this.tx.sent();
  }
}
