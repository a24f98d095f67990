/**
 * A datapath that forwards nothing: flows are kept as they are put, upcalls
 * and statistics come from the test.
 */
import { ActionList } from '../../src/dpif/actions.ts';
import type {
  Dpif,
  FlowRef,
  FlowStats,
  PortInfo,
  PortStats,
  Upcall,
  UpcallHandler,
} from '../../src/dpif/dpif.ts';
import { KEY_WORDS } from '../../src/flow/key.ts';
import type { Clock } from '../../src/lib/clock.ts';

export interface FakeFlow {
  key: Int32Array;
  mask: Int32Array;
  actions: Int32Array;
  stats: FlowStats;
}

export class FakeDpif implements Dpif {
  readonly installed = new Map<FlowRef, FakeFlow>();
  readonly executed: { frame: Uint8Array; portNo: number; actions: Int32Array }[] = [];
  /** Most flows it takes. */
  capacity = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  #retired: (flow: FlowRef, stats: FlowStats) => void = () => {};
  #handler: UpcallHandler = () => {};
  #nextRef = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the slow path does with an upcall: the actions executed, or the drop reason. */
  upcall(
    portNo: number,
    key: Int32Array,
    options: { frame?: Uint8Array; reason?: number; cookie?: number } = {},
  ): { actions: Int32Array | undefined; dropped: number | undefined } {
    const frame = options.frame ?? new Uint8Array(60);
    const answer = new ActionList();
    let actions: Int32Array | undefined;
    let dropped: number | undefined;
    const upcall: Upcall = {
      reason: options.reason ?? 1,
      cookie: options.cookie ?? 0,
      portNo,
      key: key.slice(0, KEY_WORDS),
      frame: () => frame,
      frameSize: frame.length,
      execute(words, length) {
        answer.words = words.slice(0, length);
        actions = answer.words;
      },
      drop(reason) {
        dropped = reason;
      },
    };
    this.#handler(upcall);
    return { actions, dropped };
  }

  /** As if so many more packets had used a flow, the last one now. */
  use(ref: FlowRef, packets: number, bytes: number): void {
    const flow = this.installed.get(ref);
    if (flow === undefined) throw new Error(`no flow ${ref}`);
    flow.stats.packets += packets;
    flow.stats.bytes += bytes;
    flow.stats.used = this.now();
  }

  flowPut(key: Int32Array, mask: Int32Array, actions: Int32Array): FlowRef | undefined {
    const masked = key.slice(0, KEY_WORDS).map((word, i) => word & mask[i]);
    for (const [ref, flow] of this.installed) {
      if (isSame(flow.key, masked) && isSame(flow.mask, mask)) {
        flow.actions = actions.slice();
        return ref;
      }
    }
    if (this.installed.size >= this.capacity) return undefined;
    const stats = { packets: 0, bytes: 0, used: 0, tcpFlags: 0 };
    const ref = this.#nextRef++;
    this.installed.set(ref, { key: masked, mask: mask.slice(), actions: actions.slice(), stats });
    return ref;
  }

  flowDel(ref: FlowRef): void {
    const flow = this.installed.get(ref);
    this.installed.delete(ref);
    if (flow !== undefined) this.#retired(ref, flow.stats);
  }

  flowStats(ref: FlowRef, out: FlowStats): void {
    Object.assign(out, this.installed.get(ref)?.stats);
  }

  flowGet(ref: FlowRef): { key: Int32Array; mask: Int32Array; actions: Int32Array } | undefined {
    return this.installed.get(ref);
  }

  flows(): IterableIterator<FlowRef> {
    return this.installed.keys();
  }

  flowCount(): number {
    return this.installed.size;
  }

  onRetired(listener: (flow: FlowRef, stats: FlowStats) => void): void {
    this.#retired = listener;
  }

  onUpcall(handler: UpcallHandler): void {
    this.#handler = handler;
  }

  execute(frame: Uint8Array, portNo: number, actions: Int32Array): void {
    this.executed.push({ frame, portNo, actions });
  }

  now(): number {
    return this.#clock.now();
  }

  async quiesce(): Promise<void> {}
  async close(): Promise<void> {}
  portAdd(): PortInfo {
    throw new Error('it has no ports');
  }
  portDel(): void {}
  portSet(): PortInfo {
    throw new Error('it has no ports');
  }
  portInfo(): undefined {}
  ports(): PortInfo[] {
    return [];
  }
  portStats(): PortStats {
    throw new Error('it has no ports');
  }
  inject(): void {}
  onTransmit(): void {}
  onEvent(): void {}
  cacheStats(): [] {
    return [];
  }
  maskStats(): [] {
    return [];
  }
}

const isSame = (a: Int32Array, b: Int32Array): boolean =>
  a.length === b.length && a.every((word, i) => word === b[i]);
