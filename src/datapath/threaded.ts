/**
 * The threaded datapath: forwarders on worker threads (a Piscina pool, one
 * long task each), devices, and the main thread's service of their upcalls.
 *
 * The main thread sleeps in its event loop until a worker signals its eventfd,
 * serves upcalls for at most SLICE_MS, and lets other events have their turn.
 * A worker that dies is restarted: it finds ports and flows in shared memory;
 * only the frames it had in hand are lost.
 */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { Piscina } from 'piscina';
import type { Dpif, DpifEvent, FlowRef, PortInfo, PortSpec } from '../dpif/dpif.ts';
import { KIND_TAP, native } from '../native.ts';
import type { Device } from '../ports/device.ts';
import { openDevice } from '../ports/open.ts';
import { DatapathCore } from './core.ts';
import { CoreDatapath } from './core-datapath.ts';
import { PortNumbers } from './port-numbers.ts';
import {
  CHANGES,
  controlRow,
  MAX_WORKERS,
  PORT_DUMMY,
  PORT_OPEN,
  SLOTS,
  STOP,
  WORKER_CHANGES,
  WORKER_SLEEPING,
} from './shared-state.ts';
import type { WorkerTask } from './worker.ts';

export interface ThreadedOptions {
  /** Worker threads; by default the CPUs allowed less one, at least one. */
  workers?: number;
  /** By default io_uring where it works. */
  backend?: 'io_uring' | 'plain';
  /** Room for megaflows, a power of two. */
  maxFlows?: number;
  /** CPUs to pin workers to, in order; by default the scheduler decides. */
  cpus?: readonly number[];
}

/** Longest the main thread serves upcalls before other events get their turn. */
const SLICE_MS = 5;
/** How often it looks whether workers have passed an epoch, while something waits for that. */
const SETTLE_MS = 10;
/** Retired flows that it frees at once: a change of rules can retire a hundred thousand. */
const SETTLE_MOST = 2000;
/** Longest it waits for workers to let go of a port before it goes on without. */
const PORT_WAIT_MS = 20;
/** How soon it hands over frames of its own that found no room in the worker's ring. */
const SEND_MS = 1;
const MAX_FLOWS = 2 ** 20;
/** Empty turns, of about a microsecond, before a worker sleeps. */
const SPIN_TURNS = 100;
/** A worker that dies again within this time is restarted only after it. */
const RESTART_MS = 100;

/** @throws TapflowError when the addon or the backend does not work */
export async function openThreadedDatapath(
  options: ThreadedOptions = {},
): Promise<ThreadedDatapath> {
  const datapath = new ThreadedDatapath(options);
  await datapath.ready();
  return datapath;
}

export class ThreadedDatapath extends CoreDatapath implements Dpif {
  readonly #ports: PortNumbers;
  readonly #devices = new Map<number, Device>();
  readonly #pool: Piscina;
  readonly #tasks: WorkerTask[] = [];
  readonly #runs: Promise<void>[] = [];
  readonly #mainFd: number;
  readonly #watch: object;
  readonly #closing = new Set<Promise<void>>();
  #onEvent: (event: DpifEvent) => void = () => {};
  #settleTimer: NodeJS.Timeout | undefined;
  #sendTimer: NodeJS.Timeout | undefined;
  #draining = false;
  #stopped = false;

