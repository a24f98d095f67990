/**
 * `ofproto/trace`: what a bridge would do with a flow, in Open vSwitch's words.
 *
 * With a frame, the flow is the frame's, and side effects take place: its
 * source address is learned.
 */
import { formatFlow, parseFlow } from '../flow/flow-text.ts';
import { IN_PORT } from '../flow/key.ts';
import { formatMatch } from '../flow/match-format.ts';
import type { PortNames } from '../flow/ports.ts';
import type { BridgeState } from './bridge-state.ts';
import { isIcmp } from './flow-facts.ts';
import { frameFlow } from './frame-flow.ts';
import { datapathActionsText } from './megaflow-text.ts';
import type { SwitchState } from './switch-state.ts';
import { formatTrace, TraceRecorder } from './trace.ts';
import { limitVlans } from './vlan-limit.ts';
import { hideAbsentTags } from './wildcards.ts';

export function traceText(
  state: SwitchState,
  bridge: BridgeState,
  flowText: string,
  names: PortNames,
  frame?: Uint8Array,
): string {
  const metadata = parseFlow(flowText, names);
  const flow = frame === undefined ? metadata : frameFlow(frame, metadata[IN_PORT]);
  const { translator } = state;
  limitVlans(flow, translator.vlanLimit);
  const trace = new TraceRecorder();
  trace.enter('bridge', `bridge("${bridge.name}")`);
  translator.translate(bridge, flow, { isLive: frame !== undefined, trace });
  const isChanged = translator.flow.some((word, i) => word !== flow[i]);
  const lines = [
    `Flow: ${formatFlow(flow)}`,
    formatTrace(trace.nodes),
    `Final flow: ${isChanged ? formatFlow(translator.flow) : 'unchanged'}`,
    `Megaflow: ${megaflowText(flow, translator.wildcards)}`,
    `Datapath actions: ${datapathActionsText(state, translator.actions.toArray(), flow)}`,
  ];
  if (translator.error !== '') {
    lines.push(`Translation failed (${translator.error}), packet is dropped.`);
  }
  return `${lines.join('\n')}\n`;
}

function megaflowText(flow: Int32Array, wildcards: Int32Array): string {
  const mask = wildcards.slice();
  hideAbsentTags(mask, flow);
  const text = formatMatch({ value: flow.map((word, i) => word & mask[i]), mask });
  return isIcmp(flow) ? text.replace(ICMP_FIELD, icmpFieldText) : text;
}

/** A megaflow has eight bits of an ICMP type's or code's sixteen: shown with their mask. */
const ICMP_FIELD = /(icmp_(?:type|code))=(\d+)/g;
const icmpFieldText = (_text: string, name: string, value: string): string =>
  `${name}=0x${Number(value).toString(16)}/0xff`;
