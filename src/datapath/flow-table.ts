/**
 * The megaflow table's writer. One on the main thread; workers only read what
 * it publishes (subtable.ts says how they look things up).
 *
 *   put      record written -> mask listed for the port -> table entry stored
 *   replace  new record written -> the table entry now points to it
 *   delete   table entry REMOVED -> record's mask 0 -> freed after an epoch
 *
 * Each step ends in an Atomics.store of the one word that makes it visible; a
 * reader that comes in between sees the flow before or after, never half. What
 * is retired (records, masks, the table's other region) waits in limbo.ts for
 * `reclaim`, which the owner calls with the epoch that every worker has passed.
 *
 * The hash table doubles into its other region when half full, a few entries
 * per put, while both regions get every change: no put takes long.
 */

import type { FlowRef, FlowStats } from '../dpif/dpif.ts';
import { IN_PORT, KEY_WORDS } from '../flow/key.ts';
import { HashRegion } from './hash-region.ts';
import { Limbo } from './limbo.ts';
import { RecordAllocator } from './record-allocator.ts';
import {
  EPOCH,
  LONGEST_ACTIONS,
  MASK_COUNT,
  MASK_ROW,
  MASK_SEED,
  MASK_VALUES,
  MASK_WORDS,
  MASKS,
  MAX_MASKS,
  PORT_MASK_COUNT,
  PORT_MASK_GENERATION,
  PORT_ROW,
  type SharedState,
  STAT_BYTES,
  STAT_PACKETS,
  STAT_ROW,
  STAT_TCP_FLAGS,
  STAT_USED,
  TABLE,
} from './shared-state.ts';
import {
  FLOW_ACTIONS,
  FLOW_END,
  FLOW_HASH,
  FLOW_KEY,
  FLOW_MASK,
  FLOW_STATS,
  hashMasked,
  lookupGeneric,
} from './subtable.ts';

const SMALLEST_TABLE_LOG2 = 10;
/** Old entries moved with each put while the table grows: done long before the new one fills. */
const MOVED_PER_PUT = 16;
/** Retired mask numbers are made usable again this many at a time: workers then compile anew. */
const STALE_MASKS = 1024;

// What waits in limbo, and the number that goes with it.
const RECORD = 0;
/** A mask without flows: its number is stale then. */
const MASK = 1;
/** A stale mask number that workers have been told to forget. */
const MASK_NUMBER = 2;
/** The region that was in force before the table grew. */
const REGION = 3;

interface Mask {
  number: number;
  text: string;
  flows: number;
  /** Flows by port: when it falls to 0 the mask leaves that port's list. */
  ports: Map<number, number>;
}

export class FlowTable {
  readonly #shared: SharedState;
  readonly #records: RecordAllocator;
  /** By flow (its statistics row): its record, 0 if none. */
  readonly #recordOf: Int32Array;
  readonly #freeRows: number[] = [];
  #nextRow = 1;
  #count = 0;
  readonly #masks = new Map<string, Mask>();
  readonly #maskByNumber: (Mask | undefined)[] = [];
  /** Numbers never used or reusable, and numbers whose compiled functions may live on in workers. */
  readonly #freeMasks: number[] = [];
  #staleMasks: number[] = [];
  #nextMask = 1;
  readonly #limbo = new Limbo((kind, number) => this.#free(kind, number));

  /** The table in force, and the one being filled when the table grows. */
  #table: HashRegion;
  #growing: HashRegion | undefined;
  #growAt = 0;
  /** Whether the region not in force may be written again. */
  #otherRegionFree = true;

  constructor(shared: SharedState) {
    this.#shared = shared;
    this.#records = new RecordAllocator(shared.flows.length);
    this.#recordOf = new Int32Array(shared.maxFlows + 1);
    this.#table = new HashRegion(shared.table, 0, SMALLEST_TABLE_LOG2);
    this.#publishTable();
  }

  get count(): number {
    return this.#count;
  }

