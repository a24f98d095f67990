/**
 * The revalidator: keeps megaflows true to the tables, and the tables'
 * counters true to the megaflows.
 *
 * A round walks all megaflows: it pulls their statistics, deletes idle ones,
 * and translates those anew that a change concerns; what comes out different
 * gets its new actions, or is deleted if it no longer covers its packets.
 * Then addresses and rules that have had their time expire.
 *
 * A round comes when something may be due, and soon after a change. Each ends
 * by setting the time of the next: INTERVAL from now while megaflows are at
 * work, further and further off while they rest, else when the first address or
 * rule may expire. With nothing that can be due there is no timer at all;
 * `hasWork` is told of what comes to be. Rounds work in slices (slices.ts); at
 * most a third of the time goes to those that changes ask for.
 */
import { FLOW_WORDS, IN_PORT, KEY_WORDS } from '../flow/key.ts';
import { Slices } from '../lib/slices.ts';
import type { TakenChanges } from './changes.ts';
import { expireRules } from './expire.ts';
import type { Megaflow, Megaflows } from './megaflows.ts';
import type { SwitchState } from './switch-state.ts';
import type { TranslateOptions } from './translate.ts';

/** Milliseconds between rounds while megaflows are at work; what times out is at most so late. */
const INTERVAL = 500;
/** Milliseconds between rounds while megaflows rest: less than a third of the shortest mac-aging-time. */
const MAX_INTERVAL = 4000;
/** Megaflows between looks at the time, unless they were translated. */
const STRIDE = 16;
/** Milliseconds a megaflow may idle while there are more than the limit. */
const CROWDED_IDLE = 100;

export class Revalidator {
  /** Milliseconds that the last round took, slices only. */
  duration = 0;
  readonly #state: SwitchState;
  readonly #megaflows: Megaflows;
  readonly #flow = new Int32Array(FLOW_WORDS);
  #round: Promise<void> = Promise.resolve();
  #isRunning = false;
  /** Between the last round and the next, as far as megaflows are concerned. */
  #interval = INTERVAL;
  /** When the megaflow that rests longest was used last, milliseconds of the clock; Infinity: there is none. */
  #restingSince = Number.POSITIVE_INFINITY;
  /** Whether the round at hand found packets, or changed anything. */
  #isLively = false;
  /** Whether the next round is further off than INTERVAL. */
  #isResting = true;
  #cancelNext: (() => void) | undefined;
  #cancelSoon: (() => void) | undefined;
  #isClosed = false;

  constructor(state: SwitchState, megaflows: Megaflows) {
    this.#state = state;
    this.#megaflows = megaflows;
  }

  /** Something may be due sooner than it was when the last round ended. */
  hasWork(): void {
    if (!this.#isResting) return;
    this.#interval = INTERVAL;
    this.#after(INTERVAL);
  }

  /** Something has changed: a round follows soon. */
  changed(): void {
    if (this.#cancelSoon !== undefined || this.#isClosed) return;
    const delay = 1 + 2 * this.duration;
    this.#cancelSoon = this.#state.clock.after(delay, () => {
      this.#cancelSoon = undefined;
      this.#start();
    });
  }

