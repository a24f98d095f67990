/**
 * Translation: what a bridge's flow tables do with one flow, as datapath
 * actions, the wildcards (which bits of the flow that depended on) and the
 * effects (effects.ts).
 *
 * One Translator serves all translations, one after the other: its arrays are
 * its results, valid until the next call. `flow` is the packet as actions have
 * changed it, `base` the packet as the datapath actions so far have: output
 * commits the difference (commit.ts).
 *
 * Limits are Open vSwitch's: resubmits to the same or an earlier table nest at
 * most MAX_DEPTH deep, and there are at most MAX_RESUBMITS in all. A
 * translation that hits one has an error and no actions.
 */
import { ActionList, DROP, OUTPUT, TRUNC, USERSPACE } from '../dpif/actions.ts';
import { UPCALL_CONTROLLER } from '../dpif/dpif.ts';
import { DROP_TRANSLATE } from '../dpif/drops.ts';
import { FLOW_WORDS, FRAG_ANY, IN_PORT, KEY_WORDS, SHAPE, TP } from '../flow/key.ts';
import {
  OFPP_ALL,
  OFPP_CONTROLLER,
  OFPP_FLOOD,
  OFPP_IN_PORT,
  OFPP_NONE,
  OFPP_NORMAL,
  OFPP_TABLE,
} from '../flow/ports.ts';
import {
  type Action,
  type Controller,
  MAX_LEN_WHOLE,
  type Output,
  type PacketInReason,
  type Resubmit,
  TABLE_CURRENT,
} from '../openflow/action.ts';
import { formatAction } from '../openflow/format-actions.ts';
import { commit } from './commit.ts';
import { clearEffects, type Effects, newEffects } from './effects.ts';
import {
  decTtl,
  move,
  popVlan,
  pushVlan,
  readSubfield,
  setField,
  setVlanPcp,
  setVlanVid,
} from './field-actions.ts';
import { ETH_TYPE_IPV4, ethType } from './flow-facts.ts';
import { ruleTitle } from './flow-tables.ts';
import { normal } from './normal.ts';
import type { PacketIns } from './packet-ins.ts';
import type { Pipeline } from './pipeline.ts';
import type { OfPort } from './ports.ts';
import type { Rule } from './rule.ts';
import type { TraceRecorder } from './trace.ts';
import { DEFAULT_VLAN_LIMIT, limitVlans, limitWildcards } from './vlan-limit.ts';
import { beginWildcards, finishWildcards } from './wildcards.ts';

const MAX_DEPTH = 64;
const MAX_RESUBMITS = 4096;
/** Tables within tables, towards later ones included: what the stack surely holds. */
const MAX_NESTING = 512;
/** Datapath actions of one flow: 64 kB in Open vSwitch. */
const MAX_ACTION_LIST_WORDS = 0x4000;

export type TranslationError =
  | ''
  | 'Recursion too deep'
  | 'Too many resubmits'
  | 'Too many actions';

export interface TranslateOptions {
  /** Whether addresses are learned: for packets, not for what-if questions. */
  isLive: boolean;
  trace?: TraceRecorder;
  /** Carried out in place of table 0. */
  actions?: readonly Action[];
}

export class Translator {
  readonly flow: Int32Array = new Int32Array(FLOW_WORDS);
  readonly wildcards: Int32Array = new Int32Array(FLOW_WORDS);
  /** The wildcards as a megaflow's mask. */
  readonly mask: Int32Array = this.wildcards.subarray(0, KEY_WORDS);
  readonly actions: ActionList = new ActionList();
  readonly effects: Effects = newEffects();
  error: TranslationError = '';
  trace: TraceRecorder | undefined;
  isLive = false;
  /** Tags that a flow has at most. */
  vlanLimit = DEFAULT_VLAN_LIMIT;

  readonly #base = new Int32Array(FLOW_WORDS);
  readonly #packetIns: PacketIns;
  #pipeline: Pipeline | undefined;
  #rule: Rule | undefined;
  #table = 0;
  #depth = 0;
  #nesting = 0;
  #resubmits = 0;
  #isExiting = false;
  #isLimited = false;

  constructor(packetIns: PacketIns) {
    this.#packetIns = packetIns;
  }