  /** @returns the flow, or undefined when there is no room for it (flows, masks or memory) */
  put(
    key: Int32Array,
    mask: Int32Array,
    actions: Int32Array,
    length: number,
    epoch: number,
  ): FlowRef | undefined {
    if (mask[IN_PORT] !== -1) throw new RangeError('a megaflow must match in_port exactly');
    if (length > LONGEST_ACTIONS || this.#table.full) return undefined;
    const m = this.#maskFor(mask);
    if (m === undefined) return undefined;
    const existing = this.find(key, m.number);
    const row = existing !== 0 ? this.#shared.flows[existing + FLOW_STATS] : this.#takeRow();
    const record = row === 0 ? 0 : this.#write(key, m, actions, length, row);
    if (record === 0) {
      if (existing === 0 && row !== 0) this.#freeRows.push(row);
      if (m.flows === 0) this.#retireMask(m, epoch);
      return undefined;
    }
    this.#recordOf[row] = record;
    if (existing !== 0) {
      this.#replace(existing, record, epoch);
    } else {
      this.#count++;
      this.#use(m, key[IN_PORT]);
      this.#insert(record);
    }
    return row;
  }

  /**
   * Takes the flow out of every worker's sight. Its row stays until the caller,
   * who knows when no worker adds to it any more, calls `release`.
   */
  delete(flow: FlowRef, epoch: number): boolean {
    const record = this.#recordOf[flow];
    if (record === 0) return false;
    const { flows } = this.#shared;
    this.#table.remove(flows[record + FLOW_HASH], record);
    this.#growing?.remove(flows[record + FLOW_HASH], record);
    const mask = this.#maskByNumber[flows[record + FLOW_MASK]];
    const port = this.#inPortOf(record);
    Atomics.store(flows, record + FLOW_MASK, 0);
    this.#recordOf[flow] = 0;
    this.#count--;
    if (mask !== undefined) this.#unuse(mask, port, epoch);
    this.#limbo.add(epoch, RECORD, record);
    return true;
  }

  /** Gives a deleted flow's number back, its statistics zeroed. */
  release(flow: FlowRef): void {
    for (const worker of this.#shared.workers) {
      worker.flowStats.fill(0, flow * STAT_ROW, (flow + 1) * STAT_ROW);
    }
    this.#freeRows.push(flow);
  }

  /** Frees what was retired before `epoch`, which every worker has passed. */
  reclaim(epoch: number): void {
    this.#limbo.reclaim(epoch);
  }

  /** Whether it should grow but the region it would grow into has not been reclaimed. */
  get isWaiting(): boolean {
    return this.#table.crowded && !this.#otherRegionFree;
  }

  get reclaimable(): boolean {
    return !this.#limbo.isEmpty;
  }

  /** The record of the flow that has this mask and matches the key, or 0. */
  find(key: Int32Array, number: number): number {
    const { flows, masks, table } = this.#shared;
    const { base, limit } = this.#table;
    return lookupGeneric(key, 0, flows, masks, number * MASK_ROW, table, base, limit, number);
  }

  stats(flow: FlowRef, out: FlowStats): void {
    out.packets = 0;
    out.bytes = 0;
    out.used = 0;
    out.tcpFlags = 0;
    const at = flow * STAT_ROW;
    for (const { flowStats } of this.#shared.workers) {
      out.packets += flowStats[at + STAT_PACKETS];
      out.bytes += flowStats[at + STAT_BYTES];
      out.used = Math.max(out.used, flowStats[at + STAT_USED]);
      out.tcpFlags |= flowStats[at + STAT_TCP_FLAGS];
    }
  }

  get(flow: FlowRef): { key: Int32Array; mask: Int32Array; actions: Int32Array } | undefined {
    const record = this.#recordOf[flow];
    if (record === 0) return undefined;
    const { flows, masks } = this.#shared;
    const m = flows[record + FLOW_MASK] * MASK_ROW;
    const key = new Int32Array(KEY_WORDS);
    for (let w = 0; w < masks[m + MASK_COUNT]; w++) {
      key[masks[m + MASK_WORDS + w]] = flows[record + FLOW_KEY + w];
    }
    const actions = flows.slice(
      record + flows[record + FLOW_ACTIONS],
      record + flows[record + FLOW_END],
    );
    return { key, mask: this.maskWords(flows[record + FLOW_MASK]), actions };
  }

  *flows(): IterableIterator<FlowRef> {
    for (let row = 1; row < this.#nextRow; row++) {
      if (this.#recordOf[row] !== 0) yield row;
    }
  }

  /** Number and flows of each mask in use. */
  *masks(): IterableIterator<{ number: number; flows: number }> {
    for (const mask of this.#masks.values()) yield mask;
  }

  /** KEY_WORDS words. */
  maskWords(number: number): Int32Array {
    const { masks } = this.#shared;
    const m = number * MASK_ROW;
    const words = new Int32Array(KEY_WORDS);
    for (let w = 0; w < masks[m + MASK_COUNT]; w++) {
      words[masks[m + MASK_WORDS + w]] = masks[m + MASK_VALUES + w];
    }
    return words;
  }

  #takeRow(): number {
    const free = this.#freeRows.pop();
    if (free !== undefined) return free;
    return this.#nextRow < this.#shared.maxFlows ? this.#nextRow++ : 0;
  }

  #write(key: Int32Array, mask: Mask, actions: Int32Array, length: number, row: number): number {
    const { flows, masks } = this.#shared;
    const m = mask.number * MASK_ROW;
    const count = masks[m + MASK_COUNT];
    const record = this.#records.take(FLOW_KEY + count + length);
    if (record === 0) return 0;
    for (let w = 0; w < count; w++) {
      flows[record + FLOW_KEY + w] = key[masks[m + MASK_WORDS + w]] & masks[m + MASK_VALUES + w];
    }
    flows[record + FLOW_STATS] = row;
    flows[record + FLOW_HASH] = hashMasked(key, 0, masks, m);
    flows[record + FLOW_ACTIONS] = FLOW_KEY + count;
    flows[record + FLOW_END] = FLOW_KEY + count + length;
    for (let i = 0; i < length; i++) flows[record + FLOW_KEY + count + i] = actions[i];
    Atomics.store(flows, record + FLOW_MASK, mask.number);
    return record;
  }

  #insert(record: number): void {
    this.#grow();
    const hash = this.#shared.flows[record + FLOW_HASH];
    this.#table.insert(hash, record);
    this.#growing?.insert(hash, record);
  }

