/**
 * A port that always has frames: stands in for the native call in a worker's
 * loop. Every slot of the arena holds the same UDP frame from the start; a turn
 * only puts the next flow's source address into each slot it hands over, and
 * forgets what was sent.
 */

import { VNET_SIZE } from '../../dist/datapath/burst.js';
import { slotAt } from '../../dist/datapath/shared-state.js';
import {
  IO_FREE,
  IO_FREE_COUNT,
  IO_FREE_USED,
  IO_RX,
  IO_TX_FAILED,
  IO_WORDS,
  RX_STRIDE,
} from '../../dist/native.js';

/** Without the check sequence that makes 64 of it. */
const FRAME_SIZE = 60;
/** What a worker reads of one port in a turn. */
const BURST = 64;
const SOURCE_ADDRESS = 26;
const NET_10 = 0x0a000000;
/** Power of two. Long enough that a flow's place in it tells a cache nothing. */
const SEQUENCE = 1 << 20;
const SEED = 12345;

export const IN_PORT = 1;
export const OUT_PORT = 2;

/** Implements BurstIo of datapath/forwarder.ts. */
export class FrameSource {
  block = new Int32Array(IO_WORDS);
  /** Frames handed over. */
  count = 0;
  #view;
  #sequence;
  #next = 0;

  /**
   * @param {SharedArrayBuffer} arena
   * @param {number} slots
   * @param {number} flows
   */
  constructor(arena, slots, flows) {
    this.#view = new DataView(arena);
    this.#sequence = randomFlows(flows);
    const bytes = new Uint8Array(arena);
    for (let slot = 0; slot < slots; slot++) bytes.set(frame(), slotAt(slot) + VNET_SIZE);
  }

  turn() {
    const { block } = this;
    const n = Math.min(BURST, block[IO_FREE_COUNT]);
    for (let i = 0; i < n; i++) {
      const at = block[IO_FREE + i];
      this.#view.setInt32(at + VNET_SIZE + SOURCE_ADDRESS, this.nextAddress());
      block[IO_RX + i * RX_STRIDE] = IN_PORT;
      block[IO_RX + i * RX_STRIDE + 1] = at;
      block[IO_RX + i * RX_STRIDE + 2] = FRAME_SIZE + VNET_SIZE;
    }
    block[IO_FREE_USED] = n;
    block[IO_TX_FAILED] = 0;
    this.count += n;
    return n;
  }

  nextAddress() {
    this.#next = (this.#next + 1) & (SEQUENCE - 1);
    return NET_10 | this.#sequence[this.#next];
  }

  setPort() {}

  delPort() {}

  now() {
    return 0;
  }
}

/** A UDP packet from 10.0.0.0 to 10.255.0.1. */
export function frame() {
  const bytes = new Uint8Array(FRAME_SIZE);
  bytes.set([0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00]);
  bytes.set(
    [0x45, 0, 0, FRAME_SIZE - 14, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 10, 255, 0, 1],
    14,
  );
  bytes.set([0x13, 0x88, 0x13, 0x89, 0, FRAME_SIZE - 34, 0, 0], 34);
  return bytes;
}

/**
 * Uniform, by a linear congruential generator, so that runs can be compared.
 * @param {number} flows
 */
function randomFlows(flows) {
  let state = SEED;
  return Int32Array.from({ length: SEQUENCE }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * flows);
  });
}