  get pipeline(): Pipeline {
    if (this.#pipeline === undefined) throw new TypeError('no translation is going on');
    return this.#pipeline;
  }

  /** @param flow FLOW_WORDS words, in_port an OpenFlow port; not changed */
  translate(pipeline: Pipeline, flow: Int32Array, options: TranslateOptions): void {
    this.#begin(pipeline, flow, options);
    if (options.actions === undefined) this.#lookupAndRun(flow[IN_PORT], 0);
    else this.#run(options.actions);
    if (this.error !== '') {
      this.actions.clear();
      this.actions.push(DROP, DROP_TRANSLATE);
    }
    limitWildcards(this.wildcards, flow, this.vlanLimit, this.#isLimited);
    finishWildcards(this.wildcards, flow);
  }

  /** Sends the packet, as `flow` says it is now, out of a port. */
  outputTo(port: OfPort): void {
    commit(this.flow, this.#base, this.wildcards, this.actions);
    this.actions.push(OUTPUT, port.portNo);
  }

  #begin(pipeline: Pipeline, flow: Int32Array, options: TranslateOptions): void {
    this.#pipeline = pipeline;
    this.flow.set(flow);
    this.#isLimited = limitVlans(this.flow, this.vlanLimit);
    this.#base.set(this.flow);
    beginWildcards(this.wildcards, this.flow);
    this.actions.clear();
    clearEffects(this.effects);
    this.error = '';
    this.isLive = options.isLive;
    this.trace = options.trace;
    this.#rule = undefined;
    this.#table = 0;
    this.#depth = 0;
    this.#nesting = 0;
    this.#resubmits = 0;
    this.#isExiting = false;
  }

  /** Looks the flow up in a table, as if it had come in on `inPort`, and does what the rule says. */
  #lookupAndRun(inPort: number, table: number): void {
    const outer = this.#rule;
    const outerTable = this.#table;
    const rule = this.#lookup(inPort, table);
    const outerTrace = this.trace?.enter('table', ruleTitle(table, rule));
    this.#rule = rule;
    this.#table = table;
    if (rule !== undefined) this.effects.rules.push(rule);
    this.#run(rule?.actions ?? NO_ACTIONS);
    this.#rule = outer;
    this.#table = outerTable;
    if (outerTrace !== undefined) this.trace?.leave(outerTrace);
  }

  #lookup(inPort: number, table: number): Rule | undefined {
    const { flow, pipeline } = this;
    const actualPort = flow[IN_PORT];
    const ports = flow[TP];
    flow[IN_PORT] = inPort;
    // All fragments of a packet take one way: none shows its ports.
    if ((flow[SHAPE] & FRAG_ANY) !== 0) flow[TP] = 0;
    const rule = pipeline.tables.lookup(table, flow, this.wildcards);
    flow[IN_PORT] = actualPort;
    flow[TP] = ports;
    return rule;
  }

  #run(actions: readonly Action[]): void {
    if (actions.length === 0) this.trace?.note('action', 'drop');
    for (const action of actions) {
      if (this.#isExiting || this.error !== '') return;
      this.trace?.note('action', formatAction(action));
      if (!this.#do(action)) return;
    }
  }

  /** @returns whether to go on with the actions after it */
  #do(action: Action): boolean {
    switch (action.kind) {
      case 'output':
        this.#output(action);
        return true;
      case 'output_register':
        this.#outputRegister(Number(readSubfield(this, action.source)));
        return true;
      case 'controller':
        this.#controller(action);
        return true;
      case 'resubmit':
        this.#resubmit(action);
        return true;
      case 'goto_table':
        this.#enterTable(this.flow[IN_PORT], action.table);
        return true;
      case 'set_field':
        setField(this, action);
        return true;
      case 'move':
        move(this, action);
        return true;
      case 'set_vlan_vid':
        setVlanVid(this, action);
        return true;
      case 'set_vlan_pcp':
        setVlanPcp(this, action);
        return true;
      case 'push_vlan':
        pushVlan(this, action.tpid);
        return true;
      case 'pop_vlan':
        popVlan(this);
        return true;
      case 'dec_ttl':
        return this.#decTtl(action.ids);
      case 'exit':
        this.#isExiting = true;
        return false;
    }
  }

