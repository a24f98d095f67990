/**
 * The memory that the main thread and the workers share, and who writes what.
 *
 *   control   main: the global words                 each worker: its own row
 *   ports     main: all of it
 *   masks     main: all of it, before a flow refers to it
 *   portMasks main: per port, the masks its flows use
 *   flows     main: records, see flow-table.ts
 *   table     main: two hash tables, one in force, one being built
 *   and for each worker
 *   arena     worker: frames; main reads parked ones
 *   upcalls   worker: entries and head      main: tail     (ring)
 *   answers   main: entries and head        worker: tail   (ring)
 *   flowStats, portStats, counters    worker; main reads, and zeroes a
 *             retired flow's row when no worker can touch it any more
 *
 * All big regions are reserved at their largest size and cost memory only
 * where they are touched: a SharedArrayBuffer is calloc'ed, and so lazily
 * backed by the kernel.
 *
 * Lifetimes. A record, mask or descriptor that a worker may be looking at is
 * not reused until every worker has been seen outside its burst at a later
 * EPOCH: a worker stores the epoch it read when its turn began into
 * WORKER_EPOCH when the turn ends, and ASLEEP while it sleeps or is not there.
 */

import { DROP_REASONS } from '../dpif/drops.ts';
import { KEY_WORDS } from '../flow/key.ts';
import { SLOT_CAPACITY, SLOT_HEADROOM } from './burst.ts';

/** Ports are numbered 1 to MAX_PORTS - 1. */
export const MAX_PORTS = 1024;
/** Masks are numbered 1 to MAX_MASKS - 1; 0 marks a dead flow record. */
export const MAX_MASKS = 16384;

// control: global words, then a row of CONTROL_ROW words a worker.
/** Grows with each retirement; see above. */
export const EPOCH = 0;
/** Grows with each change of ports; workers acknowledge in WORKER_CHANGES. */
export const CHANGES = 1;
/** Which table is in force: region << 8 | log2 of its entries. */
export const TABLE = 2;
export const STOP = 3;
/** Grows when mask numbers are about to be reused: workers forget what they compiled. */
export const MASKS = 4;
export const CONTROL_ROW = 16;
export const WORKER_EPOCH = 0;
export const WORKER_CHANGES = 1;
/** 1 from before the worker looks for work a last time until it is awake. */
export const WORKER_SLEEPING = 2;
export const ASLEEP = -1;

/**
 * Epochs go round: at a hundred a second, int32 is used up after 248 days. What is compared is
 * never half of the round apart.
 */
export const epochAfter = (epoch: number): number =>
  ((epoch + 1) | 0) === ASLEEP ? 0 : (epoch + 1) | 0;

export const isEarlier = (epoch: number, other: number): boolean => ((epoch - other) | 0) < 0;

// ports: PORT_ROW words a port.
export const PORT_ROW = 64;
export const PORT_STATE = 0;
export const PORT_CLOSED = 0;
export const PORT_OPEN = 1;
/** No descriptor: transmits go to the listener, or nowhere. */
export const PORT_DUMMY = 2;
export const PORT_KIND = 1;
export const PORT_OFFLOADS = 2;
export const PORT_MTU = 3;
export const PORT_TX_FD = 4;
/** Grows whenever the row is reused, so that a worker notices. */
export const PORT_GENERATION = 5;
/** Length of this port's list in portMasks, and how often an entry was removed from it. */
export const PORT_MASK_COUNT = 6;
export const PORT_MASK_GENERATION = 7;
/** The descriptor that worker w reads, or -1, at PORT_RX_FDS + w. */
export const PORT_RX_FDS = 8;
export const MAX_WORKERS = PORT_ROW - PORT_RX_FDS;

// masks: MASK_ROW words a mask.
export const MASK_COUNT = 0;
export const MASK_SEED = 1;
/** Indices of the words covered, ascending, then their mask values. */
export const MASK_WORDS = 2;
export const MASK_VALUES = MASK_WORDS + KEY_WORDS;
export const MASK_ROW = MASK_VALUES + KEY_WORDS;

// flowStats: STAT_ROW doubles a flow.
export const STAT_PACKETS = 0;
export const STAT_BYTES = 1;
export const STAT_USED = 2;
export const STAT_TCP_FLAGS = 3;
export const STAT_ROW = 4;

// portStats: PORT_STAT_ROW doubles a port.
export const PSTAT_RX_PACKETS = 0;
export const PSTAT_RX_BYTES = 1;
export const PSTAT_TX_PACKETS = 2;
export const PSTAT_TX_BYTES = 3;
export const PSTAT_DROPS = 4;
export const PORT_STAT_ROW = PSTAT_DROPS + DROP_REASONS;

// counters: doubles of a worker, then hits and compiled flag by mask.
export const COUNT_PACKETS = 0;
export const COUNT_MICROFLOW = 1;
export const COUNT_MEGAFLOW = 2;
export const COUNT_SUBTABLES = 3;
export const COUNT_MISSES = 4;
export const COUNT_LOST = 5;
export const COUNT_TURNS = 6;
export const COUNT_SLEEPS = 7;
export const COUNT_MASKS = 8;
export const MASK_HITS = 0;
export const MASK_COMPILED = 1;
export const COUNTERS = COUNT_MASKS + 2 * MAX_MASKS;

