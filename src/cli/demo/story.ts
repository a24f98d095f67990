/**
 * The demo's story: six steps, each with what it showed in plain words, told
 * as it happens. Numbers are read from the switch before and after each step,
 * so they are what the step itself caused.
 */
import { request } from '../control.ts';
import type { Paint } from './paint.ts';
import { BRIDGE, CAST, type Exchange, SERVICE_PORT, type Stage } from './stage.ts';

/** What one step did to the switch. */
export interface StepResult {
  step: string;
  outcome: string;
  /** Whether it came out as the story says. */
  as_expected: boolean;
  packets: number;
  seconds: number;
  microflow_hits: number;
  megaflow_hits: number;
  upcalls: number;
}

export async function tell(
  stage: Stage,
  print: (text: string) => void,
  colours: Paint,
): Promise<StepResult[]> {
  const story = new Story(stage, print, colours);
  story.opening();
  await story.firstContact();
  await story.apart();
  await story.atSpeed();
  await story.liveFlow();
  story.table();
  return story.results;
}

const DROP_UDP = `priority=100,udp,tp_dst=${SERVICE_PORT},actions=drop`;

class Story {
  readonly results: StepResult[] = [];
  readonly #stage: Stage;
  readonly #print: (text: string) => void;
  readonly #paint: Paint;

  constructor(stage: Stage, print: (text: string) => void, colours: Paint) {
    this.#stage = stage;
    this.#print = print;
    this.#paint = colours;
  }

  opening(): void {
    const [first, ...rest] = CAST.map(
      ({ name, address, vlan }) => `${name.padEnd(6)} ${address} ── VLAN ${vlan} ──`,
    );
    this.#print(`\n  ${first}┐\n`);
    rest.forEach((line, n) => {
      this.#print(`  ${line}${n === 0 ? `┼── ${this.#paint.bold(BRIDGE)}` : '┘'}\n`);
    });
    this.#print(`  ${this.#paint.dim(this.#stage.setting)}\n`);
  }

  async firstContact(): Promise<void> {
    const result = await this.#exchange('alice pings bob', true, () =>
      this.#stage.ping('alice', 'bob', 5),
    );
    const cached = result.microflow_hits + result.megaflow_hits;
    this.#explain(
      `${result.upcalls} packets were the first of their kind: no cache knew them, so they went up`,
      'to the slow path (an upcall), which looked at the flow tables, learned where the',
      `sender lives, and left a megaflow. The other ${cached} were found in the caches.`,
    );
  }

  async apart(): Promise<void> {
    await this.#exchange('alice pings carol', false, () => this.#stage.ping('alice', 'carol', 3));
    this.#explain('As it should be: carol is in VLAN 20, and the switch keeps VLANs apart.');
  }

  async atSpeed(): Promise<void> {
    await this.#tcp();
    await this.#exchange('alice asks bob over UDP', true, () =>
      this.#stage.udp('alice', 'bob', 1000),
    );
    this.#explain('One question at a time: what it measures is the way there and back.');
  }

  async #tcp(): Promise<void> {
    await this.#step('TCP from alice to bob', async () => {
      const { bytes, seconds } = await this.#stage.tcp('alice', 'bob');
      const rate = `${((bytes * 8) / seconds / 1e9).toFixed(1)} Gbit/s`;
      return { outcome: this.#timed ? rate : `${bytes} bytes arrived`, good: bytes > 0 };
    });
    if (this.#timed) this.#explain('Super-frames of up to 64 KiB cross as one packet each.');
  }

  async liveFlow(): Promise<void> {
    this.#print(`\n  ${this.#paint.bold('tapflow add-flow')} ${BRIDGE} '${DROP_UDP}'\n`);
    await request(this.#stage.state, 'add-flow', [BRIDGE, DROP_UDP]);
    await this.#exchange('UDP with this flow', false, () => this.#stage.udp('alice', 'bob', 50));
    await this.#exchange('ping with this flow', true, () => this.#stage.ping('alice', 'bob', 3));
    await this.#explainDropped();
    this.#print(`\n  ${this.#paint.bold('tapflow del-flows')} ${BRIDGE} udp\n`);
    await request(this.#stage.state, 'del-flows', [BRIDGE, 'udp']);
    await this.#exchange('UDP without it', true, () => this.#stage.udp('alice', 'bob', 50));
  }

  async #explainDropped(): Promise<void> {
    const answer = await request(this.#stage.state, 'flows', ['--json', BRIDGE, 'udp']);
    const [flow] = JSON.parse(answer) as { n_packets: number }[];
    this.#explain(
      `The flow took effect at once and dropped ${flow?.n_packets ?? 0} packets; megaflows that`,
      'contradicted it were replaced. Nothing else noticed.',
    );
  }

  table(): void {
    const header = ['', 'packets', 'per second', 'microflow', 'megaflow', 'upcalls'];
    const rows = this.results.map((one) => [
      one.step,
      one.packets.toLocaleString('en-US'),
      this.#timed ? Math.round(one.packets / one.seconds).toLocaleString('en-US') : '-',
      share(one.microflow_hits, one.packets),
      share(one.megaflow_hits, one.packets),
      String(one.upcalls),
    ]);
    const widths = header.map((name, n) =>
      Math.max(name.length, ...rows.map((row) => row[n].length)),
    );
    const line = (row: string[]) =>
      `  ${row.map((text, n) => (n === 0 ? text.padEnd(widths[n]) : text.padStart(widths[n]))).join('  ')}\n`;
    this.#print(`\n${this.#paint.bold(line(header))}${rows.map(line).join('')}`);
    this.#print(
      this.#paint.dim("  where each packet's flow was found; an upcall is the slow path\n"),
    );
  }

  /** Rates of frames handed in over a control socket would say nothing. */
  get #timed(): boolean {
    return this.#stage.timed;
  }

  #exchange(name: string, answers: boolean, run: () => Promise<Exchange>): Promise<StepResult> {
    return this.#step(name, async () => {
      const { asked, answered, rttMs } = await run();
      const time = rttMs === undefined ? '' : `, ${rttMs.toFixed(2)} ms`;
      return {
        outcome: `${answered} of ${asked} answered${time}`,
        good: answers ? answered === asked : answered === 0,
      };
    });
  }

  async #step(
    step: string,
    run: () => Promise<{ outcome: string; good: boolean }>,
  ): Promise<StepResult> {
    this.#print(`\n  ${this.#paint.bold(step.padEnd(26))}`);
    const before = await this.#levels();
    const startedAt = performance.now();
    const { outcome, good } = await run();
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await this.#levels();
    this.#print(`${good ? this.#paint.good('✓') : this.#paint.bad('✗')} ${outcome}\n`);
    const result = {
      step,
      outcome,
      as_expected: good,
      seconds,
      packets: after.packets - before.packets,
      microflow_hits: after.microflow_hits - before.microflow_hits,
      megaflow_hits: after.megaflow_hits - before.megaflow_hits,
      upcalls: after.misses - before.misses,
    };
    this.results.push(result);
    return result;
  }

  async #levels(): Promise<Levels> {
    return JSON.parse(await request(this.#stage.state, 'cache', ['--json'])) as Levels;
  }

  #explain(...lines: string[]): void {
    for (const line of lines) this.#print(`    ${this.#paint.dim(line)}\n`);
  }
}

interface Levels {
  packets: number;
  microflow_hits: number;
  megaflow_hits: number;
  misses: number;
}

const share = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`;
