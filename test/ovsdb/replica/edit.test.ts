import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { Atom } from '../../../src/ovsdb/data/atom.ts';
import type { Datum } from '../../../src/ovsdb/data/datum.ts';
import { parseSchema } from '../../../src/ovsdb/data/schema.ts';
import { Database } from '../../../src/ovsdb/database/database.ts';
import { Edit } from '../../../src/ovsdb/replica/edit.ts';
import { Replica } from '../../../src/ovsdb/replica/replica.ts';
import { stockMissing } from '../database/stock-database.ts';
import { StockServer } from './stock-server.ts';

const SCHEMA: JsonObject = {
  name: 'Farm',
  version: '1.0.0',
  tables: {
    Farm: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        animals: { type: { key: { type: 'uuid', refTable: 'Animal' }, min: 0, max: 'unlimited' } },
        count: { type: 'integer' },
      },
    },
    Animal: {
      columns: {
        name: { type: 'string' },
        foods: { type: { key: 'string', min: 0, max: 'unlimited' } },
        notes: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
      },
    },
  },
};

const set = (...keys: Atom[]): Datum => ({ keys, values: undefined });
const map = (pairs: Record<string, string>): Datum => ({
  keys: Object.keys(pairs),
  values: Object.values(pairs),
});

/** A database of ours stands in for the replica: edits read its rows and it carries them out. */
function farm() {
  const database = new Database(parseSchema(SCHEMA));
  const edit = new Edit(database);
  const farm = edit.insert('Farm', { name: set('home') });
  const cat = edit.insert('Animal', {
    name: set('cat'),
    foods: set('fish', 'milk'),
    notes: map({ a: '1', b: '2' }),
  });
  edit.set('Farm', farm, 'animals', set(cat));
  const { results } = database.transact(edit.operations());
  const uuids = [farm, cat].map((each) => edit.uuidOf(each, results) ?? '');
  return { database, farm: uuids[0], cat: uuids[1] };
}

/** Carries an edit out. @returns the operations, and what the animal's row is then */
function carryOut(change: (edit: Edit, cat: string, farm: string) => void) {
  const { database, farm: home, cat } = farm();
  const edit = new Edit(database);
  change(edit, cat, home);
  const seen = edit.get('Animal', cat);
  const operations = edit.operations();
  const { results } = database.transact(operations);
  const row = database.rows('Animal').get(cat);
  const columns = [...(row?.schema.columns.values() ?? [])].filter(({ index }) => index >= 0);
  const after = row?.toJson(columns);
  // What the edit shows is what comes out.
  expect(seen?.toJson(columns)).toEqual(after);
  return { operations: operations as JsonObject[], results, after };
}

const ops = (operations: JsonObject[]) => operations.map(({ op }) => op);

