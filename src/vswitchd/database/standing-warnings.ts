/** Warnings about how things stand: each is logged once, for as long as it is so. */
export class StandingWarnings {
  readonly #log: (line: string) => void;
  /** By what they are about: those that stand. */
  readonly #standing = new Map<string, ReadonlySet<string>>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** @param lines all that there are about the subject now */
  set(subject: string, lines: readonly string[]): void {
    const before = this.#standing.get(subject);
    const now = new Set(lines);
    for (const line of now) if (before?.has(line) !== true) this.#log(line);
    this.#standing.set(subject, now);
  }
}
