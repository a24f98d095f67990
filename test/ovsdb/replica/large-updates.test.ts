/**
 * However large an update is, it does not hold the event loop for long, and
 * nobody sees a part of it. The figures are printed; the limits have room for
 * garbage collection with this process's large nursery, and grow where the
 * machine is so loaded that all takes longer.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Row } from '../../../src/ovsdb/database/row.ts';
import { Replica } from '../../../src/ovsdb/replica/replica.ts';
import { stockMissing } from '../database/stock-database.ts';
import { StockServer } from './stock-server.ts';

const ROWS = 100_000;
const LIMIT_MS = 80;
/** The ninety-ninth of a hundred turns: what others' work does not touch. */
const USUAL_LIMIT_MS = 30;

const text = { type: 'string' };
const texts = { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } };
const SCHEMA = {
  name: 'Big',
  version: '1.0.0',
  tables: { Thing: { isRoot: true, columns: { name: text, state: text, notes: texts } } },
};

/** Milliseconds, of the clock and of what all threads here have worked. */
function times(): { wall: number; cpu: number } {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now(), cpu: (user + system) / 1000 };
}

/** Watches the event loop, turn by turn. */
class Turns {
  readonly lengths: number[] = [];
  #last = times();
  #isOver = false;

  constructor(each: () => void) {
    const turn = () => {
      if (this.#isOver) return;
      const now = times();
      // Waiting for a processor is not the loop's fault, nor is work of other threads.
      this.lengths.push(Math.min(now.wall - this.#last.wall, now.cpu - this.#last.cpu));
      each();
      this.#last = times();
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  stop(): { longest: number; usual: number; total: number } {
    this.#isOver = true;
    const total = this.lengths.reduce((sum, length) => sum + length, 0);
    const worked = this.lengths.filter((length) => length > 0.5).sort((a, b) => a - b);
    const usual = worked[Math.floor(worked.length * 0.99)] ?? 0;
    return { longest: worked.at(-1) ?? 0, usual, total };
  }
}

const stateOf = (row: Row | undefined) => row?.get('state').keys[0];

async function fill(writer: Replica): Promise<void> {
  for (let i = 0; i < ROWS; i += 10_000) {
    const rows = Array.from({ length: 10_000 }, (_, j) => ({
      op: 'insert',
      table: 'Thing',
      row: { name: `thing${i + j}`, state: 'old', notes: ['map', [['k', `v${i + j}`]]] },
    }));
    await writer.transact(rows);
  }
}

describe.skipIf(stockMissing() && !process.env.TAPFLOW_REQUIRE_SYSTEM)('a large update', () => {
  it('is applied in slices, and seen at once', { timeout: 120_000 }, async () => {
    const server = new StockServer([SCHEMA]);
    onTestFinished(() => server.destroy());
    const options = { database: 'Big', name: 'big', probeInterval: 0 };
    await server.start();
    const writer = new Replica(server.open, { ...options, tables: new Map() });
    onTestFinished(() => writer.close());
    await writer.synced();
    await fill(writer);

    const sizes = new Set<number>();
    let changes = 0;
    const syncing = new Turns(() => sizes.add(replica.rows('Thing').size));
    const replica = new Replica(server.open, {
      ...options,
      changed: (tables) => {
        changes += tables.get('Thing')?.size ?? 0;
      },
    });
    onTestFinished(() => replica.close());
    await replica.synced();
    const sync = syncing.stop();
    expect([...sizes]).toEqual([0, ROWS].slice(0, sizes.size));
    expect([replica.rows('Thing').size, changes]).toEqual([ROWS, ROWS]);

    const uuids = [...replica.rows('Thing').keys()];
    const [first, last] = [uuids[0], uuids[ROWS - 1]];
    const mixed: string[] = [];
    const updating = new Turns(() => {
      const rows = replica.rows('Thing');
      const [a, b] = [stateOf(rows.get(first)), stateOf(rows.get(last))];
      if (a !== b) mixed.push(`${a} ${b}`);
    });
    await writer.transact([{ op: 'update', table: 'Thing', where: [], row: { state: 'new' } }]);
    await replica.transact([]);
    const update = updating.stop();
    expect(mixed).toEqual([]);
    expect(stateOf(replica.rows('Thing').get(last))).toBe('new');

    const deleting = new Turns(() => sizes.add(replica.rows('Thing').size));
    await writer.transact([{ op: 'delete', table: 'Thing', where: [['name', '!=', 'thing7']] }]);
    await replica.transact([]);
    const deletion = deleting.stop();
    expect(replica.rows('Thing').size).toBe(1);
    expect([...sizes].sort((a, b) => a - b).filter((size) => size > 1)).toEqual([ROWS]);

    for (const [what, { longest, usual, total }] of Object.entries({ sync, update, deletion })) {
      const figures = `longest ${longest.toFixed(1)} ms, 99 % below ${usual.toFixed(1)} ms`;
      console.log(`${what} of ${ROWS} rows held the event loop: ${figures}`);
      expect(longest).toBeLessThan(Math.max(LIMIT_MS, total / 10));
      expect(usual).toBeLessThan(Math.max(USUAL_LIMIT_MS, total / 50));
    }
  });
});
