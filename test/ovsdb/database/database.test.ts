/** Transactions on a database in memory: their results, and what is in it then. */
import { describe, expect, it, vi } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { OvsdbError } from '../../../src/ovsdb/data/ovsdb-error.ts';
import { parseSchema } from '../../../src/ovsdb/data/schema.ts';
import { Database } from '../../../src/ovsdb/database/database.ts';
import { recordOf } from '../../../src/ovsdb/database/file-record.ts';
import { Row } from '../../../src/ovsdb/database/row.ts';

const SCHEMA: JsonObject = {
  name: 'Shop',
  tables: {
    Shop: {
      isRoot: true,
      maxRows: 3,
      indexes: [['name']],
      columns: {
        name: { type: 'string' },
        count: { type: { key: { type: 'integer', maxInteger: 100 } } },
        opened: { type: 'string', mutable: false },
        visitors: { type: 'integer', ephemeral: true },
        goods: { type: { key: { type: 'uuid', refTable: 'Good' }, min: 0, max: 'unlimited' } },
      },
    },
    Good: {
      columns: {
        name: { type: 'string' },
        parts: { type: { key: { type: 'uuid', refTable: 'Good' }, min: 0, max: 'unlimited' } },
      },
    },
    Friend: {
      isRoot: true,
      columns: {
        shops: { type: { key: WEAK('Shop'), min: 0, max: 'unlimited' } },
        best: { type: { key: WEAK('Good'), min: 1, max: 2 } },
      },
    },
  },
};

function WEAK(refTable: string): JsonObject {
  return { type: 'uuid', refTable, refType: 'weak' };
}

const newDatabase = (): Database => new Database(parseSchema(SCHEMA));
const insert = (table: string, row: JsonObject, name?: string): JsonObject => ({
  op: 'insert',
  table,
  row,
  ...(name !== undefined && { 'uuid-name': name }),
});
const named = (name: string): Json => ['named-uuid', name];
const uuidIn = (result: Json): string => ((result as JsonObject).uuid as string[])[1];
const names = (database: Database, table: string): Json[] =>
  [...database.rows(table).values()].map((row) => row.get('name').keys[0]).sort();

