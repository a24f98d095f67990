/**
 * The simulated datapath: the same forwarder, caches and action execution as
 * the threaded one, run on the caller's thread over arrays instead of
 * descriptors. `inject` returns when the frame, and all that it set off, has
 * been forwarded, so tests are deterministic. All ports are dummies; it needs
 * neither root nor the addon.
 */
import type { Dpif, DpifEvent, FlowRef, PortInfo, PortSpec } from '../dpif/dpif.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { TapflowError } from '../lib/error.ts';
import {
  IO_BUDGET,
  IO_FREE,
  IO_FREE_COUNT,
  IO_FREE_USED,
  IO_RX,
  IO_WORDS,
  RX_STRIDE,
} from '../native.ts';
import { SLOT_CAPACITY, VNET_SIZE } from './burst.ts';
import { DatapathCore } from './core.ts';
import { CoreDatapath } from './core-datapath.ts';
import { type BurstIo, Forwarder } from './forwarder.ts';
import { PortNumbers } from './port-numbers.ts';
import { ASLEEP, controlRow, PORT_DUMMY, WORKER_EPOCH } from './shared-state.ts';
import { COMPILE_AFTER } from './subtable.ts';
import type { DummyTransmit } from './tx-queue.ts';

export interface SimulatedOptions {
  clock?: Clock;
  /** A power of two; 65,536 by default. */
  maxFlows?: number;
  /** Lookups of a mask before its function is generated: 0 compiles at once, Infinity never. */
  compileAfter?: number;
}

const SLOTS = 128;
const DEFAULT_MTU = 1500;

export class SimulatedDatapath extends CoreDatapath implements Dpif {
  readonly #io: MemoryIo;
  readonly #forwarder: Forwarder;
  readonly #clock: Clock;
  readonly #ports: PortNumbers;
  #running = false;

  constructor(options: SimulatedOptions = {}) {
    super(new DatapathCore(1, options.maxFlows ?? 65_536, SLOTS));
    this.#clock = options.clock ?? systemClock;
    this.#ports = new PortNumbers(this.core);
    this.#io = new MemoryIo(this.core.shared.workers[0].arena, this.#clock);
    const { bytes } = this.#io;
    const transmit: DummyTransmit['transmit'] = (port, at, size, at2, size2) => {
      const frame = new Uint8Array(size + size2 - VNET_SIZE);
      frame.set(bytes.subarray(at + VNET_SIZE, at + size));
      frame.set(bytes.subarray(at2, at2 + size2), size - VNET_SIZE);
      this.core.transmitted(port, frame);
    };
    this.#forwarder = new Forwarder({
      shared: this.core.shared,
      worker: 0,
      io: this.#io,
      spin: Number.POSITIVE_INFINITY,
      dummies: { transmit },
      compileAfter: options.compileAfter ?? COMPILE_AFTER,
    });
  }

  /** @throws TapflowError EINVAL for any type but 'dummy' */
  portAdd(spec: PortSpec): PortInfo {
    if (spec.type !== 'dummy' && spec.type !== 'internal') {
      throw new TapflowError(
        'EINVAL',
        `port "${spec.name}": the simulated datapath has no ports of type ${spec.type}, only dummy`,
      );
    }
    const portNo = this.#ports.take(spec.name);
    const info: PortInfo = {
      portNo,
      spec,
      mac: spec.mac ?? dummyMac(portNo),
      mtu: spec.mtu ?? DEFAULT_MTU,
      ifindex: 0,
      adminUp: true,
      linkUp: true,
    };
    this.#ports.open(info, { state: PORT_DUMMY, kind: 0, offloads: 0, txFd: -1, rxFds: [] });
    this.#run();
    return { ...info };
  }

  portDel(portNo: number): void {
    this.#ports.close(portNo);
    this.#run();
    this.#ports.free(portNo);
  }

  portSet(portNo: number, change: { mac?: string; mtu?: number; up?: boolean }): PortInfo {
    return this.#ports.change(portNo, change);
  }

  portInfo(portNo: number): PortInfo | undefined {
    return this.#ports.info(portNo);
  }

  ports(): PortInfo[] {
    return this.#ports.all();
  }

  override flowDel(flow: FlowRef): void {
    super.flowDel(flow);
    this.#run();
  }

  execute(frame: Uint8Array, portNo: number, actions: Int32Array): void {
    this.core.send(frame, portNo, actions);
    this.#run();
  }

  inject(frame: Uint8Array, portNo: number): void {
    this.#io.enqueue(frame, portNo);
    this.#run();
  }

  /** Nothing fails here. */
  onEvent(_listener: (event: DpifEvent) => void): void {}

  now(): number {
    return this.#clock.now();
  }

  async quiesce(): Promise<void> {
    this.#run();
  }

  async close(): Promise<void> {
    for (const { portNo } of this.#ports.all()) this.portDel(portNo);
  }

  /** Turns until nothing is waiting. A handler that injects is served by the loop that called it. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      do {
        this.#forwarder.turn();
        this.core.drain(0, () => false);
      } while (this.#io.waiting || this.#forwarder.hasWork);
    } finally {
      // Between runs no burst is in hand: whatever is retired may go.
      Atomics.store(this.core.shared.control, controlRow(0) + WORKER_EPOCH, ASLEEP);
      this.core.settle();
      this.#running = false;
    }
  }
}

/** Frames from an array, to nowhere: every port is a dummy, so nothing is ever in TX. */
class MemoryIo implements BurstIo {
  readonly block: Int32Array = new Int32Array(IO_WORDS);
  readonly bytes: Uint8Array;
  readonly #clock: Clock;
  readonly #queue: { frame: Uint8Array; port: number }[] = [];

  constructor(arena: SharedArrayBuffer, clock: Clock) {
    this.bytes = new Uint8Array(arena);
    this.#clock = clock;
  }

  get waiting(): boolean {
    return this.#queue.length > 0;
  }

  /** @throws RangeError for a frame larger than a slot */
  enqueue(frame: Uint8Array, port: number): void {
    if (frame.length + VNET_SIZE > SLOT_CAPACITY) {
      throw new RangeError(
        `a frame has at most ${SLOT_CAPACITY - VNET_SIZE} bytes, not ${frame.length}`,
      );
    }
    this.#queue.push({ frame: frame.slice(), port });
  }

  turn(): number {
    const { block, bytes } = this;
    const most = Math.min(this.#queue.length, block[IO_FREE_COUNT], block[IO_BUDGET]);
    for (const [i, { frame, port }] of this.#queue.splice(0, most).entries()) {
      const at = block[IO_FREE + i];
      bytes.fill(0, at, at + VNET_SIZE);
      bytes.set(frame, at + VNET_SIZE);
      block.set([port, at, frame.length + VNET_SIZE], IO_RX + i * RX_STRIDE);
    }
    block[IO_FREE_USED] = most;
    return most;
  }

  setPort(): void {}

  delPort(): void {}

  now(): number {
    return this.#clock.now();
  }
}

/** As the stock dummy device: aa:55:aa:55:00:NN. */
function dummyMac(portNo: number): string {
  const low = portNo.toString(16).padStart(4, '0');
  return `aa:55:aa:55:${low.slice(0, 2)}:${low.slice(2)}`;
}
