/**
 * A mask as a search wants it: the list of words it covers, in the order of the
 * stages (stages.ts), and the hash over them.
 *
 * A word with bits in two stages stands in the list twice.
 */
import { usableHash } from './hash-index.ts';
import { PREFIX_FIELDS, STAGE_MASKS } from './stages.ts';

export interface MaskLayout {
  /** The words covered, stage by stage, and which bits of each. */
  readonly words: Int32Array;
  readonly masks: Int32Array;
  /** For each stage that has bits, the end of its part of `words`. */
  readonly stageEnds: Int32Array;
  /** For each of PREFIX_FIELDS, how many leading bits of it are covered without a gap. */
  readonly prefixLengths: Int32Array;
  /** A hash over words and masks. */
  readonly hash: number;
}

/** Lays out those bits of the mask that belong to the stages. */
export function layOutMask(mask: Int32Array, stages: readonly number[]): MaskLayout {
  const covered = coveredWords(mask);
  const words: number[] = [];
  const masks: number[] = [];
  const stageEnds: number[] = [];
  let hash = 0;
  for (const stage of stages) {
    const start = words.length;
    for (const word of covered) {
      const bits = mask[word] & STAGE_MASKS[stage][word];
      if (bits === 0) continue;
      words.push(word);
      masks.push(bits);
      hash = hashWord(hash ^ word, bits);
    }
    if (words.length > start) stageEnds.push(words.length);
  }
  return {
    words: Int32Array.from(words),
    masks: Int32Array.from(masks),
    stageEnds: Int32Array.from(stageEnds),
    prefixLengths: Int32Array.from(PREFIX_FIELDS, (_, field) => prefixLength(mask, field)),
    hash: usableHash(hash),
  };
}

export function sameMaskedValue(layout: MaskLayout, a: Int32Array, b: Int32Array): boolean {
  const { words, masks } = layout;
  for (let i = 0; i < words.length; i++) {
    if (((a[words[i]] ^ b[words[i]]) & masks[i]) !== 0) return false;
  }
  return true;
}

/**
 * One step of the hash over words. The multiplier is 2^32 divided by the golden
 * ratio; the shift brings the well-mixed high bits down, since the low ones
 * choose the slot.
 */
export function hashWord(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** The hash of a value's masked words up to, not including, place `end` of the layout. */
export function hashMasked(layout: MaskLayout, value: Int32Array, end: number, seed: number) {
  const { words, masks } = layout;
  let hash = seed;
  for (let i = 0; i < end; i++) hash = hashWord(hash, value[words[i]] & masks[i]);
  return usableHash(hash);
}

function coveredWords(mask: Int32Array): number[] {
  const words: number[] = [];
  for (let word = 0; word < mask.length; word++) if (mask[word] !== 0) words.push(word);
  return words;
}

function prefixLength(mask: Int32Array, field: number): number {
  const { word, words, shift, width } = PREFIX_FIELDS[field];
  for (let i = 0; i < words; i++) {
    const bits = mask[word + i] << shift;
    if (bits !== -1) return Math.min(width, i * 32 + Math.clz32(~bits));
  }
  return width;
}
