/**
 * The weak references in one column: which rows hold one to a given row, so
 * that when it goes, they can be found and relieved of it.
 */
import type { Atom } from '../data/atom.ts';
import type { ColumnSchema } from '../data/schema.ts';
import type { Row } from './row.ts';
import type { Table } from './table.ts';

export class WeakReferences {
  readonly from: Table;
  readonly column: ColumnSchema;
  /** Where in the column they are. */
  readonly part: 'keys' | 'values';
  readonly to: Table;
  /** By the UUID of the row referred to, the UUIDs of the rows that hold the references. */
  readonly #holders = new Map<string, Set<string>>();

  constructor(from: Table, column: ColumnSchema, part: 'keys' | 'values', to: Table) {
    this.from = from;
    this.column = column;
    this.part = part;
    this.to = to;
  }

  holdersOf(uuid: string): Iterable<string> {
    return this.#holders.get(uuid) ?? [];
  }

  /** Follows the change of a row that was committed. */
  update(before: Row | undefined, after: Row | undefined): void {
    const old = this.#targets(before);
    const news = this.#targets(after);
    if (old === news) return;
    const uuid = after?.uuid ?? before?.uuid ?? '';
    const wanted = new Set(news);
    const had = new Set(old);
    for (const target of had) if (!wanted.has(target)) this.#remove(target, uuid);
    for (const target of wanted) if (!had.has(target)) this.#add(target, uuid);
  }

  #targets(row: Row | undefined): readonly Atom[] {
    return row?.at(this.column.index)[this.part] ?? NONE;
  }

  #add(target: Atom, holder: string): void {
    const uuid = String(target);
    const holders = this.#holders.get(uuid);
    if (holders === undefined) this.#holders.set(uuid, new Set([holder]));
    else holders.add(holder);
  }

  #remove(target: Atom, holder: string): void {
    const uuid = String(target);
    const holders = this.#holders.get(uuid);
    holders?.delete(holder);
    if (holders?.size === 0) this.#holders.delete(uuid);
  }
}

const NONE: readonly Atom[] = [];
