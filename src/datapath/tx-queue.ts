/**
 * What a worker has to send at its next native call: entries of the I/O
 * block's TX region (native.ts), and the counters of the ports they go to.
 */
import { DROP_NO_PORT, DROP_TX_ERROR } from '../dpif/drops.ts';
import { IO_MAX_TX, IO_TX, IO_TX_COUNT, IO_TX_FAILED, TX_RESULT, TX_STRIDE } from '../native.ts';
import { type TxQueue, VNET_SIZE } from './burst.ts';
import type { PortRows } from './port-rows.ts';
import { PORT_CLOSED, PORT_DUMMY } from './shared-state.ts';

/** Takes what cannot go through a descriptor. */
export interface DummyTransmit {
  transmit(port: number, at: number, size: number, at2: number, size2: number): void;
}

export class IoTxQueue implements TxQueue {
  readonly #io: Int32Array;
  readonly #ports: PortRows;
  readonly #flush: () => void;
  readonly #dummies: DummyTransmit;
  #count = 0;

  /** @param flush sends what is queued at once; called when the queue is full */
  constructor(io: Int32Array, ports: PortRows, dummies: DummyTransmit, flush: () => void) {
    this.#io = io;
    this.#ports = ports;
    this.#dummies = dummies;
    this.#flush = flush;
  }

  get count(): number {
    return this.#count;
  }

  push(port: number, at: number, size: number, at2: number, size2: number): void {
    const state = this.#ports.state(port);
    if (state === PORT_CLOSED) {
      this.#ports.drop(port, DROP_NO_PORT);
      return;
    }
    this.#ports.countTx(port, 1, size + size2 - VNET_SIZE);
    if (state === PORT_DUMMY) {
      this.#dummies.transmit(port, at, size, at2, size2);
      return;
    }
    if (this.#count === IO_MAX_TX) this.#flush();
    const entry = IO_TX + this.#count * TX_STRIDE;
    this.#io[entry] = port;
    this.#io[entry + 1] = at;
    this.#io[entry + 2] = size;
    this.#io[entry + 3] = at2;
    this.#io[entry + 4] = size2;
    this.#io[entry + TX_RESULT] = 0;
    this.#io[IO_TX_COUNT] = ++this.#count;
  }

  /** After the native call: counts what was refused and begins anew. */
  sent(): void {
    if (this.#io[IO_TX_FAILED] > 0) this.#countFailures();
    this.#count = 0;
    this.#io[IO_TX_COUNT] = 0;
  }

  #countFailures(): void {
    for (let i = 0; i < this.#count; i++) {
      const entry = IO_TX + i * TX_STRIDE;
      if (this.#io[entry + TX_RESULT] === 0) continue;
      const port = this.#io[entry];
      this.#ports.countTx(port, -1, VNET_SIZE - this.#io[entry + 2] - this.#io[entry + 4]);
      this.#ports.drop(port, DROP_TX_ERROR);
    }
    this.#io[IO_TX_FAILED] = 0;
  }
}
