import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.ts';
import { MacTable } from '../../src/ofproto/mac-table.ts';

const BRIDGE = 1;

function newTable(): { table: MacTable; clock: ManualClock; tags: number[] } {
  const clock = new ManualClock();
  const tags: number[] = [];
  return { table: new MacTable(BRIDGE, clock, (tag) => tags.push(tag)), clock, tags };
}

describe('a MAC table', () => {
  it('tells of what is learned, moved, expired and flushed, and of nothing else', () => {
    const { table, clock, tags } = newTable();
    const steps: [() => unknown, number][] = [
      [() => table.learn(1, 0, 1), 1],
      [() => table.learn(1, 0, 1), 0],
      [() => table.learn(1, 0, 2), 1],
      [() => table.learn(1, 7, 2), 1],
      [() => table.expire(), 0],
      [() => clock.advance(300_000), 0],
      [() => table.expire(), 2],
      [() => table.learn(5, 0, 1), 1],
      [() => table.flush(), 1],
    ];
    for (const [step, changes] of steps) {
      tags.length = 0;
      step();
      expect(tags).toHaveLength(changes);
    }
  });

  it('does not learn multicast addresses', () => {
    const { table } = newTable();
    expect(table.learn(0x0100_0000_0001, 0, 1)).toBe(false);
    expect(table.learn(0xffff_ffff_ffff, 0, 1)).toBe(false);
    expect(table.size).toBe(0);
  });

  it('when full, gives up the oldest address of the port that has the most', () => {
    const { table } = newTable();
    table.setCapacity(10);
    for (let mac = 0; mac < 3; mac++) table.learn(mac, 0, 1);
    for (let mac = 10; mac < 17; mac++) table.learn(mac, 0, 2);
    table.learn(10, 0, 2);
    table.learn(100, 0, 3);
    expect(table.lookup(0, 0)).toBe(1);
    expect(table.lookup(10, 0)).toBe(2);
    expect(table.lookup(11, 0)).toBe(-1);
    expect(table.size).toBe(10);
  });

  it('does not take old news for a move', () => {
    const { table, clock } = newTable();
    table.learn(1, 0, 1);
    clock.advance(1000);
    table.learn(1, 0, 2);
    table.refresh(1, 0, 1, 500);
    expect(table.lookup(1, 0)).toBe(2);
    clock.advance(1000);
    table.refresh(1, 0, 1, 1500);
    expect(table.lookup(1, 0)).toBe(1);
  });

  it('does not bring back what was flushed', () => {
    const { table, clock } = newTable();
    clock.advance(1000);
    table.flush();
    table.refresh(1, 0, 1, 900);
    expect(table.size).toBe(0);
  });

  it('keeps the limits that Open vSwitch has', () => {
    const { table, clock } = newTable();
    table.setAging(1);
    table.setCapacity(1);
    for (let mac = 0; mac < 20; mac++) table.learn(mac, 0, 1);
    expect(table.size).toBe(10);
    clock.advance(14_000);
    table.expire();
    expect(table.size).toBe(10);
    clock.advance(1000);
    table.expire();
    expect(table.size).toBe(0);
  });

  it('behaves as a plain map of what was last seen where', () => {
    const operation = fc.record({
      mac: fc.integer({ min: 0, max: 5 }),
      vlan: fc.integer({ min: 0, max: 2 }),
      ofport: fc.integer({ min: 1, max: 3 }),
      kind: fc.constantFrom('learn', 'learn', 'learn', 'wait', 'flush port'),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const { table, clock } = newTable();
        const model = new Map<string, { ofport: number; seen: number }>();
        table.setAging(20);
        for (const { mac, vlan, ofport, kind } of operations) {
          if (kind === 'learn') {
            table.learn(mac, vlan, ofport);
            model.set(`${mac} ${vlan}`, { ofport, seen: clock.now() });
          } else if (kind === 'wait') {
            clock.advance(5000);
            table.expire();
            for (const [name, { seen }] of model) {
              if (clock.now() - seen >= 20_000) model.delete(name);
            }
          } else {
            table.flushPort(ofport);
            for (const [name, entry] of model) if (entry.ofport === ofport) model.delete(name);
          }
          const entries = [...table];
          const found = entries.map((e) => [`${e.mac} ${e.vlan}`, e.ofport, e.seen].join()).sort();
          const wanted = [...model].map(([name, e]) => [name, e.ofport, e.seen].join()).sort();
          expect(found).toEqual(wanted);
          expect(entries.map(({ seen }) => seen)).toEqual(
            entries.map(({ seen }) => seen).sort((a, b) => a - b),
          );
        }
      }),
    );
  });
});
