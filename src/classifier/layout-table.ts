/**
 * The mask layouts in use, one object for each different one: subtables compare
 * them by identity, and partitions with the same masks share them.
 */
import { HashIndex } from './hash-index.ts';
import { layOutMask, type MaskLayout } from './mask-layout.ts';

interface Entry {
  readonly layout: MaskLayout;
  users: number;
}

export class LayoutTable {
  readonly #stages: readonly number[];
  readonly #entries = new HashIndex<Entry>();

  /** @param stages the part of masks that this table is about */
  constructor(stages: readonly number[]) {
    this.#stages = stages;
  }

  /** The layout of this part of the mask, if it is in use. */
  get(mask: Int32Array): MaskLayout | undefined {
    const slot = this.#slotOf(layOutMask(mask, this.#stages));
    return slot < 0 ? undefined : this.#entries.items[slot]?.layout;
  }

  /** The layout of this part of the mask; each call wants one call of `release`. */
  acquire(mask: Int32Array): MaskLayout {
    const layout = layOutMask(mask, this.#stages);
    const slot = this.#slotOf(layout);
    const entry = slot < 0 ? undefined : this.#entries.items[slot];
    if (entry === undefined) this.#entries.add(layout.hash, { layout, users: 1 });
    else entry.users++;
    return entry === undefined ? layout : entry.layout;
  }

  release(layout: MaskLayout): void {
    const slot = this.#slotOf(layout);
    const entry = this.#entries.items[slot];
    if (entry !== undefined && --entry.users === 0) this.#entries.removeAt(slot);
  }

  #slotOf(layout: MaskLayout): number {
    let slot = this.#entries.find(layout.hash);
    while (slot >= 0 && !isSame(layout, this.#entries.items[slot]?.layout)) {
      slot = this.#entries.next(slot);
    }
    return slot;
  }
}

function isSame(a: MaskLayout, b: MaskLayout | undefined): boolean {
  return (
    a === b ||
    (b !== undefined &&
      a.words.length === b.words.length &&
      a.words.every((word, i) => word === b.words[i] && a.masks[i] === b.masks[i]))
  );
}
