/**
 * What has changed since the revalidator last looked: something that any
 * megaflow may depend on (rules, ports, settings), or the answers to single
 * address lookups (their tags, mac-table.ts).
 */
export class Changes {
  #all = false;
  #tags = new Set<number>();
  readonly #changed: () => void;

  /** @param changed called at every change */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get any(): boolean {
    return this.#all || this.#tags.size > 0;
  }

  noteAll(): void {
    this.#all = true;
    this.#changed();
  }

  noteTag(tag: number): void {
    this.#tags.add(tag);
    this.#changed();
  }

  /** What was noted up to now, which is forgotten here. */
  take(): TakenChanges {
    const taken = new TakenChanges(this.#all, this.#tags);
    this.#all = false;
    this.#tags = new Set();
    return taken;
  }
}

export class TakenChanges {
  readonly #all: boolean;
  readonly #tags: ReadonlySet<number>;

  constructor(all: boolean, tags: ReadonlySet<number>) {
    this.#all = all;
    this.#tags = tags;
  }

  /** Whether a megaflow that looked these addresses up may have to change. */
  concerns(macTags: readonly number[]): boolean {
    if (this.#all) return true;
    if (this.#tags.size === 0) return false;
    for (const tag of macTags) if (this.#tags.has(tag)) return true;
    return false;
  }
}
