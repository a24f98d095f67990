/**
 * Fuzzes the extractor: frames of the corpus (test/flow/corpus/, one hex text a
 * file), and random changes of them, for TAPFLOW_FUZZ_SECONDS (default 1).
 * What fails is printed as hex: put it into the corpus as a file of its own,
 * named after what was wrong.
 *
 *   TAPFLOW_FUZZ_SECONDS=600 npx vitest run test/flow/extract.fuzz.test.ts
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeFrame } from '../../src/wire/describe.ts';
import { expectAgreement } from './extract-agreement.ts';

const CORPUS = new URL('./corpus/', import.meta.url);
const SECONDS = Number(process.env.TAPFLOW_FUZZ_SECONDS ?? 1);

const corpus = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.hex'))
  .map((name) => ({ name, frame: fromHex(readFileSync(new URL(name, CORPUS), 'utf8')) }));

describe('the extractor', () => {
  it.each(corpus)('agrees with the reference on $name', ({ frame }) => {
    expectAgreement(frame);
  });

  it(
    `agrees with the reference on changed frames of the corpus, for ${SECONDS} s`,
    () => {
      const seed = Number(process.env.TAPFLOW_FUZZ_SEED ?? Date.now() % 1e9) >>> 0;
      const random = generator(seed);
      const end = performance.now() + SECONDS * 1000;
      let runs = 0;
      while (performance.now() < end) {
        for (let i = 0; i < 100; i++, runs++) check(change(random, pick(random)), seed);
      }
      expect(runs).toBeGreaterThan(0);
    },
    (SECONDS + 20) * 1000,
  );
});

function check(frame: Uint8Array, seed: number): void {
  try {
    expectAgreement(frame);
  } catch (cause) {
    const hex = Buffer.from(frame).toString('hex');
    throw new Error(`seed ${seed}, frame ${hex} (${describeFrame(frame)})`, { cause });
  }
}

/** Marsaglia's xorshift: 32 random bits a call, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const pick = (random: () => number): Uint8Array => corpus[random() % corpus.length].frame;

/** Values at which lengths, types and flags change their meaning. */
const NOTABLE = [0, 1, 2, 4, 5, 6, 8, 17, 20, 43, 44, 51, 58, 60, 0x45, 0x7f, 0x80, 0x81, 0xff];

function change(random: () => number, original: Uint8Array): Uint8Array {
  let frame: Uint8Array = original.slice();
  for (let count = random() % 6; count > 0; count--) {
    const at = random() % Math.max(frame.length, 1);
    const kind = random() % 5;
    if (kind === 0) frame = frame.slice(0, at);
    else if (kind === 1) frame = splice(frame, at, pick(random).slice(random() % 40));
    else if (kind === 2) frame[at] = random();
    else if (kind === 3) frame[at] ^= 1 << (random() & 7);
    else frame[at] = NOTABLE[random() % NOTABLE.length];
  }
  return frame;
}

function splice(frame: Uint8Array, at: number, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(at + tail.length);
  joined.set(frame.subarray(0, at));
  joined.set(tail, at);
  return joined;
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s+/g, ''), 'hex'));
}