  /** Resolves when counters include all packets forwarded up to now, and megaflows all changes. */
  async complete(): Promise<void> {
    await this.#state.dpif.quiesce();
    await this.#round;
    do {
      await this.#start();
    } while (this.#state.changes.any && !this.#isClosed);
    await this.#state.dpif.quiesce();
  }

  /** Deletes all megaflows. */
  async purge(): Promise<void> {
    const slices = new Slices();
    const last = this.#megaflows.serial;
    for (const flow of this.#megaflows) {
      if (flow.serial > last) break;
      if (!flow.isRetiring) this.#megaflows.remove(flow);
      if (slices.isOver) await slices.pause();
    }
    await this.#state.dpif.quiesce();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelNext?.();
    this.#cancelSoon?.();
  }

  /** Starts a round, or joins the one that is under way. */
  #start(): Promise<void> {
    if (!this.#isRunning) this.#round = this.#run();
    return this.#round;
  }

  /** Without anything to wait for it is over on return. */
  async #run(): Promise<void> {
    const slices = new Slices();
    const last = this.#megaflows.serial;
    this.#isRunning = true;
    this.#isResting = false;
    this.#restingSince = Number.POSITIVE_INFINITY;
    this.#isLively = false;
    let delay = INTERVAL;
    try {
      const changes = this.#state.changes.take();
      const maxIdle = this.#maxIdle();
      let count = 0;
      for (const flow of this.#megaflows) {
        if (flow.serial > last || this.#isClosed) break;
        const isCostly = !flow.isRetiring && this.#visit(flow, changes, maxIdle);
        if ((isCostly || ++count % STRIDE === 0) && slices.isOver) await slices.pause();
      }
      if (last !== this.#megaflows.serial) this.#isLively = true;
      delay = Math.max(INTERVAL, Math.min(this.#expire(), this.#untilMegaflows()));
    } catch (error) {
      this.#state.log(`revalidation failed: ${error}`);
    }
    this.duration = slices.spent;
    this.#isRunning = false;
    this.#after(delay);
    // Noted while the round was under way: for the next one.
    if (this.#state.changes.any) this.changed();
  }

  /** Milliseconds until megaflows should be looked at again. */
  #untilMegaflows(): number {
    const { clock, dpif, flowLimit, maxIdle } = this.#state;
    const isAtWork = this.#isLively || dpif.flowCount() > flowLimit;
    this.#interval = isAtWork ? INTERVAL : Math.min(2 * this.#interval, MAX_INTERVAL);
    if (isAtWork) return INTERVAL;
    if (this.#restingSince === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    return Math.min(this.#interval, this.#restingSince + maxIdle - clock.now());
  }

  /** Has the next round come in `delay` milliseconds; Infinity: not by itself. */
  #after(delay: number): void {
    this.#cancelNext?.();
    this.#cancelNext = undefined;
    this.#isResting = delay > INTERVAL;
    if (this.#isClosed || delay === Number.POSITIVE_INFINITY) return;
    this.#cancelNext = this.#state.clock.after(delay, () => this.#start());
  }

  /** Past the limit megaflows go quickly; at twice the limit, all of them. */
  #maxIdle(): number {
    const { dpif, flowLimit, maxIdle } = this.#state;
    const flows = dpif.flowCount();
    if (flows > 2 * flowLimit) return Number.NEGATIVE_INFINITY;
    return flows > flowLimit ? Math.min(CROWDED_IDLE, maxIdle) : maxIdle;
  }

  /** @returns whether it was translated anew, which may take long */
  #visit(flow: Megaflow, changes: TakenChanges, maxIdle: number): boolean {
    const { packets } = flow;
    this.#megaflows.pull(flow);
    if (flow.packets !== packets) this.#isLively = true;
    if (this.#state.clock.now() - flow.lastUse > maxIdle) {
      this.#megaflows.remove(flow);
      return false;
    }
    if (flow.lastUse < this.#restingSince) this.#restingSince = flow.lastUse;
    if (!changes.concerns(flow.effects.macTags)) return false;
    this.#isLively = true;
    this.#retranslate(flow);
    return true;
  }

  #retranslate(flow: Megaflow): void {
    const { dpif, owners, translator } = this.#state;
    const installed = dpif.flowGet(flow.ref);
    const owner = installed && owners.get(installed.key[IN_PORT]);
    if (installed === undefined || owner?.bridge !== flow.bridge) {
      this.#megaflows.remove(flow);
      return;
    }
    this.#flow.set(installed.key);
    this.#flow[IN_PORT] = owner.ofport;
    translator.translate(flow.bridge, this.#flow, NOT_LIVE);
    if (hasExtraBits(translator.wildcards, installed.mask)) {
      this.#megaflows.remove(flow);
    } else if (isSame(translator.actions.words, translator.actions.length, installed.actions)) {
      this.#megaflows.refresh(flow);
    } else {
      this.#megaflows.replace(flow, installed.key, installed.mask);
    }
  }

  /** @returns milliseconds until the next thing may expire, Infinity if nothing can */
  #expire(): number {
    const { bridges, clock, changes, packetIns } = this.#state;
    const now = clock.now();
    let first = packetIns.collect() ? now : Number.POSITIVE_INFINITY;
    for (const bridge of bridges) {
      bridge.macs.expire();
      const rules = expireRules(bridge.tables, now);
      if (rules.ended > 0) changes.noteAll();
      first = Math.min(first, bridge.macs.firstExpiry, rules.next);
    }
    return first - now;
  }
}

const NOT_LIVE: TranslateOptions = { isLive: false };

/** Whether the new translation looked at bits that the megaflow does not tell apart. */
function hasExtraBits(wildcards: Int32Array, mask: Int32Array): boolean {
  for (let i = 0; i < KEY_WORDS; i++) if ((wildcards[i] & ~mask[i]) !== 0) return true;
  return false;
}

function isSame(words: Int32Array, length: number, installed: Int32Array): boolean {
  if (installed.length !== length) return false;
  for (let i = 0; i < length; i++) if (words[i] !== installed[i]) return false;
  return true;
}
