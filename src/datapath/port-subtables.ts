/**
 * For each input port, the masks its megaflows use, in order of recent hits:
 * what a worker walks when the microflow cache has no answer. Worker-local
 * copies of the lists in shared memory (portMasks), brought up to date between
 * bursts; nothing here allocates once a port's list has its size.
 */
import {
  MAX_MASKS,
  MAX_PORTS,
  PORT_MASK_COUNT,
  PORT_MASK_GENERATION,
  PORT_ROW,
  type SharedState,
} from './shared-state.ts';
import {
  COMPILE_AFTER,
  type Lookup,
  lookupGeneric,
  type Matches,
  matchesGeneric,
  SubtableCompiler,
} from './subtable.ts';

/** One a thread: what warm-up.ts has had compiled serves the worker after it. */
const COMPILER = new SubtableCompiler();

export interface PortSubtables {
  /** Mask numbers, most useful first; `count` of them. */
  order: Int32Array;
  count: number;
  generation: number;
  /** Packets that found a megaflow since the masks were ranked. */
  hits: number;
}

export class Subtables {
  readonly #shared: SharedState;
  readonly #ports: PortSubtables[] = [];
  /** By mask number: recent hits (halved at each ranking), megaflow lookups tried, the functions in use. */
  readonly hits: Int32Array = new Int32Array(MAX_MASKS);
  readonly tries: Int32Array = new Int32Array(MAX_MASKS);
  readonly lookupOf: Lookup[] = new Array<Lookup>(MAX_MASKS).fill(lookupGeneric);
  readonly matchesOf: Matches[] = new Array<Matches>(MAX_MASKS).fill(matchesGeneric);
  readonly #compileAfter: number;

  constructor(shared: SharedState, compileAfter: number = COMPILE_AFTER) {
    this.#shared = shared;
    this.#compileAfter = compileAfter;
    for (let p = 0; p < MAX_PORTS; p++) {
      this.#ports.push({ order: new Int32Array(8), count: 0, generation: -1, hits: 0 });
    }
  }

  of(port: number): PortSubtables {
    return this.#ports[port];
  }

  /** Before a burst: the port's list, if it changed. */
  refresh(port: number): void {
    const own = this.#ports[port];
    const row = port * PORT_ROW;
    const generation = Atomics.load(this.#shared.ports, row + PORT_MASK_GENERATION);
    const count = Atomics.load(this.#shared.ports, row + PORT_MASK_COUNT);
    if (generation === own.generation && count === own.count) return;
    if (generation !== own.generation) own.count = 0;
    if (count > own.order.length) own.order = grown(own.order, count);
    for (let i = own.count; i < count; i++) {
      own.order[i] = Atomics.load(this.#shared.portMasks, port * MAX_MASKS + i);
    }
    if (own.count === 0) this.#sort(own, count);
    own.count = count;
    own.generation = generation;
  }

  /** After a burst, now and then: ranks the port's masks and compiles the hot ones. @returns whether there was anything to do */
  tend(port: number): boolean {
    const own = this.#ports[port];
    if (own.hits === 0) return false;
    own.hits = 0;
    this.#sort(own, own.count);
    for (let i = 0; i < own.count; i++) {
      const number = own.order[i];
      if (this.hits[number] + this.tries[number] >= this.#compileAfter) this.#compile(number);
      this.hits[number] >>= 1;
    }
    return true;
  }

  /** Mask numbers are about to be given to other masks: what was made for the old ones must go. */
  reset(): void {
    this.lookupOf.fill(lookupGeneric);
    this.matchesOf.fill(matchesGeneric);
    this.hits.fill(0);
    this.tries.fill(0);
  }

  isCompiled(number: number): boolean {
    return this.lookupOf[number] !== lookupGeneric;
  }

  #compile(number: number): void {
    this.tries[number] = 0;
    if (this.isCompiled(number)) return;
    const made = COMPILER.compile(this.#shared.masks, number);
    if (made === undefined) return;
    this.lookupOf[number] = made.lookup;
    this.matchesOf[number] = made.matches;
  }

  #sort(own: PortSubtables, count: number): void {
    own.order.subarray(0, count).sort((a, b) => this.hits[b] - this.hits[a]);
  }
}

function grown(list: Int32Array, least: number): Int32Array {
  const larger = new Int32Array(Math.max(least, list.length * 2));
  larger.set(list);
  return larger;
}
