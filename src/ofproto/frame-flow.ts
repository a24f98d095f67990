/** The flow that a frame belongs to. */
import { Extractor } from '../flow/extract.ts';
import { FLOW_WORDS } from '../flow/key.ts';
import { TapflowError } from '../lib/error.ts';

/** @returns FLOW_WORDS words. @throws TapflowError BAD_FRAME when it is shorter than an Ethernet header */
export function frameFlow(frame: Uint8Array, inPort: number): Int32Array {
  const flow = new Int32Array(FLOW_WORDS);
  if (new Extractor(frame).extract(0, frame.length, inPort, flow, 0)) return flow;
  throw new TapflowError(
    'BAD_FRAME',
    `${frame.length} bytes are no Ethernet frame: it has 14 bytes or more`,
  );
}