describe('an edit', () => {
  it('inserts rows that refer to each other', () => {
    const { database, farm: home, cat } = farm();
    expect(database.rows('Farm').get(home)?.get('animals').keys).toEqual([cat]);
    expect(database.rows('Animal').get(cat)?.get('notes')).toEqual(map({ a: '1', b: '2' }));
  });

  it('has no operations when nothing differs', () => {
    const { operations } = carryOut((edit, cat) => {
      edit.set('Animal', cat, 'name', set('dog'));
      edit.set('Animal', cat, 'name', set('cat'));
      edit.mutate('Animal', cat, 'foods', 'insert', set('fish'));
      edit.mutate('Animal', cat, 'notes', 'delete', set('x'));
      edit.verify('Animal', cat, 'name');
      edit.comment('nothing');
      edit.remove('Animal', edit.insert('Animal'));
    });
    expect(operations).toEqual([]);
  });

  it('updates only the columns that change', () => {
    const { operations, after } = carryOut((edit, cat) => {
      edit.set('Animal', cat, 'name', set('tom'));
      edit.set('Animal', cat, 'foods', set('fish', 'milk'));
    });
    expect(operations).toMatchObject([{ op: 'update', row: { name: 'tom' } }]);
    expect(after).toMatchObject({ name: 'tom' });
  });

  it('changes members of sets and maps alone', () => {
    const { operations, after } = carryOut((edit, cat) => {
      edit.mutate('Animal', cat, 'foods', 'insert', set('bread'));
      edit.mutate('Animal', cat, 'foods', 'insert', set('apple'));
      edit.mutate('Animal', cat, 'foods', 'delete', set('milk'));
      edit.mutate('Animal', cat, 'notes', 'insert', map({ a: '3', c: '4' }));
      edit.mutate('Animal', cat, 'notes', 'delete', map({ b: '2' }));
      edit.mutate('Animal', cat, 'notes', 'delete', map({ c: '5' }));
    });
    expect(operations).toMatchObject([
      {
        mutations: [
          ['foods', 'insert', ['set', ['apple', 'bread']]],
          ['foods', 'delete', 'milk'],
          ['notes', 'delete', ['set', ['a', 'c']]],
          [
            'notes',
            'insert',
            [
              'map',
              [
                ['a', '3'],
                ['c', '4'],
              ],
            ],
          ],
          ['notes', 'delete', ['map', [['b', '2']]]],
          ['notes', 'delete', ['map', [['c', '5']]]],
        ],
      },
    ]);
    expect(after).toMatchObject({
      foods: ['set', ['apple', 'bread', 'fish']],
      notes: [
        'map',
        [
          ['a', '3'],
          ['c', '4'],
        ],
      ],
    });
  });

  it('sets a column to what set and mutate make of it together', () => {
    const { operations } = carryOut((edit, cat) => {
      edit.mutate('Animal', cat, 'foods', 'insert', set('bread'));
      edit.set('Animal', cat, 'foods', set('tea'));
      edit.mutate('Animal', cat, 'foods', 'insert', set('cake'));
    });
    expect(operations).toMatchObject([{ op: 'update', row: { foods: ['set', ['cake', 'tea']] } }]);
  });

  it('shows rows as they will be', () => {
    const { database, farm: home, cat } = farm();
    const edit = new Edit(database);
    const dog = edit.insert('Animal', { name: set('dog') });
    edit.mutate('Farm', home, 'animals', 'insert', set(dog));
    edit.set('Animal', cat, 'name', set('tom'));
    const names = () => [...edit.rows('Animal')].map((row) => row.get('name').keys[0]);
    expect(names()).toEqual(['tom', 'dog']);
    expect([...edit.rows('Farm')][0].get('animals').keys).toContain(dog);
    edit.remove('Animal', dog);
    edit.remove('Animal', cat);
    expect(names()).toEqual([]);
    expect(edit.get('Animal', cat)).toBeUndefined();
    expect(() => edit.set('Animal', cat, 'name', set('x'))).toThrow(RangeError);
    expect(() => edit.set('Animal', dog, 'name', set('x'))).toThrow(RangeError);
    expect(() => edit.insert('Robot')).toThrow('the database has no table Robot');
    expect(() => edit.set('Farm', home, 'wings', set(2))).toThrow('table Farm has no column wings');
  });

  it('leaves it to the server to delete what nothing refers to any more', () => {
    const { operations, after } = carryOut((edit, cat, home) => {
      edit.set('Farm', home, 'animals', set());
      edit.remove('Animal', cat);
    });
    expect([ops(operations), after]).toEqual([['update'], undefined]);
  });

  it('fails when what it relies on has changed', () => {
    const { database, cat } = farm();
    const edit = new Edit(database);
    edit.verify('Animal', cat, 'foods');
    edit.verify('Animal', cat, 'name');
    edit.set('Animal', cat, 'name', set('tom'));
    const operations = edit.operations();
    const other = new Edit(database);
    other.mutate('Animal', cat, 'foods', 'insert', set('rice'));
    database.transact(other.operations());
    expect(database.transact(operations).results).toMatchObject([{ error: 'timed out' }, null]);
  });

  it('verifies what was there before its own changes', () => {
    const { results } = carryOut((edit, cat) => {
      edit.set('Animal', cat, 'name', set('tom'));
      edit.verify('Animal', cat, 'name');
    });
    expect(results).toEqual([{}, { count: 1 }]);
  });

  it('counts up, and tells to what', () => {
    const { database, farm: home } = farm();
    for (const expected of [1, 2]) {
      const edit = new Edit(database);
      edit.increment('Farm', home, 'count');
      edit.comment('one more');
      edit.comment('and done');
      const operations = edit.operations() as JsonObject[];
      expect(ops(operations)).toEqual(['mutate', 'select', 'comment']);
      expect(operations[2].comment).toBe('one more\nand done');
      expect(edit.incremented(database.transact(operations).results)).toBe(expected);
    }
  });

  it('knows nothing of rows that were not inserted', () => {
    const edit = new Edit(farm().database);
    const dog = edit.insert('Animal');
    expect(edit.uuidOf(dog, [])).toBeUndefined();
    edit.operations();
    expect(edit.uuidOf(dog, [])).toBeUndefined();
    expect(edit.uuidOf('x', [{ uuid: ['uuid', 'x'] }])).toBeUndefined();
    expect(edit.incremented([])).toBeUndefined();
  });
});

describe.skipIf(stockMissing() && !process.env.TAPFLOW_REQUIRE_SYSTEM)(
  'an edit of a replica',
  () => {
    let server: StockServer | undefined;
    let replica: Replica | undefined;
    afterEach(async () => {
      replica?.close();
      await server?.destroy();
    });

    it('is carried out by a stock server', async () => {
      server = new StockServer([SCHEMA]);
      await server.start();
      replica = new Replica(server.open, { database: 'Farm', name: 'farm' });
      await replica.synced();
      const first = new Edit(replica);
      const cat = first.insert('Animal', { notes: map({ a: '1', b: '2' }) });
      const home = first.insert('Farm', { animals: set(cat) });
      const results = await replica.transact(first.operations());
      const [farmUuid, catUuid] = [home, cat].map((each) => first.uuidOf(each, results) ?? '');
      const second = new Edit(replica);
      const dog = second.insert('Animal', { name: set('dog') });
      second.mutate('Farm', farmUuid, 'animals', 'insert', set(dog));
      second.mutate('Animal', catUuid, 'notes', 'insert', map({ a: '3' }));
      second.verify('Animal', catUuid, 'notes');
      second.increment('Farm', farmUuid, 'count');
      const more = await replica.transact(second.operations());
      expect(second.incremented(more)).toBe(1);
      const dogUuid = second.uuidOf(dog, more) ?? '';
      expect(replica.rows('Farm').get(farmUuid)?.get('animals').keys).toEqual(
        [catUuid, dogUuid].sort(),
      );
      expect(replica.rows('Animal').get(catUuid)?.get('notes')).toEqual(map({ a: '3', b: '2' }));
    });
  },
);
