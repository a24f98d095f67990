/**
 * The actions that change a flow's fields. Each works on a translation's flow
 * and notes in its wildcards what it read or wrote: a packet with other bits
 * there would come out different.
 */

import type { Field } from '../flow/fields.ts';
import {
  NW_TTL_SHIFT,
  PROTO,
  VLAN_0,
  VLAN_1,
  VLAN_CFI,
  VLAN_PCP_SHIFT,
  VLAN_VID_MASK,
  VOLATILE,
} from '../flow/key.ts';
import { getField, writeField } from '../flow/match.ts';
import type { Move, SetField, SetVlanPcp, SetVlanVid, Subfield } from '../openflow/action.ts';
import { formatSubfieldValue } from '../openflow/format-actions.ts';
import { formatSubfield } from '../openflow/subfield.ts';
import { ETH_TYPE_VLAN, isArp, isIp, isLaterFragment, NW_PROTO_BITS } from './flow-facts.ts';
import { isMet } from './prerequisites.ts';
import type { TraceRecorder } from './trace.ts';
import { VLAN_PCP_MASK } from './vlan.ts';

/** The part of a translation that these actions touch. */
interface Packet {
  readonly flow: Int32Array;
  readonly wildcards: Int32Array;
  readonly trace: TraceRecorder | undefined;
}

export function setField({ flow, wildcards, trace }: Packet, action: SetField): void {
  if (!canWrite(action, flow, wildcards)) {
    if (!action.form.startsWith('mod_')) {
      trace?.note('warning', `unmet prerequisites for ${action.field.name}, set_field ignored`);
    }
    return;
  }
  if (needsProto(action, flow)) wildcards[PROTO] |= NW_PROTO_BITS;
  for (const { word, value, mask } of action.writes) {
    wildcards[word] |= mask;
    flow[word] = (flow[word] & ~mask) | value;
  }
  fixTpid(flow);
}

/** mod_tp_src and mod_tp_dst serve all transport protocols. */
function canWrite({ form, field }: SetField, flow: Int32Array, wildcards: Int32Array): boolean {
  if (!form.startsWith('mod_tp')) return hasField(field, flow, wildcards);
  if (!isIp(flow) || isLaterFragment(flow)) return false;
  wildcards[PROTO] |= NW_PROTO_BITS;
  return true;
}

/** Whether the packet has the field. vlan_pcp is matched as if all had it, but is part of a tag. */
function hasField(field: Field, flow: Int32Array, wildcards: Int32Array): boolean {
  if (field.name !== 'vlan_pcp') return isMet(field.prerequisite, flow, wildcards);
  wildcards[VLAN_0] |= VLAN_CFI;
  return (flow[VLAN_0] & VLAN_CFI) !== 0;
}

/**
 * Open vSwitch unwildcards nw_proto along with most of the L3 fields that it
 * sets (not with ip_dscp, nor after `move`; see commit.ts for those).
 */
function needsProto(action: SetField, flow: Int32Array): boolean {
  if (action.field.prerequisite === 'arp') return isArp(flow);
  return L3_FIELDS.has(action.field.name) && isIp(flow);
}

const L3_FIELDS: ReadonlySet<string> = new Set([
  ...['ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst', 'ipv6_label'],
  ...['nw_tos', 'nw_ecn', 'nw_ttl'],
]);

/** A tag that an action has made out of nothing is an 802.1Q tag. */
function fixTpid(flow: Int32Array): void {
  const tag = flow[VLAN_0];
  if ((tag & 0xffff) === 0) flow[VLAN_0] = 0;
  else if (tag >>> 16 === 0 && (tag & VLAN_CFI) !== 0) flow[VLAN_0] = tag | (ETH_TYPE_VLAN << 16);
}

export function readSubfield({ flow, wildcards }: Packet, subfield: Subfield): bigint {
  cover(wildcards, subfield);
  return bitsOf(getField(flow, subfield.field), subfield);
}

export function move(packet: Packet, action: Move): void {
  const { flow, wildcards, trace } = packet;
  const { source, target } = action;
  if (!hasField(source.field, flow, wildcards)) return;
  if (!hasField(target.field, flow, wildcards)) return;
  const value = readSubfield(packet, source);
  cover(wildcards, target);
  const kept = getField(flow, target.field) & ~onesAt(target);
  writeField(flow, target.field, kept | (value << BigInt(target.start)));
  fixTpid(flow);
  if (trace !== undefined) {
    const text = formatSubfieldValue(target, bitsOf(getField(flow, target.field), target));
    trace.note('detail', `${formatSubfield(target)} is now ${text}`);
  }
}

/** Adds a subfield's bits to a mask. */
function cover(wildcards: Int32Array, subfield: Subfield): void {
  const { field } = subfield;
  writeField(wildcards, field, getField(wildcards, field) | onesAt(subfield));
}

const onesAt = ({ start, bits }: Subfield): bigint => ((1n << BigInt(bits)) - 1n) << BigInt(start);

const bitsOf = (value: bigint, { start, bits }: Subfield): bigint =>
  (value >> BigInt(start)) & ((1n << BigInt(bits)) - 1n);

export function setVlanVid({ flow, wildcards }: Packet, action: SetVlanVid): void {
  wildcards[VLAN_0] |= VLAN_VID_MASK | VLAN_CFI;
  if ((flow[VLAN_0] & VLAN_CFI) === 0 && !action.push) return;
  flow[VLAN_0] = (flow[VLAN_0] & ~VLAN_VID_MASK) | action.vid | VLAN_CFI;
  fixTpid(flow);
}

export function setVlanPcp({ flow, wildcards }: Packet, action: SetVlanPcp): void {
  wildcards[VLAN_0] |= VLAN_PCP_MASK | VLAN_CFI;
  if ((flow[VLAN_0] & VLAN_CFI) === 0 && !action.push) return;
  flow[VLAN_0] = (flow[VLAN_0] & ~VLAN_PCP_MASK) | (action.pcp << VLAN_PCP_SHIFT) | VLAN_CFI;
  fixTpid(flow);
}

export function pushVlan({ flow, wildcards }: Packet, tpid: number): void {
  wildcards[VLAN_0] |= VLAN_CFI;
  if ((flow[VLAN_0] & VLAN_CFI) !== 0) {
    wildcards[VLAN_0] = -1;
    wildcards[VLAN_1] = -1;
  }
  flow[VLAN_1] = flow[VLAN_0];
  flow[VLAN_0] = (tpid << 16) | VLAN_CFI;
}

export function popVlan({ flow, wildcards }: Packet): void {
  wildcards[VLAN_0] |= VLAN_CFI;
  if ((flow[VLAN_0] & VLAN_CFI) === 0) return;
  wildcards[VLAN_1] = -1;
  flow[VLAN_0] = flow[VLAN_1];
  flow[VLAN_1] = 0;
}

/** @returns false when the TTL was 1 or 0 and so has come to its end */
export function decTtl({ flow, wildcards }: Packet): boolean {
  if (!isIp(flow)) return true;
  wildcards[VOLATILE] |= TTL_BITS;
  wildcards[PROTO] |= NW_PROTO_BITS;
  if ((flow[VOLATILE] & TTL_BITS) >>> NW_TTL_SHIFT <= 1) return false;
  flow[VOLATILE] -= 1 << NW_TTL_SHIFT;
  return true;
}

const TTL_BITS = 0xff << NW_TTL_SHIFT;
