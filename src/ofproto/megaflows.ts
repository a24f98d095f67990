/**
 * The slow path's record of each installed megaflow: which effects its packets
 * have, and how much of its statistics they were given already.
 *
 * Every packet counts once: `pull` replays what came since the last pull, and
 * when a deleted flow is retired its last statistics are replayed likewise.
 */
import type { FlowRef, FlowStats } from '../dpif/dpif.ts';
import type { BridgeState } from './bridge-state.ts';
import { copyEffects, type Effects, replay } from './effects.ts';
import type { SwitchState } from './switch-state.ts';

export interface Megaflow {
  readonly ref: FlowRef;
  bridge: BridgeState;
  effects: Effects;
  /** Packets and bytes that the effects were replayed for. */
  packets: number;
  bytes: number;
  /** Milliseconds of the clock: when a packet last used it, or when it was made. */
  lastUse: number;
  /** Rises with each installed megaflow. */
  readonly serial: number;
  /** Deleted, but its last statistics are still to come. */
  isRetiring: boolean;
}

export class Megaflows {
  readonly #state: SwitchState;
  readonly #byRef = new Map<FlowRef, Megaflow>();
  readonly #stats: FlowStats = { packets: 0, bytes: 0, used: 0, tcpFlags: 0 };
  #serial = 0;

  constructor(state: SwitchState) {
    this.#state = state;
    state.dpif.onRetired((ref, stats) => this.#retired(ref, stats));
  }

  /** The serial of the newest. */
  get serial(): number {
    return this.#serial;
  }

  /** In the order they were installed. */
  [Symbol.iterator](): IterableIterator<Megaflow> {
    return this.#byRef.values();
  }

  /**
   * Installs the translation at hand for a datapath key, unless the flow table
   * is full.
   */
  install(key: Int32Array, bridge: BridgeState): void {
    const { dpif, translator, packetIns } = this.#state;
    const ref = dpif.flowPut(key, translator.mask, this.#actions());
    if (ref === undefined) return;
    const known = this.#byRef.get(ref);
    if (known !== undefined) {
      this.pull(known);
      this.#setEffects(known, bridge);
      return;
    }
    const effects = copyEffects(translator.effects);
    packetIns.hold(effects.packetIns);
    this.#byRef.set(ref, {
      ref,
      bridge,
      effects,
      packets: 0,
      bytes: 0,
      lastUse: this.#state.clock.now(),
      serial: ++this.#serial,
      isRetiring: false,
    });
    this.#state.hasWork();
  }

  /** Gives a megaflow the actions and effects of the translation at hand. */
  replace(flow: Megaflow, key: Int32Array, mask: Int32Array): void {
    this.pull(flow);
    if (this.#state.dpif.flowPut(key, mask, this.#actions()) === undefined) this.remove(flow);
    else this.#setEffects(flow, flow.bridge);
  }

  /** Keeps the actions, but takes the effects of the translation at hand. */
  refresh(flow: Megaflow): void {
    this.pull(flow);
    this.#setEffects(flow, flow.bridge);
  }

  /** Replays what packets did since the last time. */
  pull(flow: Megaflow): void {
    this.#state.dpif.flowStats(flow.ref, this.#stats);
    this.#credit(flow, this.#stats);
  }

  remove(flow: Megaflow): void {
    flow.isRetiring = true;
    this.#state.dpif.flowDel(flow.ref);
  }

  #retired(ref: FlowRef, stats: FlowStats): void {
    const flow = this.#byRef.get(ref);
    if (flow === undefined) return;
    this.#credit(flow, stats);
    this.#state.packetIns.release(flow.effects.packetIns);
    this.#byRef.delete(ref);
  }

  #credit(flow: Megaflow, stats: FlowStats): void {
    const packets = stats.packets - flow.packets;
    if (packets <= 0) return;
    const { clock, dpif } = this.#state;
    // The datapath's clock may have started elsewhere.
    const used = clock.now() - (dpif.now() - stats.used);
    replay(flow.effects, packets, stats.bytes - flow.bytes, used);
    flow.packets = stats.packets;
    flow.bytes = stats.bytes;
    flow.lastUse = Math.max(flow.lastUse, used);
  }

  #setEffects(flow: Megaflow, bridge: BridgeState): void {
    const { translator, packetIns } = this.#state;
    packetIns.release(flow.effects.packetIns);
    flow.bridge = bridge;
    flow.effects = copyEffects(translator.effects);
    packetIns.hold(flow.effects.packetIns);
  }

  #actions(): Int32Array {
    const { actions } = this.#state.translator;
    return actions.words.subarray(0, actions.length);
  }
}
