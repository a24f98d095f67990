/**
 * Answers the datapath's upcalls.
 *
 * A miss is translated, its packet credited to the rules it met, the result
 * installed as a megaflow and executed on the packet. A controller action's
 * packet goes to the bridge's listeners.
 */
import { UPCALL_CONTROLLER, UPCALL_MISS, type Upcall } from '../dpif/dpif.ts';
import { DROP_NO_PORT } from '../dpif/drops.ts';
import { FLOW_WORDS, IN_PORT } from '../flow/key.ts';
import { OFPP_CONTROLLER } from '../flow/ports.ts';
import type { PacketIn } from './api.ts';
import type { BridgeState } from './bridge-state.ts';
import type { Megaflows } from './megaflows.ts';
import type { PacketInContext } from './packet-ins.ts';
import type { SwitchState } from './switch-state.ts';
import type { TranslateOptions } from './translate.ts';

export class Upcalls {
  readonly #state: SwitchState;
  readonly #megaflows: Megaflows;
  readonly #flow = new Int32Array(FLOW_WORDS);

  constructor(state: SwitchState, megaflows: Megaflows) {
    this.#state = state;
    this.#megaflows = megaflows;
    state.dpif.onUpcall((upcall) => this.#handle(upcall));
  }

  #handle(upcall: Upcall): void {
    this.#state.upcalls++;
    if (upcall.reason === UPCALL_CONTROLLER) this.#packetIn(upcall);
    else this.#translate(upcall);
  }

  #translate(upcall: Upcall): void {
    const { owners, translator, clock, dpif, flowLimit } = this.#state;
    const owner = owners.get(upcall.portNo);
    if (owner === undefined) {
      upcall.drop(DROP_NO_PORT);
      return;
    }
    this.#flow.set(upcall.key);
    this.#flow[IN_PORT] = owner.ofport;
    translator.translate(owner.bridge, this.#flow, LIVE);
    const now = clock.now();
    for (const rule of translator.effects.rules) rule.credit(1, upcall.frameSize, now);
    if (upcall.reason === UPCALL_MISS && dpif.flowCount() < flowLimit) {
      this.#megaflows.install(upcall.key, owner.bridge);
    }
    upcall.execute(translator.actions.words, translator.actions.length);
  }

  #packetIn(upcall: Upcall): void {
    const context = this.#state.packetIns.get(upcall.cookie);
    if (context === undefined) return;
    const bridge = this.#bridgeOf(context);
    if (bridge === undefined || bridge.packetInListeners.length === 0) return;
    const owner = this.#state.owners.get(upcall.portNo);
    const inPort = owner?.bridge === bridge ? owner.ofport : OFPP_CONTROLLER;
    const packet = packetInOf(upcall, context, inPort);
    for (const listener of bridge.packetInListeners) listener(packet);
  }

  #bridgeOf({ pipeline }: PacketInContext): BridgeState | undefined {
    return this.#state.bridges.find((bridge) => bridge === pipeline);
  }
}

const LIVE: TranslateOptions = { isLive: true };

function packetInOf(upcall: Upcall, context: PacketInContext, inPort: number): PacketIn {
  return {
    bridge: context.pipeline.name,
    inPort,
    table: context.table,
    cookie: context.rule?.cookie ?? 0n,
    reason: context.reason === 'explicit_miss' ? 'no_match' : context.reason,
    totalSize: upcall.frameSize,
    frame: upcall.frame().slice(0, context.maxLen),
  };
}