  constructor(options: ThreadedOptions) {
    const cpus = native().allowedCpus().length;
    const workers = options.workers ?? Math.max(1, cpus - 1);
    if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS) {
      throw new RangeError(`workers must be 1 to ${MAX_WORKERS}, not ${workers}`);
    }
    super(new DatapathCore(workers, options.maxFlows ?? MAX_FLOWS, SLOTS));
    const backend = options.backend ?? (native().probeIoUring() ? 'io_uring' : 'plain');
    this.#ports = new PortNumbers(this.core);
    this.#mainFd = native().openEvent();
    this.core.setPortFailedListener((portNo, errno) => this.#portFailed(portNo, errno));
    this.#watch = native().watchEvent(this.#mainFd, () => this.#drain());
    for (let worker = 0; worker < workers; worker++) {
      this.#tasks.push({
        shared: this.core.shared,
        worker,
        backend,
        eventFd: native().openEvent(),
        mainFd: this.#mainFd,
        spin: cpus > workers ? SPIN_TURNS : 0,
        cpu: options.cpus?.[worker],
      });
    }
    this.#pool = new Piscina({
      filename: workerFile(),
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled',
    });
    for (const task of this.#tasks) this.#runs.push(this.#run(task));
  }

  /** The worker threads: for those who measure them, or end one to see what happens. */
  get threads(): Piscina['threads'] {
    return this.#pool.threads;
  }

  /** Resolves when every worker forwards. */
  async ready(): Promise<void> {
    Atomics.add(this.core.shared.control, CHANGES, 1);
    const failed = Promise.all(this.#runs).then(() => {
      throw new Error('a worker ended before it was ready');
    });
    await Promise.race([this.#acknowledged(), failed]);
    failed.catch(() => {});
  }

  portAdd(spec: PortSpec): PortInfo {
    const portNo = this.#ports.take(spec.name);
    try {
      const device = openDevice(spec, this.#tasks.length);
      this.#devices.set(portNo, device);
      const info: PortInfo = { portNo, spec, ...portLink(device), warnings: device.warnings };
      this.#ports.open(info, {
        state: device.fds.tx < 0 ? PORT_DUMMY : PORT_OPEN,
        kind: device.kind,
        offloads: device.offloads,
        txFd: device.fds.tx,
        rxFds: this.#assign(portNo, device.fds.rx),
      });
      this.#wakeAll();
      return { ...info };
    } catch (error) {
      this.#ports.free(portNo);
      throw error;
    }
  }

  portDel(portNo: number): void {
    const device = this.#devices.get(portNo);
    if (device === undefined) return;
    this.#devices.delete(portNo);
    const change = this.#ports.close(portNo);
    this.#wakeAll();
    const release = (): Promise<void> => {
      this.#ports.free(portNo);
      return closeDevice(device);
    };
    if (this.#waitFor(change, PORT_WAIT_MS)) this.#later(release());
    else this.#later(this.#acknowledged().then(release));
  }

  portSet(portNo: number, change: { mac?: string; mtu?: number; up?: boolean }): PortInfo {
    this.#devices.get(portNo)?.set(change);
    return this.#asNow(this.#ports.change(portNo, change));
  }

  portInfo(portNo: number): PortInfo | undefined {
    const info = this.#ports.info(portNo);
    return info && this.#asNow(info);
  }

  ports(): PortInfo[] {
    return this.#ports.all().map((info) => this.#asNow(info));
  }

  override flowPut(key: Int32Array, mask: Int32Array, actions: Int32Array): FlowRef | undefined {
    const flow = super.flowPut(key, mask, actions);
    this.#settleSoon();
    return flow;
  }

  override flowDel(flow: FlowRef): void {
    super.flowDel(flow);
    this.#settleSoon();
  }

  execute(frame: Uint8Array, portNo: number, actions: Int32Array): void {
    this.core.send(frame, portNo, actions);
    this.#wakeToSend();
  }

  inject(frame: Uint8Array, portNo: number): void {
    this.core.send(frame, portNo, undefined);
    this.#wakeToSend();
  }

  onEvent(listener: (event: DpifEvent) => void): void {
    this.#onEvent = listener;
  }

  now(): number {
    return Number(process.hrtime.bigint() / 1000n) / 1000;
  }

  async quiesce(): Promise<void> {
    while (!this.#stopped && this.core.isSending) await tick();
    const epoch = this.core.advanceEpoch();
    await this.#acknowledged();
    while (!this.#stopped && this.core.passedEpoch() < epoch) await tick();
    while (this.core.settle(SETTLE_MOST)) await tick();
    await Promise.all(this.#closing);
  }

  async close(): Promise<void> {
    if (this.#stopped) return;
    for (const { portNo } of this.#ports.all()) this.portDel(portNo);
    await Promise.all(this.#closing);
    this.#stopped = true;
    Atomics.store(this.core.shared.control, STOP, 1);
    for (const { eventFd } of this.#tasks) native().signalEvent(eventFd);
    await Promise.all(this.#runs);
    await this.#pool.destroy();
    clearTimeout(this.#settleTimer);
    clearTimeout(this.#sendTimer);
    native().unwatchEvent(this.#watch);
    native().closeFd(this.#mainFd);
    for (const { eventFd } of this.#tasks) native().closeFd(eventFd);
  }

  /** Runs a worker until it stops, again when it dies. */
  async #run(task: WorkerTask): Promise<void> {
    for (let started = this.now(); ; started = this.now()) {
      try {
        await this.#pool.run(task);
        return;
      } catch (error) {
        if (this.#stopped) return;
        const reason = error instanceof Error ? error.message : String(error);
        this.#onEvent({ kind: 'worker-died', worker: task.worker, reason });
        this.core.resetWorker(task.worker);
        if (this.now() - started < RESTART_MS) await tick(RESTART_MS);
        this.#onEvent({ kind: 'worker-restarted', worker: task.worker });
      }
    }
  }

  /**
   * A packet socket also fails when its interface goes down: that is a state, not the end, as long
   * as the interface is the one that was opened.
   */
  #portFailed(portNo: number, errno: number): void {
    const info = this.#ports.info(portNo);
    if (info === undefined) return;
    const isOpened = this.#asNow(info).ifindex === info.ifindex;
    if (isOpened && errno === constants.errno.ENETDOWN) return;
    const reason = `the device cannot be read any more (${getSystemErrorName(-errno)})`;
    this.#onEvent({ kind: 'port-failed', portNo, reason });
  }

  /**
   * With the link as the kernel has it now. A socket does not follow its interface's name to another;
   * a TAP stays ours, and may get another index when it is moved to another namespace.
   */
  #asNow(info: PortInfo): PortInfo {
    try {
      const device = this.#devices.get(info.portNo);
      const link = device?.info();
      if (link === undefined) return { ...info, ...GONE };
      if (device?.kind !== KIND_TAP && link.ifindex !== info.ifindex) return { ...info, ...GONE };
      const { ifindex, mac, mtu, up, running } = link;
      // From now on packets of that size pass.
      if (mtu !== info.mtu) this.#ports.change(info.portNo, { mtu });
      return { ...info, ifindex, mac, mtu, adminUp: up, linkUp: running };
    } catch {
      return { ...info, ...GONE };
    }
  }

  /** Queue q of a port is read by one worker; several queues go to as many. */
  #assign(portNo: number, rxFds: readonly number[]): number[] {
    const workers = this.#tasks.length;
    const assigned = new Array<number>(workers).fill(-1);
    for (const [q, fd] of rxFds.entries()) assigned[(portNo + q) % workers] = fd;
    return assigned;
  }

  #drain(): void {
    if (this.#draining || this.#stopped) return;
    this.#draining = true;
    const end = performance.now() + SLICE_MS;
    let left = false;
    for (const { worker } of this.#tasks) {
      left = this.core.drain(worker, () => performance.now() > end) || left;
      this.#wake(worker);
    }
    this.#draining = false;
    this.#settleSoon();
    if (left) setImmediate(() => this.#drain());
  }

  /** Wakes a sleeping worker. */
  #wake(worker: number): void {
    const { control } = this.core.shared;
    if (Atomics.load(control, controlRow(worker) + WORKER_SLEEPING) === 0) return;
    native().signalEvent(this.#tasks[worker].eventFd);
  }

  #wakeAll(): void {
    for (const { worker } of this.#tasks) this.#wake(worker);
  }

  /** The worker says nothing when it has made room, so what still waits is looked after by a timer. */
  #wakeToSend(): void {
    this.#wake(0);
    if (this.#sendTimer !== undefined || !this.core.isSending || this.#stopped) return;
    this.#sendTimer = setTimeout(() => {
      this.#sendTimer = undefined;
      this.core.sendWaiting();
      this.#wakeToSend();
    }, SEND_MS);
    this.#sendTimer.unref();
  }

  #settleSoon(): void {
    if (this.#settleTimer !== undefined || !this.core.hasRetired || this.#stopped) return;
    this.#settleTimer = setTimeout(() => {
      this.#settleTimer = undefined;
      this.core.settle(SETTLE_MOST);
      this.#settleSoon();
    }, SETTLE_MS);
    this.#settleTimer.unref();
  }

  #hasAcknowledged(change: number): boolean {
    const { control } = this.core.shared;
    return this.#tasks.every(
      ({ worker }) => ((control[controlRow(worker) + WORKER_CHANGES] - change) | 0) >= 0,
    );
  }

  /** Sleeps the main thread shortly; a turn takes microseconds. */
  #waitFor(change: number, ms: number): boolean {
    const { control } = this.core.shared;
    for (let waited = 0; waited < ms * 10 && !this.#hasAcknowledged(change); waited++) {
      Atomics.wait(control, CHANGES, change, 0.1);
    }
    return this.#hasAcknowledged(change);
  }

  async #acknowledged(): Promise<void> {
    const change = Atomics.load(this.core.shared.control, CHANGES);
    this.#wakeAll();
    while (!this.#stopped && !this.#hasAcknowledged(change)) await tick();
  }

  #later(work: Promise<void>): void {
    const done = work.finally(() => this.#closing.delete(done));
    this.#closing.add(done);
  }
}

const GONE = { ifindex: 0, adminUp: false, linkUp: false };

const portLink = (device: Device) => {
  const { ifindex, mac, mtu, up, running } = device.info();
  return { ifindex, mac, mtu, adminUp: up, linkUp: running };
};

/** At once, unless it takes long. */
async function closeDevice(device: Device): Promise<void> {
  if (device.closeLater === undefined) device.close();
  else await device.closeLater();
}

const tick = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Node 20 loads no TypeScript in a worker: it always comes from dist/, bundled (rolldown.config.js). */
function workerFile(): string {
  const here = import.meta.url;
  const path = here.endsWith('.ts') ? '../../dist/worker.js' : '../worker.js';
  return new URL(path, here).href;
}
