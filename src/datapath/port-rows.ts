/**
 * A worker's view of the ports: what the main thread says of them, and this
 * worker's own counters. Plain loads and stores; nothing allocates.
 */
import type { PortTable } from './burst.ts';
import {
  MAX_PORTS,
  PORT_CLOSED,
  PORT_MTU,
  PORT_OFFLOADS,
  PORT_ROW,
  PORT_STAT_ROW,
  PORT_STATE,
  PSTAT_DROPS,
  PSTAT_RX_BYTES,
  PSTAT_RX_PACKETS,
  PSTAT_TX_BYTES,
  PSTAT_TX_PACKETS,
} from './shared-state.ts';

export class PortRows implements PortTable {
  readonly #ports: Int32Array;
  readonly #stats: Float64Array;

  constructor(ports: Int32Array, stats: Float64Array) {
    this.#ports = ports;
    this.#stats = stats;
  }

  /** PORT_CLOSED for a number that is none. */
  state(port: number): number {
    if (port <= 0 || port >= MAX_PORTS) return PORT_CLOSED;
    return this.#ports[port * PORT_ROW + PORT_STATE];
  }

  offloads(port: number): number {
    return this.state(port) === PORT_CLOSED ? -1 : this.#ports[port * PORT_ROW + PORT_OFFLOADS];
  }

  mtu(port: number): number {
    return this.#ports[port * PORT_ROW + PORT_MTU];
  }

  drop(port: number, reason: number): void {
    if (port <= 0 || port >= MAX_PORTS) return;
    this.#stats[port * PORT_STAT_ROW + PSTAT_DROPS + reason]++;
  }

  countRx(port: number, packets: number, bytes: number): void {
    this.#stats[port * PORT_STAT_ROW + PSTAT_RX_PACKETS] += packets;
    this.#stats[port * PORT_STAT_ROW + PSTAT_RX_BYTES] += bytes;
  }

  countTx(port: number, packets: number, bytes: number): void {
    this.#stats[port * PORT_STAT_ROW + PSTAT_TX_PACKETS] += packets;
    this.#stats[port * PORT_STAT_ROW + PSTAT_TX_BYTES] += bytes;
  }
}