/**
 * Distance between slots: an odd number of pages, so that the slots in use
 * spread over the sets of the TLB; each frame also begins some cache lines
 * later than the one before, so that they spread over the sets of the caches.
 */
const SLOT_STRIDE = 19 * 4096;
const SLOT_STAGGER_LINES = 64;
const CACHE_LINE = 64;
if (SLOT_HEADROOM + SLOT_CAPACITY + SLOT_STAGGER_LINES * CACHE_LINE > SLOT_STRIDE) {
  throw new RangeError('slots overlap');
}
/** Byte offset of the virtio-net header of a frame in a fresh slot. */
export const slotAt = (slot: number): number =>
  slot * SLOT_STRIDE + (slot % SLOT_STAGGER_LINES) * CACHE_LINE + SLOT_HEADROOM;
/** The slot that holds byte `at`. */
export const slotOf = (at: number): number => (at / SLOT_STRIDE) | 0;
export const SLOTS = 1024;
/** Slots at the end of each arena that belong to the main thread, for frames it sends. */
export const MAIN_SLOTS = 16;

// upcalls: HEAD and TAIL words, then UPCALL_MAX entries.
export const RING_HEAD = 0;
export const RING_TAIL = 16;
export const RING_DATA = 32;
export const UPCALL_MAX = 512;
export const UPCALL_AT = 0;
export const UPCALL_SIZE = 1;
export const UPCALL_PORT = 2;
export const UPCALL_REASON = 3;
export const UPCALL_COOKIE = 4;
/** Bytes of the frame that were handed over (controller max_len may be less than its size). */
export const UPCALL_FULL_SIZE = 5;
export const UPCALL_KEY = 6;
export const UPCALL_ROW = UPCALL_KEY + KEY_WORDS;

// answers: HEAD and TAIL (in words, growing, modulo ANSWER_WORDS), then records
// of [size in words, slot's at, frame's size, port, action words ...]. Size 0: skip to the start.
// A frame in one of the main thread's slots is copied by the worker, so that
// slot is free again as soon as TAIL has passed the record.
export const ANSWER_WORDS = 1 << 16;
export const ANSWER_HEAD_WORDS = 4;
/** In an answer's port word: no actions, classify the frame as if it had been received. */
export const ANSWER_INJECT = 1 << 16;
/** Action words of a flow, or of an answer, at most. */
export const LONGEST_ACTIONS = 8192;

export interface WorkerState {
  arena: SharedArrayBuffer;
  upcalls: Int32Array;
  answers: Int32Array;
  flowStats: Float64Array;
  portStats: Float64Array;
  counters: Float64Array;
}

export interface SharedState {
  /** Flows that fit. */
  maxFlows: number;
  /** Seeds every hash, drawn at random at start. */
  seed: number;
  control: Int32Array;
  ports: Int32Array;
  masks: Int32Array;
  portMasks: Int32Array;
  flows: Int32Array;
  table: Int32Array;
  workers: WorkerState[];
}

const words = (n: number): Int32Array => new Int32Array(new SharedArrayBuffer(n * 4));
const doubles = (n: number): Float64Array => new Float64Array(new SharedArrayBuffer(n * 8));

/** Words reserved for flow records: an average of 64 a flow, four times what a typical one takes. */
const RECORD_WORDS_PER_FLOW = 64;

/**
 * @param maxFlows a power of two
 * @param slots frames that each worker can have in hand
 */
export function newSharedState(
  workers: number,
  maxFlows: number,
  slots: number,
  seed: number,
): SharedState {
  const state: SharedState = {
    maxFlows,
    seed,
    control: words(CONTROL_ROW * (workers + 1)),
    ports: words(MAX_PORTS * PORT_ROW),
    masks: words(MAX_MASKS * MASK_ROW),
    portMasks: words(MAX_PORTS * MAX_MASKS),
    flows: words(maxFlows * RECORD_WORDS_PER_FLOW),
    // Two regions of at most four entries a flow, two words each.
    table: words(2 * maxFlows * 4 * 2),
    workers: [],
  };
  for (let w = 0; w < workers; w++) {
    state.workers.push({
      arena: new SharedArrayBuffer((slots + MAIN_SLOTS) * SLOT_STRIDE),
      upcalls: words(RING_DATA + UPCALL_MAX * UPCALL_ROW),
      answers: words(RING_DATA + ANSWER_WORDS),
      flowStats: doubles(maxFlows * STAT_ROW),
      portStats: doubles(MAX_PORTS * PORT_STAT_ROW),
      counters: doubles(COUNTERS),
    });
    state.control[controlRow(w) + WORKER_EPOCH] = ASLEEP;
  }
  return state;
}

/** Index in `control` of a worker's row. */
export const controlRow = (worker: number): number => (worker + 1) * CONTROL_ROW;
