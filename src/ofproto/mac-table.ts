/**
 * The addresses a bridge has learned: on which port an Ethernet address was
 * last seen in a VLAN.
 *
 * Entries live `idleMs` since they were last seen and there are at most
 * `capacity`. A newcomer to a full table takes the place of the oldest entry
 * of the port that has the most, so that one port flooding source addresses
 * displaces its own. Each entry stands in two lists by age: the table's, for
 * expiry, and its port's, for eviction.
 *
 * Whoever decided by a lookup must decide anew when its answer changes: the
 * table reports the tag (`macTag`) of what was learned, moved or lost.
 */
import type { Clock } from '../lib/clock.ts';

/** Seconds; the limits are Open vSwitch's. */
const MAC_AGING_DEFAULT = 300;
const MAC_AGING_MIN = 15;
const MAC_AGING_MAX = 3600;
const MAC_TABLE_SIZE_DEFAULT = 8192;
const MAC_TABLE_SIZE_MIN = 10;
const MAC_TABLE_SIZE_MAX = 1_000_000;

/** An address: 48 bits, as a number. */
export type Mac = number;

export interface LearnedMac {
  mac: Mac;
  vlan: number;
  ofport: number;
  /** Milliseconds of the clock when it was last seen. */
  seen: number;
}

/** A number that stands for (bridge, VLAN, address); others may share it. */
export function macTag(bridge: number, vlan: number, mac: Mac): number {
  const low = Math.imul(mac | 0, 0x9e3779b1);
  const high = Math.imul((mac / 0x1_0000_0000) | 0 | (vlan << 16), 0x85ebca6b);
  return (low ^ (low >>> 15) ^ high ^ Math.imul(bridge, 0xc2b2ae35)) | 0;
}

export class MacTable {
  readonly #bridge: number;
  readonly #clock: Clock;
  readonly #changed: (tag: number) => void;
  /** By VLAN. */
  readonly #entries: (Map<Mac, Entry> | undefined)[] = [];
  readonly #byAge = new AgeList();
  readonly #byPort = new Map<number, AgeList>();
  #flushed = Number.NEGATIVE_INFINITY;
  #idleMs = MAC_AGING_DEFAULT * 1000;
  #capacity = MAC_TABLE_SIZE_DEFAULT;

  /** @param changed called with the tag of each lookup whose answer is different now */
  constructor(bridge: number, clock: Clock, changed: (tag: number) => void) {
    this.#bridge = bridge;
    this.#clock = clock;
    this.#changed = changed;
  }

  get size(): number {
    return this.#byAge.size;
  }