  #output(action: Output): void {
    if (action.maxLen !== undefined) this.#outputTruncated(action.port, action.maxLen);
    else this.#outputNumber(action.port);
  }

  #outputRegister(port: number): void {
    this.trace?.note('detail', `output port is ${port}`);
    // A register that says so sends nowhere.
    if (port <= OFPP_NONE) this.#outputNumber(port);
  }

  #outputNumber(port: number): void {
    switch (port) {
      case OFPP_IN_PORT:
        this.#outputPort(this.flow[IN_PORT]);
        break;
      case OFPP_NORMAL:
        normal(this);
        break;
      case OFPP_FLOOD:
        this.#outputAll(false);
        break;
      case OFPP_ALL:
        this.#outputAll(true);
        break;
      case OFPP_CONTROLLER:
        this.#packetIn('action', MAX_LEN_WHOLE);
        break;
      case OFPP_TABLE:
        if (this.#rule === undefined) this.#enterTable(this.flow[IN_PORT], 0);
        break;
      case OFPP_NONE:
        break;
      default:
        if (port !== this.flow[IN_PORT]) this.#outputPort(port);
        else this.trace?.note('warning', 'skipping output to input port');
    }
  }

  #outputPort(ofport: number): void {
    const port = this.pipeline.ports.get(ofport);
    if (port !== undefined) this.outputTo(port);
    else this.trace?.note('warning', 'Nonexistent output port');
  }

  #outputAll(evenNoFlood: boolean): void {
    for (const port of this.pipeline.ports) {
      if (port.ofport !== this.flow[IN_PORT] && (evenNoFlood || port.flood)) {
        this.outputTo(port);
      }
    }
  }

  #outputTruncated(ofport: number, maxLen: number): void {
    const wanted = ofport === OFPP_IN_PORT ? this.flow[IN_PORT] : ofport;
    const port = this.pipeline.ports.get(wanted);
    if (ofport === this.flow[IN_PORT]) {
      this.trace?.note('warning', 'skipping output to input port');
    } else if (port === undefined) {
      this.trace?.note('warning', 'Nonexistent output port');
    } else {
      this.actions.push(TRUNC, maxLen);
      this.outputTo(port);
    }
  }

  #controller(action: Controller): void {
    this.#packetIn(action.reason, action.maxLen);
  }

  #packetIn(reason: PacketInReason, maxLen: number): void {
    commit(this.flow, this.#base, this.wildcards, this.actions);
    const isMiss = reason === 'action' && this.#rule?.isTableMiss === true;
    const cookie = this.#packetIns.cookieFor(
      this.pipeline,
      this.#rule,
      this.#table,
      isMiss ? 'explicit_miss' : reason,
      maxLen,
    );
    this.effects.packetIns.push(cookie);
    this.actions.push(USERSPACE, UPCALL_CONTROLLER, cookie, maxLen);
  }

  /** @returns false when the packet has come to its end: the rest of this rule's actions is not done */
  #decTtl(ids: readonly number[]): boolean {
    if (decTtl(this)) return true;
    for (const _ of ids) this.#packetIn('invalid_ttl', MAX_LEN_WHOLE);
    this.trace?.note(
      'warning',
      `IPv${ethType(this.flow) === ETH_TYPE_IPV4 ? 4 : 6} decrement TTL exception`,
    );
    return false;
  }

  #resubmit(action: Resubmit): void {
    const port = action.port === OFPP_IN_PORT ? this.flow[IN_PORT] : action.port;
    this.#enterTable(port, action.table === TABLE_CURRENT ? this.#table : action.table);
  }

  #enterTable(inPort: number, table: number): void {
    if (!this.#mayEnter()) return;
    const isDeeper = table <= this.#table && this.#rule !== undefined;
    if (isDeeper) this.#depth++;
    this.#nesting++;
    this.#resubmits++;
    this.#lookupAndRun(inPort, table);
    this.#nesting--;
    if (isDeeper) this.#depth--;
  }

  #mayEnter(): boolean {
    if (this.#depth >= MAX_DEPTH) {
      return this.#fail('Recursion too deep', `over max translation depth ${MAX_DEPTH}`);
    }
    if (this.#nesting >= MAX_NESTING) {
      return this.#fail('Recursion too deep', `over ${MAX_NESTING} tables within each other`);
    }
    if (this.#resubmits >= MAX_RESUBMITS) {
      return this.#fail('Too many resubmits', `over ${MAX_RESUBMITS} resubmit actions`);
    }
    if (this.actions.length > MAX_ACTION_LIST_WORDS) {
      return this.#fail('Too many actions', 'resubmits yielded over 64 kB of actions');
    }
    return true;
  }

  #fail(error: TranslationError, text: string): false {
    this.error = error;
    this.trace?.note('error', text);
    return false;
  }
}

const NO_ACTIONS: readonly Action[] = [];