  #replace(old: number, record: number, epoch: number): void {
    const hash = this.#shared.flows[record + FLOW_HASH];
    this.#table.replace(hash, old, record);
    this.#growing?.replace(hash, old, record);
    // Microflow entries that still name the old record must not match it any more.
    Atomics.store(this.#shared.flows, old + FLOW_MASK, 0);
    this.#limbo.add(epoch, RECORD, old);
  }

  /** Begins, or goes on with, the move into a larger or cleaner region. */
  #grow(): void {
    if (this.#growing === undefined) {
      if (!this.#table.crowded || !this.#otherRegionFree) return;
      const log2 = Math.max(SMALLEST_TABLE_LOG2, Math.ceil(Math.log2(this.#count + 1)) + 2);
      this.#growing = new HashRegion(this.#shared.table, 1 - this.#table.region, log2);
      this.#growAt = 0;
    }
    const { table } = this.#shared;
    const from = this.#table;
    const end = Math.min(this.#growAt + MOVED_PER_PUT, from.limit + 1);
    for (; this.#growAt < end; this.#growAt++) {
      const record = table[from.base + 2 * this.#growAt + 1];
      if (record > 0) this.#growing.insertOnce(table[from.base + 2 * this.#growAt], record);
    }
    if (this.#growAt === from.limit + 1) this.#switchTable();
  }

  #switchTable(): void {
    if (this.#growing === undefined) return;
    this.#table = this.#growing;
    this.#growing = undefined;
    this.#publishTable();
    this.#otherRegionFree = false;
    this.#limbo.add(Atomics.load(this.#shared.control, EPOCH), REGION, 1 - this.#table.region);
  }

  #publishTable(): void {
    Atomics.store(this.#shared.control, TABLE, (this.#table.region << 8) | this.#table.log2);
  }

  #maskFor(mask: Int32Array): Mask | undefined {
    const text = maskText(mask);
    const known = this.#masks.get(text);
    if (known !== undefined) return known;
    const number = this.#takeMaskNumber();
    if (number === 0) return undefined;
    const { masks, seed } = this.#shared;
    const m = number * MASK_ROW;
    let count = 0;
    for (let w = 0; w < KEY_WORDS; w++) {
      if (mask[w] === 0) continue;
      masks[m + MASK_WORDS + count] = w;
      masks[m + MASK_VALUES + count++] = mask[w];
    }
    masks[m + MASK_SEED] = Math.imul(seed ^ number, 0x9e3779b1);
    masks[m + MASK_COUNT] = count;
    const made: Mask = { number, text, flows: 0, ports: new Map() };
    this.#masks.set(text, made);
    this.#maskByNumber[number] = made;
    return made;
  }

  #takeMaskNumber(): number {
    if (this.#nextMask < MAX_MASKS) return this.#nextMask++;
    if (this.#freeMasks.length < STALE_MASKS && this.#staleMasks.length >= STALE_MASKS) {
      const stale = this.#staleMasks;
      this.#staleMasks = [];
      Atomics.add(this.#shared.control, MASKS, 1);
      const epoch = Atomics.load(this.#shared.control, EPOCH);
      for (const number of stale) this.#limbo.add(epoch, MASK_NUMBER, number);
    }
    return this.#freeMasks.pop() ?? 0;
  }

  #use(mask: Mask, port: number): void {
    mask.flows++;
    const before = mask.ports.get(port) ?? 0;
    mask.ports.set(port, before + 1);
    if (before > 0) return;
    const { ports, portMasks } = this.#shared;
    const count = ports[port * PORT_ROW + PORT_MASK_COUNT];
    portMasks[port * MAX_MASKS + count] = mask.number;
    Atomics.store(ports, port * PORT_ROW + PORT_MASK_COUNT, count + 1);
  }

  #unuse(mask: Mask, port: number, epoch: number): void {
    mask.flows--;
    const left = (mask.ports.get(port) ?? 1) - 1;
    if (left > 0) {
      mask.ports.set(port, left);
    } else {
      mask.ports.delete(port);
      this.#unlist(mask.number, port);
    }
    if (mask.flows === 0) this.#retireMask(mask, epoch);
  }

  #unlist(number: number, port: number): void {
    const { ports, portMasks } = this.#shared;
    const row = port * PORT_ROW;
    const list = port * MAX_MASKS;
    const last = ports[row + PORT_MASK_COUNT] - 1;
    const at = portMasks.subarray(list, list + last + 1).indexOf(number);
    portMasks[list + at] = portMasks[list + last];
    Atomics.store(ports, row + PORT_MASK_COUNT, last);
    Atomics.add(ports, row + PORT_MASK_GENERATION, 1);
  }

  #retireMask(mask: Mask, epoch: number): void {
    this.#masks.delete(mask.text);
    this.#maskByNumber[mask.number] = undefined;
    this.#limbo.add(epoch, MASK, mask.number);
  }

  #free(kind: number, number: number): void {
    if (kind === RECORD) this.#records.free(number);
    else if (kind === MASK) this.#staleMasks.push(number);
    else if (kind === MASK_NUMBER) this.#freeMasks.push(number);
    else this.#otherRegionFree = true;
  }

  #inPortOf(record: number): number {
    // in_port is word 0 and every mask covers it, so it is the first key word.
    return this.#shared.flows[record + FLOW_KEY];
  }
}

/** A mask as a Map's key. */
function maskText(mask: Int32Array): string {
  let text = '';
  for (let w = 0; w < KEY_WORDS; w++) {
    if (mask[w] !== 0) text += String.fromCharCode(w, mask[w] & 0xffff, mask[w] >>> 16);
  }
  return text;
}