describe('a transaction', () => {
  it('gives its results in order', () => {
    const { results, changes } = newDatabase().transact([
      insert('Shop', { name: 'a', count: 1 }),
      { op: 'mutate', table: 'Shop', where: [], mutations: [['count', '+=', 4]] },
      { op: 'update', table: 'Shop', where: [['count', '>', 4]], row: { name: 'b' } },
      { op: 'select', table: 'Shop', where: [['name', '==', 'b']], columns: ['count'] },
      { op: 'delete', table: 'Shop', where: [['name', '==', 'a']] },
      { op: 'comment', comment: 'x' },
      { op: 'commit', durable: true },
    ]);
    const uuid = uuidIn(results[0]);
    expect(results).toEqual([
      { uuid: ['uuid', uuid] },
      { count: 1 },
      { count: 1 },
      { rows: [{ count: 5 }] },
      { count: 0 },
      {},
      {},
    ]);
    const change = changes?.get('Shop')?.get(uuid);
    expect(change?.old).toBeUndefined();
    expect(change?.new?.get('name').keys).toEqual(['b']);
  });

  it('that fails changes nothing, and has no results after the error', () => {
    const database = newDatabase();
    database.transact([insert('Shop', { name: 'a' })]);
    const before = [...database.rows('Shop').values()];
    const { results, changes } = database.transact([
      { op: 'update', table: 'Shop', where: [], row: { name: 'b' } },
      insert('Shop', { name: 'c' }),
      { op: 'delete', table: 'Shop', where: [['name', '==', 'b']] },
      { op: 'abort' },
      insert('Shop', {}),
    ]);
    expect(results.slice(3)).toEqual([{ error: 'aborted', details: 'aborted by request' }, null]);
    expect(changes).toBeUndefined();
    expect([...database.rows('Shop').values()]).toEqual(before);
  });

  it('that fails at its commit has one result more than operations', () => {
    const database = newDatabase();
    const row = { name: 'a' };
    const { results } = database.transact([insert('Shop', row), insert('Shop', row)]);
    expect(results).toHaveLength(3);
    expect(results[2]).toMatchObject({ error: 'constraint violation' });
    expect(database.rows('Shop').size).toBe(0);
  });

  it('that leaves all as it was has no changes', () => {
    const database = newDatabase();
    database.transact([insert('Shop', { name: 'a' })]);
    const [row] = database.rows('Shop').values();
    const version = row.get('_version');
    const rename = (name: string) => ({ op: 'update', table: 'Shop', where: [], row: { name } });
    expect(database.transact([rename('b'), rename('a')]).changes).toBeUndefined();
    expect([...database.rows('Shop').values()]).toEqual([row]);
    expect(row.get('_version')).toBe(version);
    database.transact([rename('b')]);
    expect(database.rows('Shop').get(row.uuid)?.get('_version')).not.toEqual(version);
  });

  it('looks at the rows it touches, however many there are', () => {
    const at = vi.spyOn(Row.prototype, 'at');
    const looks = [10, 1000].map((size) => {
      const database = newDatabase();
      const goods = Array.from({ length: size }, (_, i) =>
        insert('Good', { name: `${i}` }, `g${i}`),
      );
      database.transact([
        ...goods,
        ...goods.map((_, i) => insert('Good', { parts: named(`g${i}`) }, `h${i}`)),
        insert('Shop', { goods: ['set', goods.map((_, i) => named(`h${i}`))] }),
      ]);
      const [uuid] = database.rows('Good').keys();
      expect(database.rows('Good').size).toBe(2 * size);
      at.mockClear();
      const where = [['_uuid', '==', ['uuid', uuid]]];
      database.transact([{ op: 'update', table: 'Good', where, row: { name: 'new' } }]);
      return at.mock.calls.length;
    });
    at.mockRestore();
    expect(looks[0]).toBe(looks[1]);
  });

  it('is not committed when beforeCommit fails', () => {
    const database = newDatabase();
    const beforeCommit = vi.fn(() => {
      throw new OvsdbError('I/O error', 'disk full');
    });
    const operations = [{ op: 'comment', comment: 'why' }, insert('Shop', { name: 'a' })];
    const { results, changes } = database.transact(operations, { beforeCommit });
    expect(beforeCommit).toHaveBeenCalledWith(expect.any(Map), 'why');
    expect(results[2]).toEqual({ error: 'I/O error', details: 'disk full' });
    expect(changes).toBeUndefined();
    expect(database.rows('Shop').size).toBe(0);
    expect(database.transact([insert('Shop', { name: 'a' })]).results).toHaveLength(1);
  });

  it('may be forbidden to change anything', () => {
    const database = newDatabase();
    const { results } = database.transact([insert('Shop', {})], { access: 'reads' });
    expect(results).toEqual([
      {
        error: 'not allowed',
        details: 'insert operation not allowed when database server is in read only mode',
      },
    ]);
    const select = { op: 'select', table: 'Shop', where: [] };
    expect(database.transact([select], { access: 'reserved' }).results).toEqual([{ rows: [] }]);
  });

  it('holds on to a lock by assert', () => {
    const assert = { op: 'assert', lock: 'mine' };
    const ownsLock = (name: string) => name === 'mine';
    expect(newDatabase().transact([assert], { ownsLock }).results).toEqual([{}]);
    expect(newDatabase().transact([assert]).results).toEqual([
      { error: 'not owner', details: 'Asserted lock mine not held.' },
    ]);
  });
});

describe('wait', () => {
  const wait = (rest: JsonObject): JsonObject => ({
    op: 'wait',
    table: 'Shop',
    where: [],
    columns: ['name'],
    until: '==',
    rows: [{ name: 'a' }],
    ...rest,
  });

  it('goes on when the rows are there, in any number and order', () => {
    const database = newDatabase();
    database.transact([insert('Shop', { name: 'a', count: 1 }), insert('Shop', { name: 'b' })]);
    const rows = [{ name: 'b' }, { name: 'a' }, { name: 'b' }];
    expect(database.transact([wait({ rows })]).results).toEqual([{}]);
    expect(database.transact([wait({ until: '!=' })]).results).toEqual([{}]);
  });

  it('blocks the transaction while there is time', () => {
    const database = newDatabase();
    const operations = [insert('Shop', { name: 'b' }), wait({ timeout: 50 })];
    const blocked = database.transact(operations, { elapsed: 20 });
    expect(blocked).toMatchObject({ results: [], changes: undefined, blockedUntil: 50 });
    expect(database.rows('Shop').size).toBe(0);
    expect(database.transact([wait({})]).blockedUntil).toBe(Infinity);
  });

  it('fails when time is up', () => {
    const late = newDatabase().transact([wait({ timeout: 50 })], { elapsed: 51 });
    const details = '"wait" timed out after 51 ms';
    expect(late.results).toEqual([{ error: 'timed out', details }]);
    const { results } = newDatabase().transact([wait({ timeout: 0 })]);
    expect(results).toEqual([{ error: 'timed out', details: '"where" clause test failed' }]);
  });
});

