/**
 * Port numbers and their rows in shared memory: main thread only. A number is
 * free again only after `free`, which the owner calls when every worker has
 * acknowledged that the port is closed.
 */
import type { PortInfo } from '../dpif/dpif.ts';
import { TapflowError } from '../lib/error.ts';
import type { DatapathCore } from './core.ts';
import {
  CHANGES,
  MAX_PORTS,
  MAX_WORKERS,
  PORT_CLOSED,
  PORT_GENERATION,
  PORT_KIND,
  PORT_MTU,
  PORT_OFFLOADS,
  PORT_ROW,
  PORT_RX_FDS,
  PORT_STATE,
  PORT_TX_FD,
} from './shared-state.ts';

/** How workers reach a port. */
export interface PortAccess {
  /** PORT_OPEN or PORT_DUMMY */
  state: number;
  /** KIND_* of native.ts */
  kind: number;
  offloads: number;
  txFd: number;
  /** By worker; missing: does not read it. */
  rxFds: readonly number[];
}

export class PortNumbers {
  readonly #core: DatapathCore;
  readonly #infos: (PortInfo | undefined)[] = [];
  /** Taken and not yet freed. */
  readonly #taken = new Set<number>();

  constructor(core: DatapathCore) {
    this.#core = core;
  }

  /** The lowest free number. @throws TapflowError EEXIST, ENOSPC */
  take(name: string): number {
    if (this.all().some((info) => info.spec.name === name)) {
      throw new TapflowError('EEXIST', `a port named "${name}" exists already`);
    }
    for (let portNo = 1; portNo < MAX_PORTS; portNo++) {
      if (this.#taken.has(portNo)) continue;
      this.#taken.add(portNo);
      return portNo;
    }
    throw new TapflowError('ENOSPC', `port "${name}": there are ${MAX_PORTS - 1} ports already`);
  }

  /** Shows the port to the workers. @returns the change to wait for */
  open(info: PortInfo, access: PortAccess): number {
    this.#infos[info.portNo] = info;
    this.#core.clearPortStats(info.portNo);
    const { ports } = this.#core.shared;
    const row = info.portNo * PORT_ROW;
    ports[row + PORT_KIND] = access.kind;
    ports[row + PORT_OFFLOADS] = access.offloads;
    ports[row + PORT_MTU] = info.mtu;
    ports[row + PORT_TX_FD] = access.txFd;
    for (let w = 0; w < MAX_WORKERS; w++) ports[row + PORT_RX_FDS + w] = access.rxFds[w] ?? -1;
    return this.#publish(row, access.state);
  }

  /** @returns the change that workers must acknowledge before `free`; 0 if there is no such port */
  close(portNo: number): number {
    if (this.#infos[portNo] === undefined) return 0;
    this.#infos[portNo] = undefined;
    return this.#publish(portNo * PORT_ROW, PORT_CLOSED);
  }

  free(portNo: number): void {
    this.#taken.delete(portNo);
  }

  /** Records what has been changed on the device. @throws TapflowError ENODEV */
  change(portNo: number, change: { mac?: string; mtu?: number; up?: boolean }): PortInfo {
    const info = this.#infos[portNo];
    if (info === undefined) throw new TapflowError('ENODEV', `there is no port ${portNo}`);
    info.mac = change.mac ?? info.mac;
    info.mtu = change.mtu ?? info.mtu;
    info.adminUp = change.up ?? info.adminUp;
    info.linkUp = change.up ?? info.linkUp;
    Atomics.store(this.#core.shared.ports, portNo * PORT_ROW + PORT_MTU, info.mtu);
    return { ...info };
  }

  info(portNo: number): PortInfo | undefined {
    const info = this.#infos[portNo];
    return info && { ...info };
  }

  all(): PortInfo[] {
    return this.#infos.filter((info) => info !== undefined).map((info) => ({ ...info }));
  }

  #publish(row: number, state: number): number {
    const { ports, control } = this.#core.shared;
    Atomics.store(ports, row + PORT_STATE, state);
    Atomics.add(ports, row + PORT_GENERATION, 1);
    return Atomics.add(control, CHANGES, 1) + 1;
  }
}
