/**
 * The caches' hash: 32-bit words in, 32 bits out, seeded.
 *
 * Each word is multiplied and rotated into the state (two operations deep, so
 * that words pipeline), and the end is mixed as murmur3 does. The seed is
 * random for each start, so that nobody outside can choose keys that collide.
 * subtable.ts generates this same function unrolled.
 */
export const HASH_MULTIPLIER = 0x9e3779b1 | 0;
const FINAL_1 = 0x85ebca6b | 0;
const FINAL_2 = 0xc2b2ae35 | 0;

/** State after one more word. */
export function hashWord(state: number, word: number): number {
  const h = Math.imul(state ^ word, HASH_MULTIPLIER);
  return (h << 15) | (h >>> 17);
}

/** The hash, from the state after the last word. */
export function hashFinish(state: number): number {
  let h = state;
  h = Math.imul(h ^ (h >>> 16), FINAL_1);
  h = Math.imul(h ^ (h >>> 13), FINAL_2);
  return h ^ (h >>> 16);
}

/** The same as source text, for generated functions: `h` is the state's name. */
export const HASH_WORD_SOURCE = (h: string, word: string): string =>
  `${h} = Math.imul(${h} ^ ${word}, ${HASH_MULTIPLIER}); ${h} = (${h} << 15) | (${h} >>> 17);`;
export const HASH_FINISH_SOURCE = (h: string): string =>
  `${h} = Math.imul(${h} ^ (${h} >>> 16), ${FINAL_1}); ${h} = Math.imul(${h} ^ (${h} >>> 13), ${FINAL_2}); ${h} ^= ${h} >>> 16;`;
