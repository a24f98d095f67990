/**
 * other_config:vlan-limit of the Open_vSwitch table: how many of a frame's
 * tags are tags to OpenFlow. What comes after the last of them is payload: the
 * next tag's TPID is the flow's dl_type, and there are no headers behind it.
 *
 * The datapath always tells two tags apart. So a limit of one is applied to
 * the flow before it is translated, and its wildcards are those of the key.
 */
import {
  ETH_TYPE_SHIFT,
  FRAG_MASK,
  HAS_IPV6,
  HAS_MPLS,
  HAS_ND,
  HAS_NSH,
  IPV6_SRC,
  NSH_END,
  NW_DST,
  PROTO,
  SHAPE,
  VLAN_0,
  VLAN_1,
  VLAN_CFI,
  VOLATILE,
} from '../flow/key.ts';
import { ETH_TYPE_BITS } from './flow-facts.ts';

/** What a key has. */
export const MAX_VLANS = 2;
/** Of a switch that does not say: as in the days when Open vSwitch knew one tag. */
export const DEFAULT_VLAN_LIMIT = 1;

/** Headers that stand behind the tags. */
const PAYLOAD_SHAPES = FRAG_MASK | HAS_IPV6 | HAS_ND | HAS_MPLS | HAS_NSH;
const INNER_TYPE = 0xffff0000;

/** Takes out of a flow what the limit hides. @returns whether there was anything */
export function limitVlans(flow: Int32Array, limit: number): boolean {
  if (limit >= MAX_VLANS || (flow[VLAN_1] & VLAN_CFI) === 0) return false;
  clearPayload(flow);
  flow[PROTO] = (flow[VLAN_1] >>> 16) << ETH_TYPE_SHIFT;
  flow[VLAN_1] = 0;
  return true;
}

/**
 * From the wildcards of a flow to those of the key that it came from.
 *
 * @param isLimited whether `limitVlans` took something out
 */
export function limitWildcards(
  wildcards: Int32Array,
  flow: Int32Array,
  limit: number,
  isLimited: boolean,
): void {
  if (isLimited) {
    clearPayload(wildcards);
    wildcards[PROTO] = ETH_TYPE_BITS;
    wildcards[VLAN_1] = INNER_TYPE | VLAN_CFI;
  } else if (limit < MAX_VLANS) {
    // With one more tag the same headers would be payload.
    wildcards[(flow[VLAN_0] & VLAN_CFI) === 0 ? VLAN_0 : VLAN_1] |= VLAN_CFI;
  }
}

function clearPayload(words: Int32Array): void {
  words[SHAPE] &= ~PAYLOAD_SHAPES;
  words.fill(0, VOLATILE, NW_DST + 1);
  words.fill(0, IPV6_SRC, NSH_END);
}
