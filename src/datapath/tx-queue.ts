/**
 * What a worker has to send at its next native call: entries of the I/O
 * block's TX region (native.ts), and the counters of the ports they go to.
 */
import { constants } from 'node:os';
import { DROP_MTU, DROP_NO_PORT, DROP_TX_ERROR } from '../dpif/drops.ts';
import { IO_MAX_TX, IO_TX, IO_TX_COUNT, IO_TX_FAILED, TX_RESULT, TX_STRIDE } from '../native.ts';
import { type TxQueue, VNET_SIZE } from './burst.ts';
import type { PortRows } from './port-rows.ts';
import { PORT_CLOSED, PORT_OPEN } from './shared-state.ts';

/**
 * A packet socket takes an Ethernet header, an 802.1Q tag and the MTU, so the kernel refuses a full
 * frame with two tags, or with one of type 0x88a8, that output.ts lets pass.
 */
const TOO_LARGE = constants.errno.EMSGSIZE;

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
  /** The port of the last push, looked up once for a run of pushes, and what the run has added. */
  #port = -1;
  #state = PORT_CLOSED;
  #packets = 0;
  #bytes = 0;

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
    if (port !== this.#port) this.#turnTo(port);
    if (this.#state !== PORT_OPEN) {
      this.#pushElsewhere(port, at, size, at2, size2);
      return;
    }
    if (this.#count === IO_MAX_TX) this.#makeRoom(port);
    this.#packets++;
    this.#bytes += size + size2 - VNET_SIZE;
    const io = this.#io;
    const entry = IO_TX + this.#count * TX_STRIDE;
    io[entry] = port;
    io[entry + 1] = at;
    io[entry + 2] = size;
    io[entry + 3] = at2;
    io[entry + 4] = size2;
    this.#count++;
  }

  /** Before the native call: the entries and the counters are complete. */
  close(): void {
    this.#turnTo(-1);
    this.#io[IO_TX_COUNT] = this.#count;
  }

  /** After the native call: counts what was refused and begins anew. */
  sent(): void {
    if (this.#io[IO_TX_FAILED] > 0) this.#countFailures();
    this.#count = 0;
    this.#io[IO_TX_COUNT] = 0;
  }

  #turnTo(port: number): void {
    if (this.#packets > 0) this.#ports.countTx(this.#port, this.#packets, this.#bytes);
    this.#packets = 0;
    this.#bytes = 0;
    this.#port = port;
    this.#state = this.#ports.state(port);
  }

  #pushElsewhere(port: number, at: number, size: number, at2: number, size2: number): void {
    if (this.#state === PORT_CLOSED) {
      this.#ports.drop(port, DROP_NO_PORT);
    } else {
      this.#packets++;
      this.#bytes += size + size2 - VNET_SIZE;
      this.#dummies.transmit(port, at, size, at2, size2);
    }
  }

  #makeRoom(port: number): void {
    this.#flush();
    this.#turnTo(port);
  }

  #countFailures(): void {
    for (let i = 0; i < this.#count; i++) {
      const entry = IO_TX + i * TX_STRIDE;
      const errno = this.#io[entry + TX_RESULT];
      if (errno === 0) continue;
      const port = this.#io[entry];
      this.#ports.countTx(port, -1, VNET_SIZE - this.#io[entry + 2] - this.#io[entry + 4]);
      this.#ports.drop(port, errno === TOO_LARGE ? DROP_MTU : DROP_TX_ERROR);
    }
    this.#io[IO_TX_FAILED] = 0;
  }
}
