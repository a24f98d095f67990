/**
 * coverage/show: how often things happened, and how often lately, in stock's
 * form. Stock counts events of its own code; these are the server's.
 */
import type { Clock } from '../../lib/clock.ts';

/** Milliseconds between two looks at the counters. */
const STEP = 5000;
/** Looks in a minute, and in an hour. */
const MINUTE = 12;
const HOUR = 720;

interface Counter {
  total: number;
  /** Totals at the latest looks, the last one last. */
  readonly looks: number[];
}

export class Coverage {
  readonly #clock: Clock;
  readonly #counters = new Map<string, Counter>();
  #nextLook: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#nextLook = clock.now() + STEP;
  }

  /** @param event one of a few names: each is kept */
  count(event: string): void {
    this.#look();
    const counter = this.#counters.get(event);
    if (counter === undefined) this.#counters.set(event, { total: 1, looks: [] });
    else counter.total++;
  }

  text(): string {
    this.#look();
    const lines = [...this.#counters]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, counter]) => line(name, counter));
    return HEAD + lines.join('');
  }

  /** Also for the time in which nothing was counted. */
  #look(): void {
    const late = this.#clock.now() - this.#nextLook;
    if (late < 0) return;
    const steps = Math.floor(late / STEP) + 1;
    this.#nextLook += steps * STEP;
    for (const { looks, total } of this.#counters.values()) {
      for (let n = Math.min(steps, HOUR + 1); n > 0; n--) looks.push(total);
      looks.splice(0, Math.max(0, looks.length - HOUR - 1));
    }
  }
}

const HEAD = 'Event coverage, avg rate over last: 5 seconds, last minute, last hour:\n';

function line(name: string, counter: Counter): string {
  const [second, minute, hour] = [1, MINUTE, HOUR].map((steps) => rateOver(counter, steps));
  const rates = [second.toFixed(1).padStart(5), minute.toFixed(3).padStart(9)];
  const text = [...rates, hour.toFixed(4).padStart(13)].map((rate) => ` ${rate}/sec`).join('');
  return `${name.padEnd(24)}${text}   total: ${counter.total}\n`;
}

/** Events per second in so many steps before the last look. */
function rateOver({ looks }: Counter, steps: number): number {
  const last = looks.at(-1) ?? 0;
  return (last - (looks.at(-1 - steps) ?? 0)) / ((steps * STEP) / 1000);
}
