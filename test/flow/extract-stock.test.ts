/** The flow key against stock Open vSwitch's, on the same frames. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { extractReference } from '../../src/flow/extract-reference.ts';
import { formatFlow } from '../../src/flow/flow-text.ts';
import { OFPP_NONE } from '../../src/flow/ports.ts';
import { anyFrame, wellFormedFrame } from './frame-arbitrary.ts';
import { itAsStock, stockFlowsOf } from './stock.ts';

/** Open vSwitch's capture reader gives every frame this port. */
const flowOf = (frame: Uint8Array): string => formatFlow(extractReference(frame, OFPP_NONE));

itAsStock('the key of a frame is the flow that ovs-ofctl parse-pcap prints', () => {
  const seed = 20260101;
  const frames = [
    ...fc.sample(wellFormedFrame, { numRuns: 1000, seed }),
    ...fc.sample(anyFrame, { numRuns: 3000, seed }),
    // The capture reader stops at an empty one.
  ].filter((frame) => frame.length > 0);
  const stock = stockFlowsOf(frames);
  expect(stock).toHaveLength(frames.length);
  const differing = frames.flatMap((frame, i) =>
    flowOf(frame) === stock[i]
      ? []
      : [{ frame: Buffer.from(frame).toString('hex'), tapflow: flowOf(frame), stock: stock[i] }],
  );
  expect(differing.slice(0, 3)).toEqual([]);
});
