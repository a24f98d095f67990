/**
 * Long work in slices: nothing on the main thread runs longer than 5 ms
 * without letting upcalls and all else have their turn.
 */

/** Milliseconds. */
const SLICE = 4;

export class Slices {
  readonly #size: number;
  #begun = performance.now();
  #before = 0;

  /** @param size milliseconds: less where the work leaves much garbage, whose collection is added */
  constructor(size: number = SLICE) {
    this.#size = size;
  }

  /** Whether this slice is used up. */
  get isOver(): boolean {
    return performance.now() - this.#begun >= this.#size;
  }

  /** Milliseconds worked, pauses not counted. */
  get spent(): number {
    return this.#before + performance.now() - this.#begun;
  }

  /** Resolves at once, unless the slice is used up: then when the next begins. */
  async breathe(): Promise<void> {
    if (this.isOver) await this.pause();
  }

  /** Ends the slice. Resolves when the next begins. */
  async pause(): Promise<void> {
    this.#before = this.spent;
    await new Promise((resolve) => setImmediate(resolve));
    this.#begun = performance.now();
  }
}
