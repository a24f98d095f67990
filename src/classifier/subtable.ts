/**
 * A subtable: entries under one mask, found by hashing the bits of a flow that
 * the mask covers.
 *
 * The mask's words are hashed stage by stage. After each stage but the last, an
 * index says whether any entry agrees with the flow so far, so a search that
 * misses early has looked at the early stages' bits only.
 */
import { HashIndex, usableHash } from './hash-index.ts';
import { hashMasked, hashWord, type MaskLayout, sameMaskedValue } from './mask-layout.ts';
import { PriorityCounts } from './priority-counts.ts';

/** What a subtable holds under a value. */
export interface SubtableEntry {
  /** FLOW_WORDS words; what the subtable's mask does not cover is ignored. */
  readonly value: Int32Array;
}

export class Subtable<Entry extends SubtableEntry> {
  readonly layout: MaskLayout;
  /** The priorities of the rules under it; kept by whoever puts rules there. */
  readonly priorities = new PriorityCounts();
  readonly #seed: number;
  readonly #entries = new HashIndex<Entry>();
  /** For each stage but the last, how many entries have a hash. */
  readonly #stageCounts: readonly HashIndex<number>[];

  /** @param seed where hashing starts */
  constructor(layout: MaskLayout, seed: number) {
    this.layout = layout;
    this.#seed = seed;
    const indexed = Math.max(0, layout.stageEnds.length - 1);
    this.#stageCounts = Array.from({ length: indexed }, () => new HashIndex<number>());
  }

  /**
   * The entry that matches the flow. Adds to `wildcards` the bits it looked at.
   * Written out in one piece: it is the classifier's inner loop.
   */
  search(flow: Int32Array, wildcards: Int32Array | undefined): Entry | undefined {
    const { words, masks, stageEnds } = this.layout;
    const stageCounts = this.#stageCounts;
    let hash = this.#seed;
    let at = 0;
    let isPossible = true;
    for (let stage = 0; isPossible && stage < stageEnds.length; stage++) {
      const end = stageEnds[stage];
      for (; at < end; at++) hash = hashWord(hash, flow[words[at]] & masks[at]);
      isPossible = stage === stageCounts.length || stageCounts[stage].find(usableHash(hash)) >= 0;
    }
    if (wildcards !== undefined) {
      for (let i = 0; i < at; i++) wildcards[words[i]] |= masks[i];
    }
    return isPossible ? this.#find(flow, usableHash(hash)) : undefined;
  }

  /** The entry with this value. */
  entryOf(value: Int32Array): Entry | undefined {
    return this.#find(value, this.#hash(value));
  }

  /** Adds an entry; there must be none with its value. */
  add(entry: Entry): void {
    this.#entries.add(this.#hash(entry.value), entry);
    this.#countStages(entry.value, 1);
  }

  /** Puts an entry in the place of one with the same value. */
  replace(old: Entry, entry: Entry): void {
    this.#entries.items[this.#slotOf(old.value, this.#hash(old.value))] = entry;
  }

  delete(entry: Entry): void {
    this.#entries.removeAt(this.#slotOf(entry.value, this.#hash(entry.value)));
    this.#countStages(entry.value, -1);
  }

  *[Symbol.iterator](): IterableIterator<Entry> {
    for (const entry of this.#entries.items) if (entry !== undefined) yield entry;
  }

  #hash(value: Int32Array): number {
    return hashMasked(this.layout, value, this.layout.words.length, this.#seed);
  }

  #find(value: Int32Array, hash: number): Entry | undefined {
    const slot = this.#slotOf(value, hash);
    return slot < 0 ? undefined : this.#entries.items[slot];
  }

  #slotOf(value: Int32Array, hash: number): number {
    const entries = this.#entries;
    for (let slot = entries.find(hash); slot >= 0; slot = entries.next(slot)) {
      const entry = entries.items[slot];
      if (entry !== undefined && sameMaskedValue(this.layout, entry.value, value)) return slot;
    }
    return -1;
  }

  #countStages(value: Int32Array, change: number): void {
    for (const [stage, counts] of this.#stageCounts.entries()) {
      const hash = hashMasked(this.layout, value, this.layout.stageEnds[stage], this.#seed);
      const slot = counts.find(hash);
      const count = slot < 0 ? change : (counts.items[slot] ?? 0) + change;
      if (slot < 0) counts.add(hash, count);
      else if (count === 0) counts.removeAt(slot);
      else counts.items[slot] = count;
    }
  }
}

/** Moves a subtable to its place in a list by highest priority, after that has changed. */
export function sortByPriority<Table extends { readonly priorities: PriorityCounts }>(
  tables: Table[],
  table: Table,
): void {
  const { highest } = table.priorities;
  let at = tables.indexOf(table);
  for (; at > 0 && tables[at - 1].priorities.highest < highest; at--) tables[at] = tables[at - 1];
  for (; at + 1 < tables.length && tables[at + 1].priorities.highest > highest; at++) {
    tables[at] = tables[at + 1];
  }
  tables[at] = table;
}
