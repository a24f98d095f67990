/**
 * Which part of a flow belongs to which stage of a lookup, and which fields
 * have prefix tries.
 *
 * A lookup goes through the stages in order. A miss in an early stage leaves
 * the later ones unlooked at, so that a cache entry for a flow that fails on
 * its input port says nothing about TCP ports. A word of the flow key may hold
 * fields of several stages, hence masks and not ranges.
 *
 * Open vSwitch has four such stages; here the protocol comes before the
 * addresses as a stage of its own, since it splits rules into parts with
 * separate tries (tuple-space.ts).
 */
import * as key from '../flow/key.ts';

const STAGE_METADATA = 0;
const STAGE_L2 = 1;
const STAGE_PROTOCOL = 2;
const STAGE_L3 = 3;
const STAGE_L4 = 4;
const STAGE_COUNT = 5;

/** The stages that choose a partition, and those within one. */
export const EARLY_STAGES: readonly number[] = [STAGE_METADATA, STAGE_L2, STAGE_PROTOCOL];
export const LATE_STAGES: readonly number[] = [STAGE_L3, STAGE_L4];

/** For each stage, FLOW_WORDS words: the bits that belong to it. Each bit belongs to one stage. */
export const STAGE_MASKS: readonly Int32Array[] = stageMasks();

/** A field whose masks usually are prefixes. */
export interface PrefixField {
  readonly word: number;
  /** Number of words, 1 or 4. */
  readonly words: number;
  /** How far the field stands from the left edge of its word, in bits. */
  readonly shift: number;
  /** Size in bits. */
  readonly width: number;
}

/** The fields that have a trie, all of late stages, in the order in which tries are asked. */
export const PREFIX_FIELDS: readonly PrefixField[] = [
  { word: key.NW_DST, words: 1, shift: 0, width: 32 },
  { word: key.NW_SRC, words: 1, shift: 0, width: 32 },
  { word: key.IPV6_DST, words: 4, shift: 0, width: 128 },
  { word: key.IPV6_SRC, words: 4, shift: 0, width: 128 },
  { word: key.TP, words: 1, shift: 16, width: 16 },
  { word: key.TP, words: 1, shift: 0, width: 16 },
];

function stageMasks(): Int32Array[] {
  const masks = Array.from({ length: STAGE_COUNT }, () => new Int32Array(key.FLOW_WORDS));
  masks[STAGE_METADATA].fill(-1);
  const claim = (stage: number, word: number, bits: number) => {
    for (const mask of masks) mask[word] &= ~bits;
    masks[stage][word] |= bits;
  };
  const claimWords = (stage: number, start: number, end: number) => {
    for (let word = start; word < end; word++) claim(stage, word, -1);
  };
  claimWords(STAGE_L2, key.MAC_0, key.VLAN_1 + 1);
  claim(STAGE_L2, key.PROTO, -1 << key.ETH_TYPE_SHIFT);
  claimWords(STAGE_L2, key.MPLS_0, key.MPLS_END);

  claim(STAGE_PROTOCOL, key.SHAPE, -1);
  claim(STAGE_PROTOCOL, key.PROTO, 0xff << key.NW_PROTO_SHIFT);

  claim(STAGE_L3, key.PROTO, 0xff);
  claim(STAGE_L3, key.VOLATILE, -1 << key.NW_TTL_SHIFT);
  claimWords(STAGE_L3, key.NW_SRC, key.NW_DST + 1);
  claimWords(STAGE_L3, key.IPV6_SRC, key.IPV6_END);
  claimWords(STAGE_L3, key.ARP_0, key.ND_END);
  claimWords(STAGE_L3, key.NSH_BASE, key.NSH_END);

  claim(STAGE_L4, key.VOLATILE, ~(-1 << key.NW_TTL_SHIFT));
  claim(STAGE_L4, key.TP, -1);
  return masks;
}
