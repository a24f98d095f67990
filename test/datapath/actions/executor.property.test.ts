import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actionsFor, PORTS, packet } from './arbitraries.ts';
import { executeByCopy, type Sent } from './copy-oracle.ts';
import { IN_PORT, Lab, listOf } from './lab.ts';

const lab = new Lab(400, PORTS);

const packetsAndList = fc
  .array(packet, { minLength: 1, maxLength: 3 })
  .chain((packets) => fc.tuple(fc.constant(packets), actionsFor(packets[0])));

test('random lists on random packets send, park and drop what the copying oracle does', () => {
  fc.assert(
    fc.property(packetsAndList, ([packets, actions]) => {
      const list = listOf(...actions);
      lab.reset();
      for (const [i, bytes] of packets.entries()) lab.receive(i, bytes);
      for (const [i, bytes] of packets.entries()) {
        if (bytes[0] !== 0) expect(lab.executor.checkOffload(i)).toBe(0);
      }
      lab.execute(list, packets.length);
      const expected = executeByCopy(packets, IN_PORT, list, PORTS);
      const outcome = lab.outcome();
      expect(outcome.sent.map(hex)).toEqual(expected.sent.map(hex));
      expect(outcome.parked).toEqual(expected.parked);
      expect(outcome.drops).toEqual(expected.drops);
    }),
    { numRuns: 1500 },
  );
});

const hex = ({ port, bytes }: Sent): string => `${port}: ${Buffer.from(bytes).toString('hex')}`;
