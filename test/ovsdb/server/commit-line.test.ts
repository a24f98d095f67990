import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/lib/json.ts';
import { parseSchema } from '../../../src/ovsdb/data/schema.ts';
import { Database } from '../../../src/ovsdb/database/database.ts';
import { CommitLine } from '../../../src/ovsdb/server/commit-line.ts';

const SCHEMA = parseSchema({
  name: 'Test',
  tables: {
    Parent: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        child: { type: { key: { type: 'uuid', refTable: 'Child' }, min: 0, max: 1 } },
      },
      indexes: [['name']],
    },
    Child: { columns: { n: { type: 'integer' } } },
  },
});

const insert = (name: string): Json[] => [
  { op: 'insert', table: 'Child', 'uuid-name': 'c', row: {} },
  { op: 'insert', table: 'Parent', row: { name, child: ['named-uuid', 'c'] } },
];
const remove = (name: string): Json[] => [
  { op: 'delete', table: 'Parent', where: [['name', '==', name]] },
];
const rename = (name: string, to: string): Json[] => [
  { op: 'update', table: 'Parent', where: [['name', '==', name]], row: { name: to } },
];

/** A database with a line, whose writes the test ends. */
function newLine() {
  const database = new Database(SCHEMA);
  const done: string[] = [];
  const line = new CommitLine(database, (failure) => done.push(`undone: ${failure}`));
  const commit = (label: string, operations: Json[], isWritten = true) => {
    const { changes, results } = database.transact(operations);
    expect(JSON.stringify(results)).not.toContain('error');
    let write = (_failure?: unknown) => {};
    const written = isWritten
      ? new Promise<void>((resolve, reject) => {
          write = (failure) => (failure === undefined ? resolve() : reject(failure));
        })
      : undefined;
    const end = (failure?: unknown) => done.push(failure ? `${label}: ${failure}` : label);
    line.add({ changes, written, done: end });
    return async (failure?: unknown) => {
      write(failure);
      await new Promise((resolve) => setImmediate(resolve));
    };
  };
  const names = (rows: Iterable<{ get(column: string): { keys: readonly unknown[] } }>) =>
    [...rows].map((row) => row.get('name').keys[0]).sort();
  return {
    database,
    done,
    commit,
    inMemory: () => names(database.rows('Parent').values()),
    acknowledged: () => names(line.acknowledgedRows('Parent')),
  };
}

describe('transactions in line', () => {
  it('are done in order, those without a write behind those that have one', async () => {
    const { commit, done } = newLine();
    const first = commit('first', insert('a'));
    const second = commit('second', insert('b'));
    commit('reads', [], false);
    await second();
    expect(done).toEqual([]);
    await first();
    expect(done).toEqual(['first', 'second', 'reads']);
    commit('alone', [], false);
    expect(done.at(-1)).toBe('alone');
  });

  it('are not seen among the acknowledged rows until they are', async () => {
    const { commit, inMemory, acknowledged } = newLine();
    await commit('a', insert('a'))();
    await commit('b', insert('b'))();
    const first = commit('c', [...insert('c'), ...rename('a', 'x')]);
    const second = commit('d', [...remove('b'), ...rename('x', 'y'), ...remove('c')]);
    expect(inMemory()).toEqual(['y']);
    expect(acknowledged()).toEqual(['a', 'b']);
    await first();
    expect(acknowledged()).toEqual(['b', 'c', 'x']);
    await second();
    expect(acknowledged()).toEqual(['y']);
  });

  it('are all undone when one fails, as if they had never been', async () => {
    const { database, commit, done, inMemory, acknowledged } = newLine();
    await commit('a', insert('a'))();
    const first = commit('b', [...insert('b'), ...rename('a', 'x')]);
    const second = commit('c', [...remove('b'), ...insert('a')]);
    commit('reads', [], false);
    await first('full');
    await second('full');
    expect(done).toEqual(['a', 'b: full', 'c: full', 'reads: full', 'undone: full']);
    expect([inMemory(), acknowledged()]).toEqual([['a'], ['a']]);
    expect(database.rows('Child').size).toBe(1);
    // Indexes and reference counts are what they were: a name is taken, others are free.
    const taken = database.transact([...insert('a')]).results;
    expect(JSON.stringify(taken)).toContain('identical values');
    await commit('d', [...insert('b'), ...remove('a')])();
    expect(inMemory()).toEqual(['b']);
    expect(database.rows('Child').size).toBe(1);
  });
});
