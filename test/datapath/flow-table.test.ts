/** The megaflow table's writer: what it keeps while flows come and go. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { FlowTable } from '../../src/datapath/flow-table.ts';
import { newSharedState } from '../../src/datapath/shared-state.ts';
import { IN_PORT, KEY_WORDS, NW_DST } from '../../src/flow/key.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collect();
  return getHeapStatistics().used_heap_size;
}

describe('the flow table', () => {
  it('keeps nothing of flows that are gone, though there are always some not yet reclaimed', () => {
    const table = new FlowTable(newSharedState(1, 1024, 1, 0));
    const key = new Int32Array(KEY_WORDS);
    const mask = new Int32Array(KEY_WORDS);
    mask[IN_PORT] = -1;
    mask[NW_DST] = -1;
    key[IN_PORT] = 1;
    // Keeps the mask.
    table.put(key, mask, Int32Array.of(), 0, 0);
    const before = heapUsed();
    for (let epoch = 1; epoch <= 100_000; epoch++) {
      key[NW_DST] = epoch;
      const flow = table.put(key, mask, Int32Array.of(), 0, epoch) ?? 0;
      expect(table.delete(flow, epoch)).toBe(true);
      table.release(flow);
      table.reclaim(epoch);
    }
    expect(table.reclaimable).toBe(true);
    expect(heapUsed() - before).toBeLessThan(2 ** 20);
  });
});