describe('references', () => {
  it('are by name before and after the insert', () => {
    const database = newDatabase();
    const { results } = database.transact([
      insert('Shop', { goods: ['set', [named('x'), named('y')]] }),
      insert('Good', { name: 'x' }, 'x'),
      insert('Good', { name: 'y', parts: named('x') }, 'y'),
    ]);
    expect(results).toHaveLength(3);
    expect(names(database, 'Good')).toEqual(['x', 'y']);
  });

  it('keep rows alive, and rows without any go with those that only they kept', () => {
    const database = newDatabase();
    database.transact([
      insert('Shop', { goods: named('a') }),
      insert('Good', { name: 'a', parts: ['set', [named('b'), named('c')]] }, 'a'),
      insert('Good', { name: 'b', parts: named('c') }, 'b'),
      insert('Good', { name: 'c' }, 'c'),
      insert('Good', { name: 'lost' }),
    ]);
    expect(names(database, 'Good')).toEqual(['a', 'b', 'c']);
    const c = [...database.rows('Good').values()].find((row) => row.get('name').keys[0] === 'c');
    const goods: Json = ['uuid', c?.uuid ?? ''];
    const update = { op: 'update', table: 'Shop', where: [], row: { goods } };
    const { changes } = database.transact([update]);
    expect(names(database, 'Good')).toEqual(['c']);
    expect(changes?.get('Good')?.size).toBe(2);
  });

  it('must lead to a row', () => {
    const database = newDatabase();
    const good = '0fbaa8a5-4d3f-4a0c-9d5e-2f0a4c1b7e66';
    const { results } = database.transact([insert('Shop', { goods: ['uuid', good] })]);
    const row = uuidIn(results[0]);
    expect(results[1]).toEqual({
      error: 'referential integrity violation',
      details: `Table Shop column goods row ${row} references nonexistent row ${good} in table Good.`,
    });
  });

  it('forbid to delete the row they lead to', () => {
    const database = newDatabase();
    database.transact([insert('Shop', { goods: named('a') }), insert('Good', {}, 'a')]);
    const [uuid] = database.rows('Good').keys();
    const remove = { op: 'delete', table: 'Good', where: [] };
    expect(database.transact([remove]).results[1]).toEqual({
      error: 'referential integrity violation',
      details: `cannot delete Good row ${uuid} because of 1 remaining reference(s)`,
    });
    const all = [remove, { op: 'delete', table: 'Shop', where: [] }];
    expect(database.transact(all).results).toEqual([{ count: 1 }, { count: 1 }]);
  });

  it('that are weak go with the row they lead to', () => {
    const database = newDatabase();
    database.transact([
      insert('Shop', { name: 'a', goods: named('g') }, 's'),
      insert('Shop', { name: 'b' }, 't'),
      insert('Good', {}, 'g'),
      insert('Friend', { shops: ['set', [named('s'), named('t')]], best: named('g') }),
    ]);
    const where = [['name', '==', 'b']];
    const { changes } = database.transact([{ op: 'delete', table: 'Shop', where }]);
    const [friend] = database.rows('Friend').values();
    expect(friend.get('shops').keys).toHaveLength(1);
    expect(changes?.get('Friend')?.get(friend.uuid)?.old?.get('shops').keys).toHaveLength(2);
    const { results } = database.transact([{ op: 'delete', table: 'Shop', where: [] }]);
    const { error, details } = results[1] as JsonObject;
    expect(error).toBe('constraint violation');
    expect(details).toMatch(/^Deletion of 1 weak reference\(s\) .* column "best" in "Friend" row/);
    expect(database.rows('Shop').size).toBe(1);
  });
});