  /** Milliseconds of the clock: when the oldest entry expires; Infinity if there is none. */
  get firstExpiry(): number {
    return (this.#byAge.oldest?.seen ?? Number.POSITIVE_INFINITY) + this.#idleMs;
  }

  setAging(seconds: number): void {
    this.#idleMs = clamp(seconds, MAC_AGING_MIN, MAC_AGING_MAX) * 1000;
  }

  setCapacity(entries: number): void {
    this.#capacity = clamp(entries, MAC_TABLE_SIZE_MIN, MAC_TABLE_SIZE_MAX);
    while (this.#byAge.size > this.#capacity) this.#evict();
  }

  /** @returns the OpenFlow port, or -1 */
  lookup(mac: Mac, vlan: number): number {
    return this.#entries[vlan]?.get(mac)?.ofport ?? -1;
  }

  /** Notes that a frame from `mac` has just come in. @returns whether the address is new there */
  learn(mac: Mac, vlan: number, ofport: number): boolean {
    if (isMulticast(mac)) return false;
    const entry = this.#entries[vlan]?.get(mac);
    if (entry === undefined) return this.#insert(mac, vlan, ofport, this.#clock.now());
    return this.#touch(entry, ofport, this.#clock.now());
  }

  /**
   * Notes that a cached flow forwarded a frame from `mac` at `seen`,
   * milliseconds of the clock: older news than a move or a flush that came
   * after it.
   */
  refresh(mac: Mac, vlan: number, ofport: number, seen: number): void {
    if (isMulticast(mac) || seen <= this.#flushed) return;
    const entry = this.#entries[vlan]?.get(mac);
    if (entry === undefined) {
      if (seen > this.#clock.now() - this.#idleMs) this.#insert(mac, vlan, ofport, seen);
    } else if (seen > entry.seen) this.#touch(entry, ofport, seen);
  }

  /** Forgets what was not seen lately. */
  expire(): void {
    const limit = this.#clock.now() - this.#idleMs;
    for (let entry = this.#byAge.oldest; entry !== undefined && entry.seen <= limit; ) {
      this.#remove(entry);
      entry = this.#byAge.oldest;
    }
  }

  flush(): void {
    this.#flushed = this.#clock.now();
    for (let entry = this.#byAge.oldest; entry !== undefined; entry = this.#byAge.oldest) {
      this.#remove(entry);
    }
  }

  flushPort(ofport: number): void {
    const list = this.#byPort.get(ofport);
    for (let entry = list?.oldest; entry !== undefined; entry = list?.oldest) this.#remove(entry);
  }

  /** Oldest first. */
  *[Symbol.iterator](): IterableIterator<LearnedMac> {
    let entry = this.#byAge.oldest;
    while (entry !== undefined) {
      yield entry;
      entry = entry.links.age.newer;
    }
  }

  #touch(entry: Entry, ofport: number, seen: number): boolean {
    entry.seen = seen;
    this.#byAge.toEnd(entry);
    if (entry.ofport === ofport) {
      this.#byPort.get(ofport)?.toEnd(entry);
      return false;
    }
    this.#move(entry, ofport);
    return true;
  }

  #insert(mac: Mac, vlan: number, ofport: number, seen: number): boolean {
    if (this.#byAge.size >= this.#capacity) this.#evict();
    const entry = newEntry(mac, vlan, ofport, seen);
    this.#entries[vlan] ??= new Map();
    this.#entries[vlan].set(mac, entry);
    this.#byAge.add(entry);
    this.#listOf(ofport).add(entry);
    this.#changed(macTag(this.#bridge, vlan, mac));
    return true;
  }

  #move(entry: Entry, ofport: number): void {
    this.#leavePort(entry);
    entry.ofport = ofport;
    this.#listOf(ofport).add(entry);
    this.#changed(macTag(this.#bridge, entry.vlan, entry.mac));
  }

  #remove(entry: Entry): void {
    this.#entries[entry.vlan]?.delete(entry.mac);
    this.#byAge.remove(entry);
    this.#leavePort(entry);
    this.#changed(macTag(this.#bridge, entry.vlan, entry.mac));
  }

  #evict(): void {
    let longest: AgeList | undefined;
    for (const list of this.#byPort.values()) {
      if (longest === undefined || list.size > longest.size) longest = list;
    }
    if (longest?.oldest !== undefined) this.#remove(longest.oldest);
  }

  #listOf(ofport: number): AgeList {
    let list = this.#byPort.get(ofport);
    if (list === undefined) {
      list = new AgeList('port');
      this.#byPort.set(ofport, list);
    }
    return list;
  }

  #leavePort(entry: Entry): void {
    const list = this.#byPort.get(entry.ofport);
    list?.remove(entry);
    if (list?.size === 0) this.#byPort.delete(entry.ofport);
  }
}

/** Whether the group bit, the lowest of the first byte, is set. */
function isMulticast(mac: Mac): boolean {
  return (Math.floor(mac / 0x100_0000_0000) & 1) === 1;
}

/** `00:00:00:00:00:01` */
export function macText(mac: Mac): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/..(?=.)/g, '$&:');
}

type LinkName = 'age' | 'port';
interface Link {
  older: Entry | undefined;
  newer: Entry | undefined;
}
interface Entry extends LearnedMac {
  links: Record<LinkName, Link>;
}

function newEntry(mac: Mac, vlan: number, ofport: number, seen: number): Entry {
  const link = (): Link => ({ older: undefined, newer: undefined });
  return { mac, vlan, ofport, seen, links: { age: link(), port: link() } };
}

/** A doubly linked list through the entries, oldest first. */
class AgeList {
  size = 0;
  oldest: Entry | undefined;
  #newest: Entry | undefined;
  readonly #link: LinkName;

  constructor(link: LinkName = 'age') {
    this.#link = link;
  }

  /** Puts it where its time belongs: nearly always last. */
  add(entry: Entry): void {
    let older = this.#newest;
    while (older !== undefined && older.seen > entry.seen) older = older.links[this.#link].older;
    const link = entry.links[this.#link];
    link.older = older;
    link.newer = older === undefined ? this.oldest : older.links[this.#link].newer;
    this.#join(older, entry);
    this.#join(entry, link.newer);
    this.size++;
  }

  remove(entry: Entry): void {
    const link = entry.links[this.#link];
    this.#join(link.older, link.newer);
    link.older = undefined;
    link.newer = undefined;
    this.size--;
  }

  toEnd(entry: Entry): void {
    if (this.#newest === entry) return;
    this.remove(entry);
    this.add(entry);
  }

  #join(older: Entry | undefined, newer: Entry | undefined): void {
    if (older === undefined) this.oldest = newer;
    else older.links[this.#link].newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.links[this.#link].older = older;
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
