/** A BurstIo over the native binding: one native call a turn. */
import { type Binding, IO_NOW, IO_WORDS, type IoHandle, native } from '../native.ts';
import type { BurstIo } from './forwarder.ts';

/** What of the binding it uses; warm-up.ts rehearses with another. */
export type IoBinding = Pick<Binding, 'ioOpen' | 'ioTurn' | 'ioSetPort' | 'ioDelPort' | 'ioClose'>;

export class NativeIo implements BurstIo {
  /** Shared, though with nobody: the binding need not ask in each turn whether it has moved. */
  readonly block = new Int32Array(new SharedArrayBuffer(IO_WORDS * 4));
  readonly #now: Float64Array = new Float64Array(this.block.buffer, IO_NOW * 4, 1);
  readonly #handle: IoHandle;
  readonly #mainFd: number;
  readonly #binding: IoBinding;
  readonly #ioTurn: IoBinding['ioTurn'];

  /**
   * @param eventFd wakes this worker
   * @param mainFd wakes the main thread
   * @throws TapflowError when the backend does not work here
   */
  constructor(
    backend: string,
    arena: SharedArrayBuffer,
    eventFd: number,
    mainFd: number,
    binding: IoBinding = native(),
  ) {
    this.#binding = binding;
    this.#ioTurn = binding.ioTurn;
    this.#handle = binding.ioOpen(backend, new Uint8Array(arena), this.block, eventFd);
    this.#mainFd = mainFd;
  }

  turn(timeoutMs: number, notify: boolean): number {
    return this.#ioTurn(this.#handle, timeoutMs, notify ? this.#mainFd : -1);
  }

  setPort(port: number, kind: number, txFd: number, rxFd: number): void {
    this.#binding.ioSetPort(this.#handle, port, kind, txFd, rxFd);
  }

  delPort(port: number): void {
    this.#binding.ioDelPort(this.#handle, port);
  }

  now(): number {
    return this.#now[0];
  }

  close(): void {
    this.#binding.ioClose(this.#handle);
  }
}
