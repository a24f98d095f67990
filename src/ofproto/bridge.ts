/**
 * A bridge as seen from above: api.ts's Bridge over a BridgeState. Each call
 * checks its input completely before it changes anything, and notes what
 * changed, so that megaflows follow.
 */

import { IN_PORT } from '../flow/key.ts';
import { OFPP_CONTROLLER, type PortNames } from '../flow/ports.ts';
import { TapflowError } from '../lib/error.ts';
import { Slices } from '../lib/slices.ts';
import { formatActions } from '../openflow/format-actions.ts';
import { parseActions } from '../openflow/parse-actions.ts';
import { newSpec, parseFlowSpec } from '../openflow/parse-flow.ts';
import type { Bridge, BridgePortSpec, FlowStatsEntry, MacEntry, PacketIn } from './api.ts';
import type { BridgeState } from './bridge-state.ts';
import { FlowTables, formatRule } from './flow-tables.ts';
import { frameFlow } from './frame-flow.ts';
import { macText } from './mac-table.ts';
import type { PortChange } from './ports.ts';
import type { Rule } from './rule.ts';
import type { SwitchState } from './switch-state.ts';
import { traceText } from './trace-text.ts';

export class OfBridge implements Bridge {
  readonly name: string;
  readonly #state: SwitchState;
  readonly #bridge: BridgeState;
  readonly #names: PortNames;
  /** The NORMAL flow that standalone mode gave. */
  #standalone: Rule | undefined;

  constructor(state: SwitchState, bridge: BridgeState) {
    this.name = bridge.name;
    this.#state = state;
    this.#bridge = bridge;
    this.#names = {
      byName: (name) => bridge.ports.byName(name)?.ofport,
      nameOf: () => undefined,
    };
    this.setFailMode('standalone');
  }

  addPort(spec: BridgePortSpec): number {
    if (this.#state.owners.has(spec.portNo)) {
      throw new TapflowError(
        'EEXIST',
        `datapath port ${spec.portNo} belongs to a bridge already: remove it there first`,
      );
    }
    const { ofport } = this.#bridge.ports.add(spec);
    this.#state.owners.set(spec.portNo, { bridge: this.#bridge, ofport });
    this.#state.changes.noteAll();
    return ofport;
  }

  setPort(ofport: number, change: PortChange): void {
    this.#bridge.ports.set(ofport, change);
    if (VLAN_SETTINGS.some((name) => name in change)) this.#bridge.macs.flushPort(ofport);
    this.#state.changes.noteAll();
  }

  removePort(ofport: number): void {
    const port = this.#bridge.ports.remove(ofport);
    this.#state.owners.delete(port.portNo);
    this.#bridge.macs.flushPort(ofport);
    this.#state.changes.noteAll();
  }

  portByName(name: string): number | undefined {
    return this.#bridge.ports.byName(name)?.ofport;
  }

  setFailMode(mode: 'standalone' | 'secure'): void {
    const { tables } = this.#bridge;
    if (mode === 'secure') {
      tables.remove([...tables].filter((rule) => rule === this.#standalone));
    } else if (tables.isEmpty) {
      this.#standalone = tables.add(TABLE_MISS_NORMAL, this.#state.clock.now());
    }
    this.#state.changes.noteAll();
  }

  setMacAging(seconds: number): void {
    this.#bridge.macs.setAging(seconds);
    this.#state.hasWork();
  }

  setMacTableSize(entries: number): void {
    this.#bridge.macs.setCapacity(entries);
  }

  setForwardBpdu(forward: boolean): void {
    this.#bridge.forwardBpdu = forward;
    this.#state.changes.noteAll();
  }

  addFlow(text: string): void {
    const spec = parseFlowSpec(text, 'add', this.#names);
    this.#bridge.tables.add(spec, this.#state.clock.now());
    this.#state.changes.noteAll();
  }

  async replaceFlows(texts: readonly string[]): Promise<void> {
    const tables = new FlowTables();
    const slices = new Slices();
    for (const text of texts) {
      tables.add(parseFlowSpec(text, 'add', this.#names), this.#state.clock.now());
      await slices.breathe();
    }
    this.#bridge.tables = tables;
    this.#state.changes.noteAll();
  }

  modFlows(text: string, strict: boolean): number {
    const spec = parseFlowSpec(text, strict ? 'modify strict' : 'modify', this.#names);
    const count = this.#bridge.tables.modify(spec, strict, this.#state.clock.now());
    this.#state.changes.noteAll();
    return count;
  }

  delFlows(text: string, strict: boolean): number {
    const spec = parseFlowSpec(text, strict ? 'delete strict' : 'delete', this.#names);
    const { length } = this.#bridge.tables.delete(spec, strict);
    if (length > 0) this.#state.changes.noteAll();
    return length;
  }

  dumpFlows(matchText?: string): FlowStatsEntry[] {
    const { tables } = this.#bridge;
    const spec =
      matchText === undefined ? newSpec() : parseFlowSpec(matchText, 'delete', this.#names);
    return tables.sorted(tables.select(spec, false)).map((rule) => this.#entryOf(rule));
  }

  macs(): MacEntry[] {
    const now = this.#state.clock.now();
    return [...this.#bridge.macs].map(({ ofport, vlan, mac, seen }) => ({
      ofport,
      vlan,
      mac: macText(mac),
      age: Math.floor((now - seen) / 1000),
    }));
  }

  flushMacs(): void {
    this.#bridge.macs.flush();
  }

  trace(flowText: string, frame?: Uint8Array): string {
    return traceText(this.#state, this.#bridge, flowText, this.#names, frame);
  }

  onPacketIn(listener: (packet: PacketIn) => void): void {
    this.#bridge.packetInListeners.push(listener);
  }

  packetOut(frame: Uint8Array, actionsText: string, inPort = OFPP_CONTROLLER): void {
    const { translator, dpif, clock } = this.#state;
    const actions = parseActions(actionsText, this.#names);
    const flow = frameFlow(frame, inPort);
    translator.translate(this.#bridge, flow, { isLive: true, actions });
    for (const rule of translator.effects.rules) rule.credit(1, frame.length, clock.now());
    const portNo = this.#bridge.ports.get(flow[IN_PORT])?.portNo ?? 0;
    dpif.execute(frame, portNo, translator.actions.toArray());
  }

  #entryOf(rule: Rule): FlowStatsEntry {
    const now = this.#state.clock.now();
    return {
      table: rule.table,
      priority: rule.priority,
      cookie: rule.cookie,
      packets: rule.packets,
      bytes: rule.bytes,
      duration: (now - rule.added) / 1000,
      idleAge: Math.floor((now - rule.used) / 1000),
      text: formatRule(rule, now, formatActions(rule.actions)),
    };
  }
}

const TABLE_MISS_NORMAL = parseFlowSpec('priority=0,actions=NORMAL', 'add');

const VLAN_SETTINGS = ['vlanMode', 'tag', 'trunks'];
