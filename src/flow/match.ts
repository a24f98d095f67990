/**
 * A match: a value and a mask over a flow's words. A flow matches when it
 * agrees with the value wherever the mask has a 1. Value bits outside the mask
 * are 0, always, so that equal matches are equal words.
 *
 * Fields are set and read by the table in fields.ts. This is slow-path code:
 * field values are bigints.
 */
import type { Field, FieldPart } from './fields.ts';
import { FLOW_WORDS, VLAN_0, VLAN_CFI } from './key.ts';

export interface Match {
  /** FLOW_WORDS words. */
  value: Int32Array;
  mask: Int32Array;
}

/** A match that every flow fulfils. */
export const newMatch = (): Match => ({
  value: new Int32Array(FLOW_WORDS),
  mask: new Int32Array(FLOW_WORDS),
});

/** What is said of a tag's contents is said of packets that have one. */
const IMPLY_A_TAG: ReadonlySet<string> = new Set(['dl_vlan', 'vlan_pcp']);

/** All ones, as many as the field has bits. */
export const exactMask = (field: Field): bigint =>
  (1n << BigInt(field.bits)) - (1n << BigInt(field.lowZeros));

/**
 * Matches a field exactly, or in the bits of `mask`; what was said of the field
 * before is replaced. `dl_vlan` and `vlan_pcp` also ask for a tag's presence.
 */
export function setField(match: Match, field: Field, value: bigint, mask?: bigint): void {
  const bits = mask ?? exactMask(field);
  writeMask(match.mask, field, bits);
  writeField(match.value, field, value & bits);
  if (bits !== 0n && IMPLY_A_TAG.has(field.name)) {
    match.mask[VLAN_0] |= VLAN_CFI;
    match.value[VLAN_0] |= VLAN_CFI;
  }
}

/** "No tag", which is what `dl_vlan=0xffff` and `vlan_tci=0` say. */
export function setNoVlan(match: Match): void {
  match.value[VLAN_0] = 0;
  match.mask[VLAN_0] = 0xffff;
}

/** The field in a key, a flow or a mask. A mask that covers all of a field reads as `exactMask`. */
export function getField(words: Int32Array, field: Field): bigint {
  const raw = field.parts.reduce(
    (value, part) =>
      (value << BigInt(part.bits)) |
      ((BigInt(words[part.word]) >> BigInt(part.shift)) & ((1n << BigInt(part.bits)) - 1n)),
    0n,
  );
  return (raw << BigInt(field.lowZeros)) & exactMask(field);
}

/** Writes a field of a key or flow. */
export function writeField(words: Int32Array, field: Field, value: bigint): void {
  let rest = value >> BigInt(field.lowZeros);
  for (const part of field.parts.toReversed()) {
    const ones = onesOf(part);
    const piece = Number(BigInt.asIntN(32, rest)) & ones;
    words[part.word] = (words[part.word] & ~(ones << part.shift)) | (piece << part.shift);
    rest >>= BigInt(part.bits);
  }
}

/** Writes a field of a mask; an exact mask covers all the room that the field has. */
function writeMask(words: Int32Array, field: Field, mask: bigint): void {
  if (mask !== exactMask(field)) writeField(words, field, mask);
  else for (const part of field.parts) words[part.word] |= onesOf(part) << part.shift;
}

/** Whether a flow fulfils a match. */
export function matches(match: Match, flow: Int32Array): boolean {
  for (let i = 0; i < FLOW_WORDS; i++) {
    if (((flow[i] ^ match.value[i]) & match.mask[i]) !== 0) return false;
  }
  return true;
}

const onesOf = (part: FieldPart): number => (part.bits === 32 ? -1 : (1 << part.bits) - 1);
