/**
 * Caches must not change what a switch does. Two switches with the same flows
 * get the same frames; one caches, the other translates each packet anew
 * (its flow limit is 0). What leaves them must be the same, byte for byte.
 */
import { describe, expect, it } from 'vitest';
import type { BridgePortSpec } from '../../src/ofproto/api.ts';
import { Random, randomFlows, randomFrame, SWITCH_PORTS } from './random-pipeline.ts';
import { ethernet, TestSwitch } from './test-switch.ts';

const FRAMES = 400;

describe('a switch with caches', () => {
  it.each(seeds(5))('does what one without does, with random flows, seed %i', async (seed) => {
    const random = new Random(seed);
    const { cached, plain } = switches(new Array(SWITCH_PORTS).fill({}));
    // NORMAL learns, and a cached packet is learned from only when its flow is revalidated.
    const flows = (): string[] =>
      randomFlows(random, 40).map((flow) => flow.replaceAll('normal', 'flood'));
    for (let round = 0; round < 3; round++) {
      const texts = flows();
      for (const sw of [cached, plain]) await sw.bridge.replaceFlows(texts);
      await cached.slowPath.revalidate();
      for (let i = 0; i < FRAMES; i++) {
        const port = 1 + random.below(SWITCH_PORTS);
        const frame = randomFrame(random);
        expect(cached.send(frame, port), `frame ${i} of round ${round}`).toEqual(
          plain.send(frame, port),
        );
      }
    }
    expect(cached.slowPath.stats().upcalls).toBeLessThan(plain.slowPath.stats().upcalls);
    await expectSameCounters(cached, plain);
    cached.close();
    plain.close();
  });

  it.each(seeds(4))('does what one without does, with NORMAL and VLANs, seed %i', async (seed) => {
    const random = new Random(seed);
    const { cached, plain } = switches(randomPorts(random));
    for (let i = 0; i < 300; i++) {
      const station = 1 + random.below(8);
      const tag = random.pick([undefined, undefined, 0, 0xa000, 10, 20, 0x600a]);
      const frame = ethernet(1 + random.below(9), station, tag);
      const port = 1 + (station % SWITCH_PORTS);
      expect(cached.send(frame, port), `frame ${i}`).toEqual(plain.send(frame, port));
      if (random.chance(5)) for (const sw of [cached, plain]) sw.clock.advance(40_000);
      for (const sw of [cached, plain]) await sw.slowPath.revalidate();
    }
    expect(learned(cached)).toEqual(learned(plain));
    cached.close();
    plain.close();
  });
});

function switches(ports: readonly Partial<BridgePortSpec>[]): {
  cached: TestSwitch;
  plain: TestSwitch;
} {
  const plain = new TestSwitch(ports);
  plain.slowPath.setFlowLimit(0);
  return { cached: new TestSwitch(ports), plain };
}

function randomPorts(random: Random): Partial<BridgePortSpec>[] {
  return Array.from({ length: SWITCH_PORTS }, () => ({
    vlanMode: random.pick(['access', 'trunk', 'native-tagged', 'native-untagged'] as const),
    tag: random.pick([0, 10, 20]),
    trunks: random.pick([undefined, [10], [10, 20]]),
    priorityTags: random.pick(['never', 'if-nonzero', 'always'] as const),
  }));
}

async function expectSameCounters(cached: TestSwitch, plain: TestSwitch): Promise<void> {
  await cached.slowPath.revalidate();
  const counters = (sw: TestSwitch): [number, number][] =>
    sw.bridge.dumpFlows().map(({ packets, bytes }) => [packets, bytes]);
  expect(counters(cached)).toEqual(counters(plain));
}

/** In an order of their own: entries of one age have none. */
const learned = (sw: TestSwitch): string[] =>
  sw.bridge
    .macs()
    .map((entry) => JSON.stringify(entry))
    .sort();

function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, seed) => seed);
}