describe('limits', () => {
  it('bind the number of rows at the commit, not before', () => {
    const database = newDatabase();
    const shops = ['a', 'b', 'c', 'd'].map((name) => insert('Shop', { name }));
    expect(database.transact(shops).results[4]).toEqual({
      error: 'constraint violation',
      details:
        'transaction causes "Shop" table to contain 4 rows, greater than the schema-defined limit of 3 row(s)',
    });
    const remove = { op: 'delete', table: 'Shop', where: [['name', '==', 'a']] };
    expect(database.transact([...shops, remove]).changes?.get('Shop')?.size).toBe(3);
  });

  it('let rows swap the values of an index in one transaction', () => {
    const database = newDatabase();
    database.transact([insert('Shop', { name: 'a', count: 1 }), insert('Shop', { name: 'b' })]);
    const rename = (count: number, name: string): JsonObject => ({
      op: 'update',
      table: 'Shop',
      where: [['count', '==', count]],
      row: { name },
    });
    expect(database.transact([rename(1, 'b'), rename(0, 'a')]).results).toHaveLength(2);
    expect(database.transact([rename(1, 'a')]).results[1]).toMatchObject({
      error: 'constraint violation',
    });
    expect(database.transact([rename(1, 'c'), rename(0, 'b')]).results).toHaveLength(2);
  });
});

describe('the record of a transaction', () => {
  const DATE = 1_700_000_000_000;

  it('has what the file keeps: no defaults, nothing ephemeral, differences of sets', () => {
    const database = newDatabase();
    const first = database.transact([
      insert('Shop', { name: 'a', visitors: 9, goods: named('g') }),
      insert('Good', {}, 'g'),
    ]);
    const [shop] = database.rows('Shop').keys();
    const [good] = database.rows('Good').keys();
    expect(recordOf(first.changes ?? new Map(), DATE, 'hi')).toEqual({
      _date: DATE,
      _comment: 'hi',
      _is_diff: true,
      Shop: { [shop]: { name: 'a', goods: ['uuid', good] } },
      Good: { [good]: {} },
    });
    const second = database.transact([
      insert('Good', { name: 'h' }, 'h'),
      { op: 'mutate', table: 'Shop', where: [], mutations: [['goods', 'insert', named('h')]] },
    ]);
    const added = uuidIn(second.results[0]);
    expect(recordOf(second.changes ?? new Map(), DATE, '')).toMatchObject({
      Shop: { [shop]: { goods: ['uuid', added] } },
    });
    const third = database.transact([{ op: 'delete', table: 'Shop', where: [] }]);
    expect(recordOf(third.changes ?? new Map(), DATE, '')).toMatchObject({
      Shop: { [shop]: null },
    });
  });

  it('is none when only ephemeral columns changed', () => {
    const database = newDatabase();
    database.transact([insert('Shop', {})]);
    const visit = { op: 'update', table: 'Shop', where: [], row: { visitors: 1 } };
    const { changes } = database.transact([visit]);
    expect(changes?.size).toBe(1);
    expect(recordOf(changes ?? new Map(), DATE, '')).toBeUndefined();
  });

  it('brings a new database to where the old one was, references and indexes too', () => {
    const database = newDatabase();
    database.transact([insert('Shop', { name: 'a', goods: named('g') }), insert('Good', {}, 'g')]);
    const copy = newDatabase();
    copy.replay(recordOf(database.contents(), DATE, '') ?? {});
    const remove = { op: 'delete', table: 'Good', where: [] };
    expect(copy.transact([remove]).results[1]).toMatchObject({
      error: 'referential integrity violation',
    });
    expect(copy.transact([insert('Shop', { name: 'a' })]).results).toHaveLength(2);
    const changes = copy.transact([{ op: 'delete', table: 'Shop', where: [] }]).changes;
    expect([...(changes?.keys() ?? [])].sort()).toEqual(['Good', 'Shop']);
  });

  const uuid = '0fbaa8a5-4d3f-4a0c-9d5e-2f0a4c1b7e66';
  const faults: [Json, string][] = [
    [{ Nowhere: {} }, 'No table named Nowhere.'],
    [{ Shop: { x: {} } }, '"x" is not a valid UUID'],
    [{ Shop: { [uuid]: { no: 1 } } }, 'No column no in table Shop.'],
    [{ Shop: { [uuid]: { name: 1 } } }, 'expected string'],
    [{ Shop: { [uuid]: 7 } }, 'row must be JSON object'],
    [{ Shop: { [uuid]: null } }, `cannot delete missing row ${uuid} from table Shop`],
    [{ Shop: 7 }, 'object expected'],
  ];
  it.each(faults)('%j is refused, and changes nothing', (record, details) => {
    const database = newDatabase();
    const good = { Good: { '1fbaa8a5-4d3f-4a0c-9d5e-2f0a4c1b7e66': {} } };
    expect(() => database.replay({ ...good, ...(record as JsonObject) })).toThrow(details);
    expect(database.rows('Good').size).toBe(0);
  });
});
