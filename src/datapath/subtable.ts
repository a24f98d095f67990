/**
 * Looking up one mask: "is there a megaflow with this mask that this key
 * matches?", and "does this record match this key?".
 *
 * Every question has two implementations. The generic ones read the mask's
 * list of covered words; they serve cold masks, the main thread and, in tests,
 * as the oracle. The compiled ones are generated with `new Function` for a
 * *shape*, the list of words covered, unrolled, so that the JIT turns a mask
 * into straight machine code; mask values stay data. A worker compiles a mask
 * only after COMPILE_AFTER lookups, between bursts, and at most SHAPES_MAX
 * shapes, so that somebody who provokes ten thousand masks does not get ten
 * thousand compilations. bench/worker shows what it gains.
 *
 * A flow record (flow-table.ts):
 *   [mask number | stats row | hash | actions at | actions end | key words ... | actions ...]
 * and the hash table's entries are pairs [hash, record], probed linearly;
 * record 0 ends a probe, REMOVED goes on.
 */
import { HASH_FINISH_SOURCE, HASH_WORD_SOURCE, hashFinish, hashWord } from './hash.ts';
import { MASK_COUNT, MASK_ROW, MASK_SEED, MASK_VALUES, MASK_WORDS } from './shared-state.ts';

/** Mask number of a record; 0: dead. */
export const FLOW_MASK = 0;
/** Its row in the workers' flowStats. */
export const FLOW_STATS = 1;
export const FLOW_HASH = 2;
/** Its action words are [r + F[r + FLOW_ACTIONS], r + F[r + FLOW_END]). */
export const FLOW_ACTIONS = 3;
export const FLOW_END = 4;
/** The masked key words, one for each word that the mask covers. */
export const FLOW_KEY = 5;

/** Table entry of a deleted flow. */
export const REMOVED = -1;

/** Lookups of a mask after which a worker compiles it. */
export const COMPILE_AFTER = 4096;
/** Shapes compiled at most, by one worker. */
export const SHAPES_MAX = 256;

/**
 * @param K keys; the key starts at k
 * @param F flow records
 * @param M masks; this mask's row starts at m
 * @param T tables; the one in force starts at `base`, its entries less one are `limit`
 * @param number the mask's number
 * @returns the record, or 0
 */
export type Lookup = (
  K: Int32Array,
  k: number,
  F: Int32Array,
  M: Int32Array,
  m: number,
  T: Int32Array,
  base: number,
  limit: number,
  number: number,
) => number;

/** Whether record r, which has the mask at row m, matches the key. */
export type Matches = (
  K: Int32Array,
  k: number,
  F: Int32Array,
  r: number,
  M: Int32Array,
  m: number,
) => boolean;

export const lookupGeneric: Lookup = (K, k, F, M, m, T, base, limit, number) => {
  const hash = hashMasked(K, k, M, m);
  for (let i = hash & limit; ; i = (i + 1) & limit) {
    const r = T[base + 2 * i + 1];
    if (r === 0) return 0;
    if (r > 0 && T[base + 2 * i] === hash && F[r] === number && matchesGeneric(K, k, F, r, M, m)) {
      return r;
    }
  }
};

export const matchesGeneric: Matches = (K, k, F, r, M, m) => {
  const count = M[m + MASK_COUNT];
  let differ = 0;
  for (let w = 0; w < count; w++) {
    differ |= (K[k + M[m + MASK_WORDS + w]] & M[m + MASK_VALUES + w]) ^ F[r + FLOW_KEY + w];
  }
  return differ === 0;
};

/** Hash of a key under the mask at row m. */
export function hashMasked(K: Int32Array, k: number, M: Int32Array, m: number): number {
  const count = M[m + MASK_COUNT];
  let h = M[m + MASK_SEED];
  for (let w = 0; w < count; w++) {
    h = hashWord(h, K[k + M[m + MASK_WORDS + w]] & M[m + MASK_VALUES + w]);
  }
  return hashFinish(h);
}

/** Compiled functions by shape; one a thread. */
export class SubtableCompiler {
  #shapes = new Map<string, { lookup: Lookup; matches: Matches }>();

  /** @returns undefined once SHAPES_MAX shapes exist: the generic functions serve on */
  compile(M: Int32Array, number: number): { lookup: Lookup; matches: Matches } | undefined {
    const m = number * MASK_ROW;
    const covered = [...M.subarray(m + MASK_WORDS, m + MASK_WORDS + M[m + MASK_COUNT])];
    const shape = covered.join();
    let made = this.#shapes.get(shape);
    if (made === undefined && this.#shapes.size < SHAPES_MAX) {
      made = { lookup: generateLookup(covered), matches: generateMatches(covered) };
      this.#shapes.set(shape, made);
    }
    return made;
  }
}

function generateLookup(covered: number[]): Lookup {
  const load = covered.map(
    (word, w) => `const w${w} = K[k + ${word}] & M[m + ${MASK_VALUES + w}];`,
  );
  const hash = covered.map((_, w) => HASH_WORD_SOURCE('h', `w${w}`));
  const compare = covered.map((_, w) => ` && F[r + ${FLOW_KEY + w}] === w${w}`);
  return new Function(
    'K, k, F, M, m, T, base, limit, number',
    `${load.join('\n')}
    let h = M[m + ${MASK_SEED}];
    ${hash.join('\n')}
    ${HASH_FINISH_SOURCE('h')}
    for (let i = h & limit; ; i = (i + 1) & limit) {
      const r = T[base + 2 * i + 1];
      if (r === 0) return 0;
      if (r > 0 && T[base + 2 * i] === h && F[r] === number${compare.join('')}) return r;
    }`,
  ) as Lookup;
}

function generateMatches(covered: number[]): Matches {
  const terms = covered.map(
    (word, w) => `((K[k + ${word}] & M[m + ${MASK_VALUES + w}]) ^ F[r + ${FLOW_KEY + w}])`,
  );
  return new Function('K, k, F, r, M, m', `return (${terms.join(' | ') || '0'}) === 0;`) as Matches;
}
