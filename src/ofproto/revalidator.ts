/**
 * The revalidator: keeps megaflows true to the tables, and the tables'
 * counters true to the megaflows.
 *
 * A round walks all megaflows: it pulls their statistics, deletes idle ones,
 * and translates those anew that a change concerns; what comes out different
 * gets its new actions, or is deleted if it no longer covers its packets.
 * Then addresses and rules that have had their time expire.
 *
 * Rounds run every INTERVAL, and soon after a change. They work in
 * slices (slices.ts); at most a third of the time goes to rounds that changes
 * ask for.
 */
import { FLOW_WORDS, IN_PORT, KEY_WORDS } from '../flow/key.ts';
import type { TakenChanges } from './changes.ts';
import { expireRules } from './expire.ts';
import type { Megaflow, Megaflows } from './megaflows.ts';
import { Slices } from './slices.ts';
import type { SwitchState } from './switch-state.ts';
import type { TranslateOptions } from './translate.ts';

/** Milliseconds between rounds when nothing changes. */
const INTERVAL = 500;
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
  #round: Promise<void> | undefined;
  #cancelTick: () => void;
  #cancelSoon: (() => void) | undefined;
  #isClosed = false;

  constructor(state: SwitchState, megaflows: Megaflows) {
    this.#state = state;
    this.#megaflows = megaflows;
    this.#cancelTick = this.#tick();
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
    this.#cancelTick();
    this.#cancelSoon?.();
  }

  #tick(): () => void {
    return this.#state.clock.after(INTERVAL, () => {
      this.#cancelTick = this.#tick();
      this.#start();
    });
  }

  /** Starts a round, or joins the one that is under way. */
  #start(): Promise<void> {
    this.#round ??= this.#run()
      .catch((error: unknown) => this.#state.log(`revalidation failed: ${error}`))
      .finally(() => {
        this.#round = undefined;
        // Noted while the round was under way: for the next one.
        if (this.#state.changes.any) this.changed();
      });
    return this.#round;
  }

  async #run(): Promise<void> {
    const changes = this.#state.changes.take();
    const last = this.#megaflows.serial;
    const maxIdle = this.#maxIdle();
    const slices = new Slices();
    let count = 0;
    for (const flow of this.#megaflows) {
      if (flow.serial > last || this.#isClosed) break;
      const isCostly = !flow.isRetiring && this.#visit(flow, changes, maxIdle);
      if ((isCostly || ++count % STRIDE === 0) && slices.isOver) await slices.pause();
    }
    this.#expire();
    this.duration = slices.spent;
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
    this.#megaflows.pull(flow);
    if (this.#state.clock.now() - flow.lastUse > maxIdle) {
      this.#megaflows.remove(flow);
      return false;
    }
    if (!changes.concerns(flow.effects.macTags)) return false;
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

  #expire(): void {
    const { bridges, clock, changes, packetIns } = this.#state;
    for (const bridge of bridges) {
      bridge.macs.expire();
      if (expireRules(bridge.tables, clock.now()) > 0) changes.noteAll();
    }
    packetIns.collect();
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
