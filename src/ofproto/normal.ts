/**
 * NORMAL: what a VLAN-aware learning switch does with a packet.
 *
 * Admit it to its VLAN or drop it; learn where its source address is; send it
 * where its destination was learned, or flood it through the VLAN. The texts
 * are ofproto/trace's.
 */
import {
  IN_PORT,
  MAC_0,
  MAC_1,
  MAC_2,
  NW_DST,
  NW_SRC,
  PROTO,
  VLAN_0,
  VLAN_CFI,
  VLAN_VID_MASK,
} from '../flow/key.ts';
import { OFPP_CONTROLLER, OFPP_NONE } from '../flow/ports.ts';
import {
  ETH_TYPE_ARP,
  ETH_TYPE_VLAN,
  ETH_TYPE_VLAN_SERVICE,
  ethDst,
  ethSrc,
  ethType,
  NW_PROTO_BITS,
  nwProto,
} from './flow-facts.ts';
import { macTag, macText } from './mac-table.ts';
import type { OfPort } from './ports.ts';
import { isReservedMulticast } from './reserved-addresses.ts';
import type { Translator } from './translate.ts';
import {
  admitsVid,
  carriesVlan,
  inputVlan,
  outputTag,
  priorityDecides,
  VLAN_PCP_MASK,
} from './vlan.ts';

export function normal(translator: Translator): void {
  const { flow, wildcards, pipeline, trace } = translator;
  wildcards[MAC_0] = -1;
  wildcards[MAC_1] = -1;
  wildcards[MAC_2] = -1;
  wildcards[VLAN_0] |= VLAN_VID_MASK | VLAN_CFI;
  const inPort = flow[IN_PORT];
  const isFromPort = inPort !== OFPP_CONTROLLER && inPort !== OFPP_NONE;
  const input = pipeline.ports.get(inPort);
  if (isFromPort && input === undefined) {
    trace?.note('error', `received packet on unknown port ${inPort}`);
    trace?.note('warning', 'no input bundle, dropping');
    return;
  }
  if (!isAdmitted(translator, input)) return;
  const vid = flow[VLAN_0] & VLAN_VID_MASK;
  const vlan = input === undefined ? vid : inputVlan(input, vid);
  if (input !== undefined) learn(translator, input, vlan);
  forward(translator, input, vlan);
}

/** @param input undefined: from the controller, which may use any VLAN */
function isAdmitted(translator: Translator, input: OfPort | undefined): boolean {
  const { flow, trace } = translator;
  const vid = flow[VLAN_0] & VLAN_VID_MASK;
  if (isPartialTag(flow)) {
    trace?.note('error', 'dropping packet with partial VLAN tag received');
    return false;
  }
  if (input !== undefined && !admitsVid(input, vid)) {
    if (trace !== undefined) {
      trace.note('error', notAdmitted(input, vid));
      trace.note('warning', 'disallowed VLAN VID for this input port, dropping');
    }
    return false;
  }
  if (!translator.pipeline.forwardBpdu && isReservedMulticast(ethDst(flow))) {
    trace?.note('detail', 'packet has reserved destination MAC, dropping');
    return false;
  }
  return true;
}

function isPartialTag(flow: Int32Array): boolean {
  const type = ethType(flow);
  const isTag = type === ETH_TYPE_VLAN || type === ETH_TYPE_VLAN_SERVICE;
  return isTag && (flow[VLAN_0] & VLAN_CFI) === 0;
}

function notAdmitted(input: OfPort, vid: number): string {
  return input.vlanMode === 'access'
    ? `dropping VLAN ${vid} tagged packet received on port ${input.name} configured as VLAN ${input.tag} access port`
    : `dropping VLAN ${vid} packet received on port ${input.name} not configured for trunking VLAN ${vid}`;
}

function learn(translator: Translator, input: OfPort, vlan: number): void {
  const { flow, pipeline, trace, effects } = translator;
  noteGratuitousArp(flow, translator.wildcards);
  const mac = ethSrc(flow);
  if (translator.isLive && pipeline.macs.learn(mac, vlan, input.ofport)) {
    trace?.note('detail', `learned that ${macText(mac)} is on port ${input.name} in VLAN ${vlan}`);
  }
  const { macs, ports } = pipeline;
  effects.macsSeen.push({ macs, ports, mac, vlan, ofport: input.ofport });
}

/**
 * Open vSwitch asks of every packet whether it is gratuitous ARP, for bonds'
 * sake: the answer changes nothing on single ports, but its megaflows tell
 * such ARP apart, and ours are the same.
 */
function noteGratuitousArp(flow: Int32Array, wildcards: Int32Array): void {
  if (ethType(flow) !== ETH_TYPE_ARP || ethDst(flow) !== BROADCAST) return;
  wildcards[PROTO] |= NW_PROTO_BITS;
  if (nwProto(flow) !== ARP_REQUEST) return;
  wildcards[NW_SRC] = -1;
  wildcards[NW_DST] = -1;
}

const BROADCAST = 0xffff_ffff_ffff;
const ARP_REQUEST = 1;

function forward(translator: Translator, input: OfPort | undefined, vlan: number): void {
  const { flow, pipeline, trace } = translator;
  const destination = ethDst(flow);
  translator.effects.macTags.push(macTag(pipeline.id, vlan, destination));
  const ofport = pipeline.macs.lookup(destination, vlan);
  if (ofport < 0) {
    trace?.note('detail', 'no learned MAC for destination, flooding');
    flood(translator, input, vlan);
    return;
  }
  const output = pipeline.ports.get(ofport);
  if (output === undefined) {
    trace?.note('detail', 'learned port is unknown, dropping');
  } else if (output === input) {
    trace?.note('detail', 'learned port is input port, dropping');
  } else {
    trace?.note('detail', 'forwarding to learned port');
    send(translator, output, vlan);
  }
}

function flood(translator: Translator, input: OfPort | undefined, vlan: number): void {
  for (const port of translator.pipeline.ports) {
    if (port !== input && port.flood && carriesVlan(port, vlan)) {
      send(translator, port, vlan);
    }
  }
}

function send(translator: Translator, port: OfPort, vlan: number): void {
  const { flow, wildcards } = translator;
  const tag = flow[VLAN_0];
  // Stock ovs-vswitchd forgets that the priority counts here.
  if ((tag & VLAN_CFI) !== 0 && priorityDecides(port, vlan)) wildcards[VLAN_0] |= VLAN_PCP_MASK;
  flow[VLAN_0] = outputTag(port, vlan, tag);
  translator.outputTo(port);
  flow[VLAN_0] = tag;
}
