/** The compiled lookups give the generic ones' answers, and are bounded in number. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlowTable } from '../../src/datapath/flow-table.ts';
import { regionBase } from '../../src/datapath/hash-region.ts';
import { MASK_ROW, newSharedState, TABLE } from '../../src/datapath/shared-state.ts';
import {
  FLOW_MASK,
  lookupGeneric,
  matchesGeneric,
  SHAPES_MAX,
  SubtableCompiler,
} from '../../src/datapath/subtable.ts';
import { IN_PORT, KEY_WORDS } from '../../src/flow/key.ts';

/** Few different values, so that keys often agree under a mask. */
const word = fc.constantFrom(0, 1, 2, -1, 0x7fffffff, 0x0a000001, 0xff00);
const words = fc.dictionary(fc.integer({ min: 1, max: KEY_WORDS - 1 }).map(String), word, {
  maxKeys: 8,
});

function fill(entries: Record<string, number>, inPort: number): Int32Array {
  const filled = new Int32Array(KEY_WORDS);
  for (const [index, value] of Object.entries(entries)) filled[Number(index)] = value;
  filled[IN_PORT] = inPort;
  return filled;
}

describe('a compiled subtable', () => {
  it('finds what the generic lookup finds, and matches what it matches', () => {
    fc.assert(
      fc.property(
        words,
        fc.array(words, { minLength: 1, maxLength: 6 }),
        words,
        (maskWords, flowWords, keyWords) => {
          const shared = newSharedState(1, 1024, 1, 12345);
          const table = new FlowTable(shared);
          const mask = fill(maskWords, -1);
          const actions = new Int32Array(2);
          for (const flow of flowWords) table.put(fill(flow, 1), mask, actions, 2, 0);
          const [{ number }] = table.masks();
          const compiled = new SubtableCompiler().compile(shared.masks, number);
          const inForce = shared.control[TABLE];
          const base = regionBase(shared.table, inForce >>> 8);
          const limit = 2 ** (inForce & 0xff) - 1;
          const m = number * MASK_ROW;
          for (const entries of [keyWords, ...flowWords, { ...flowWords[0], ...keyWords }]) {
            const key = fill(entries, 1);
            const { flows, masks } = shared;
            const generic = lookupGeneric(
              key,
              0,
              flows,
              masks,
              m,
              shared.table,
              base,
              limit,
              number,
            );
            expect(
              compiled?.lookup(key, 0, flows, masks, m, shared.table, base, limit, number),
            ).toBe(generic);
            for (const flow of table.flows()) {
              const { key: flowKey } = table.get(flow) ?? { key };
              const record = table.find(flowKey, number);
              expect(flows[record + FLOW_MASK]).toBe(number);
              expect(compiled?.matches(key, 0, flows, record, masks, m)).toBe(
                matchesGeneric(key, 0, flows, record, masks, m),
              );
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is one of a bounded number: further shapes stay generic', () => {
    const shared = newSharedState(1, 1024, 1, 1);
    const table = new FlowTable(shared);
    const compiler = new SubtableCompiler();
    let compiled = 0;
    for (let shape = 0; shape < SHAPES_MAX + 50; shape++) {
      const mask = new Int32Array(KEY_WORDS);
      mask[IN_PORT] = -1;
      for (let bit = 0; bit < 10; bit++) if ((shape >> bit) & 1) mask[1 + bit] = -1;
      table.put(fill({}, 1), mask, new Int32Array(0), 0, 0);
    }
    for (const { number } of table.masks()) {
      if (compiler.compile(shared.masks, number) !== undefined) compiled++;
    }
    expect(compiled).toBe(SHAPES_MAX);
  });
});
