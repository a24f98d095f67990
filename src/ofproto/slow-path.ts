/**
 * The slow path: bridges over one datapath. Implements api.ts by putting the
 * parts together: upcalls become megaflows (upcalls.ts), megaflows are kept
 * true (revalidator.ts).
 */
import { TapflowError } from '../lib/error.ts';
import type { Bridge, SlowPath, SlowPathOptions, SlowPathStats } from './api.ts';
import { OfBridge } from './bridge.ts';
import { BridgeState } from './bridge-state.ts';
import { megaflowText } from './megaflow-text.ts';
import { Megaflows } from './megaflows.ts';
import { Revalidator } from './revalidator.ts';
import { SwitchState } from './switch-state.ts';
import { Upcalls } from './upcalls.ts';
import { MAX_VLANS } from './vlan-limit.ts';

export function createSlowPath(options: SlowPathOptions): SlowPath {
  return new OfSlowPath(options);
}

class OfSlowPath implements SlowPath {
  readonly #state: SwitchState;
  readonly #megaflows: Megaflows;
  readonly #revalidator: Revalidator;
  readonly #bridges = new Map<string, OfBridge>();
  #nextId = 1;

  constructor(options: SlowPathOptions) {
    this.#state = new SwitchState(options, {
      changed: () => this.#revalidator.changed(),
      hasWork: () => this.#revalidator.hasWork(),
    });
    this.#megaflows = new Megaflows(this.#state);
    this.#revalidator = new Revalidator(this.#state, this.#megaflows);
    new Upcalls(this.#state, this.#megaflows);
  }

  addBridge(name: string): Bridge {
    if (this.#bridges.has(name)) {
      throw new TapflowError('EEXIST', `there is a bridge "${name}" already: use another name`);
    }
    const { clock, changes, bridges } = this.#state;
    const state = new BridgeState(name, this.#nextId++, clock, (tag) => changes.noteTag(tag));
    const bridge = new OfBridge(this.#state, state);
    bridges.push(state);
    this.#bridges.set(name, bridge);
    return bridge;
  }

  removeBridge(name: string): void {
    const bridge = this.#state.bridges.find((other) => other.name === name);
    if (bridge === undefined) throw new TapflowError('ENOENT', `there is no bridge "${name}"`);
    this.#state.bridges.splice(this.#state.bridges.indexOf(bridge), 1);
    for (const port of bridge.ports) this.#state.owners.delete(port.portNo);
    this.#bridges.delete(name);
    this.#state.changes.noteAll();
  }

  bridge(name: string): Bridge | undefined {
    return this.#bridges.get(name);
  }

  bridges(): Bridge[] {
    return [...this.#bridges.values()];
  }

  setFlowLimit(flows: number): void {
    this.#state.flowLimit = flows;
    this.#state.hasWork();
  }

  setMaxIdle(ms: number): void {
    this.#state.maxIdle = ms;
    this.#state.hasWork();
  }

  setVlanLimit(vlans: number): void {
    this.#state.translator.vlanLimit = vlans === 0 ? MAX_VLANS : vlans;
    this.#state.changes.noteAll();
  }

  revalidate(): Promise<void> {
    return this.#revalidator.complete();
  }

  purge(): Promise<void> {
    return this.#revalidator.purge();
  }

  dumpMegaflows(): string[] {
    return [...this.#megaflows].flatMap((flow) => megaflowText(this.#state, flow.ref) ?? []);
  }

  stats(): SlowPathStats {
    const { dpif, flowLimit, upcalls } = this.#state;
    const dumpDuration = Math.round(this.#revalidator.duration);
    return { flows: dpif.flowCount(), flowLimit, upcalls, dumpDuration };
  }

  close(): void {
    this.#revalidator.close();
  }
}
