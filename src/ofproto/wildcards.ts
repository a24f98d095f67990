/**
 * A translation's wildcards: the bits of the flow that its result depends on.
 *
 * Each decision adds what it looked at. Here is what always counts, and what a
 * finished translation takes back because the packet has no such bits.
 */
import {
  FRAG_MASK,
  IN_PORT,
  KEY_WORDS,
  PACKET_TYPE,
  PROTO,
  RECIRC_ID,
  SHAPE,
  TP,
  VLAN_0,
  VLAN_1,
  VLAN_CFI,
} from '../flow/key.ts';
import { ETH_TYPE_BITS, isIcmp, isIp, isLaterFragment } from './flow-facts.ts';

/** What Open vSwitch always looks at. */
export function beginWildcards(wildcards: Int32Array, flow: Int32Array): void {
  wildcards.fill(0);
  wildcards[IN_PORT] = -1;
  wildcards[RECIRC_ID] = -1;
  wildcards[PACKET_TYPE] = -1;
  wildcards[PROTO] = ETH_TYPE_BITS;
  if (isIp(flow)) wildcards[SHAPE] = FRAG_MASK;
}

/**
 * Takes out what is no bit of the packet: registers; of ICMP, all but the low
 * eight bits of type and code; ports of a later fragment; an absent tag's
 * contents. After it the first KEY_WORDS words are a megaflow's mask.
 *
 * @param flow the flow as it came in
 */
export function finishWildcards(wildcards: Int32Array, flow: Int32Array): void {
  wildcards.fill(0, KEY_WORDS, PACKET_TYPE);
  if (isLaterFragment(flow)) wildcards[TP] = 0;
  else if (isIcmp(flow)) wildcards[TP] &= 0x00ff00ff;
  finishTag(wildcards, flow, VLAN_0);
  finishTag(wildcards, flow, VLAN_1);
}

/** Whoever looks at part of a tag looks at whether there is one. */
function finishTag(wildcards: Int32Array, flow: Int32Array, word: number): void {
  if (wildcards[word] === 0) return;
  if ((flow[word] & VLAN_CFI) === 0) wildcards[word] = VLAN_CFI;
  else wildcards[word] |= VLAN_CFI;
}

/**
 * For print: Open vSwitch takes the absence of a tag as understood and does
 * not show that it counts.
 */
export function hideAbsentTags(wildcards: Int32Array, flow: Int32Array): void {
  for (const word of [VLAN_0, VLAN_1]) {
    if ((flow[word] & VLAN_CFI) === 0) wildcards[word] = 0;
  }
}
