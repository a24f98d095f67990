/**
 * Our database against a stock ovsdb-server: the same random transactions to
 * both, their answers and what is in them afterwards. Skipped where Open
 * vSwitch is not installed; TAPFLOW_REQUIRE_SYSTEM=1 forbids that.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { formatJson } from '../../../src/lib/json-text.ts';
import { parseSchema } from '../../../src/ovsdb/data/schema.ts';
import { Database } from '../../../src/ovsdb/database/database.ts';
import { recordOf } from '../../../src/ovsdb/database/file-record.ts';
import { RandomTransactions, SCHEMA, TABLES } from './random-transactions.ts';
import { StockDatabase, stockMissing } from './stock-database.ts';

const missing = stockMissing();
if (missing !== undefined && process.env.TAPFLOW_REQUIRE_SYSTEM === '1') {
  throw new Error(`TAPFLOW_REQUIRE_SYSTEM is set, but ${missing}`);
}
const title = `transactions end as in a stock ovsdb-server${missing ? ` (skipped: ${missing})` : ''}`;

describe.skipIf(missing !== undefined)(title, () => {
  let stock: StockDatabase;
  beforeAll(async () => {
    stock = new StockDatabase(SCHEMA);
    await stock.start();
  });
  afterAll(() => stock.stop());

  it.each([...CASES.entries()])('request %i of the list', async (_n, operations) => {
    const ours = new Database(parseSchema(SCHEMA));
    await stock.transact(CLEAR);
    const theirs = await stock.transact(operations);
    expect(comparable(ours.transact(operations).results)).toEqual(comparable(theirs));
    const after = comparable(ours.transact(DUMP).results);
    expect(after).toEqual(comparable(await stock.transact(DUMP)));
  });

  const runs = Array.from({ length: 12 }, (_, seed) => [seed, seed % 3 === 0 ? 15 : 1]);
  it.each(runs)('seed %i, with %i%% of values wrong', async (seed, faults) => {
    const ours = new Database(parseSchema(SCHEMA));
    await stock.transact(CLEAR);
    const transactions = new RandomTransactions(seed, faults);
    for (let n = 0; n < 150; n++) {
      const operations = transactions.next();
      const theirs = await stock.transact(operations);
      const { results } = ours.transact(operations);
      expect(outcome(results), formatJson(operations)).toEqual(outcome(theirs));
      const after = comparable(ours.transact(DUMP).results);
      expect(after, formatJson(operations)).toEqual(comparable(await stock.transact(DUMP)));
    }
  });

  it('and a file that stock wrote brings us to where stock is', async () => {
    const ours = new Database(parseSchema(SCHEMA));
    for (const record of stock.records()) ours.replay(record);
    const theirs = await stock.transact(DUMP);
    expect(stored(ours.transact(DUMP).results)).toEqual(stored(theirs));
  });

  it('and records of ours bring stock to where we are', async () => {
    const ours = new Database(parseSchema(SCHEMA));
    const transactions = new RandomTransactions(99, 1);
    const records: Json[] = [];
    for (let n = 0; n < 300; n++) {
      const { changes } = ours.transact(transactions.next());
      const record = changes && recordOf(changes, 1_700_000_000_000 + n, '');
      if (record) records.push(record);
    }
    const theirs = new StockDatabase(SCHEMA, records);
    onTestFinished(() => theirs.stop());
    await theirs.start();
    const expected = stored(ours.transact(DUMP).results);
    expect(stored(await theirs.transact(DUMP))).toEqual(expected);
    const replayed = new Database(parseSchema(SCHEMA));
    for (const record of records) replayed.replay(record);
    expect(stored(replayed.transact(DUMP).results)).toEqual(expected);
  });
});

const CLEAR = TABLES.map((table) => ({ op: 'delete', table, where: [] }));

const DUMP = TABLES.map((table) => ({ op: 'select', table, where: [] }));

/** Rows in the order of their text, and without versions, which are random. */
function comparable(results: Json): Json {
  const text = JSON.stringify(results, (_name, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return JSON.parse(text, (name, value) => {
    if (name === '_version') return undefined;
    if (typeof value === 'string') return value.replace(RANDOM_UUID, 'random');
    if (Number.isFinite(value) && !Number.isInteger(value)) return Number(value.toPrecision(15));
    return name === 'rows' && Array.isArray(value) ? sorted(value) : value;
  });
}

/** Of several faults stock tells one by the order of a hash table: that there is one, counts. */
function outcome(results: Json): Json {
  return JSON.parse(JSON.stringify(comparable(results)), (_name, value) =>
    value?.error === undefined ? value : 'failed',
  );
}

const sorted = (rows: JsonObject[]): JsonObject[] =>
  rows.sort((a, b) => (formatJson(a, { sorted: true }) < formatJson(b, { sorted: true }) ? -1 : 1));

/** A name that no insert claims stands for a random one; all others are chosen. */
const RANDOM_UUID = /(?!0000000\d-)\b[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}/g;

/** What a file keeps of it. */
function stored(results: Json): Json {
  return JSON.parse(JSON.stringify(comparable(results)), (name, value) =>
    name === 'eph' ? undefined : value,
  );
}

function uuid(n: number): string {
  return `00000000-1111-4222-8333-${String(n).padStart(12, '0')}`;
}

const insert = (table: string, n: number, row: JsonObject): JsonObject => ({
  op: 'insert',
  table,
  uuid: uuid(n),
  row,
});
const all = (n: number, row: JsonObject): JsonObject =>
  insert('All', n, { name: `row ${n}`, i: n, ...row });
const where = (...clauses: Json[]): JsonObject => ({
  op: 'select',
  table: 'All',
  where: clauses,
  columns: ['_uuid'],
});
const ref = (n: number): Json => ['uuid', uuid(n)];

/** Operations of one transaction each, with answers that chance rarely asks for. */
const CASES: readonly (readonly Json[])[] = [
  [7],
  [{}],
  [{ op: 7 }],
  [{ op: 'frob', a: 1 }],
  [{ op: 'select', table: 'Nope', where: [] }],
  [{ op: 'select', table: 'All' }],
  [{ op: 'select', table: 'All', where: [], x: 1 }],
  [{ op: 'select', table: 'All', where: [], columns: ['nope'] }],
  [{ op: 'select', table: 'All', where: [], columns: ['i', 'i'] }],
  [{ op: 'select', table: 'All', where: [], columns: [7] }],
  [{ op: 'select', table: 'All', where: 7 }],
  [{ op: 'select', table: 'All', where: [7] }],
  [{ op: 'select', table: 'All', where: [['nope', '==', 1]] }],
  [{ op: 'select', table: 'All', where: [['i', '~', 1]] }],
  [all(1, {}), { op: 'select', table: 'All', where: [], columns: [] }],
  [
    all(1, { b: true }),
    all(2, {}),
    all(3, {}),
    { op: 'select', table: 'All', where: [], columns: ['b'] },
  ],
  [all(2, {}), all(1, {}), { op: 'select', table: 'All', where: [], columns: ['i'], sort: ['i'] }],
  [all(1, {}), where(['io', '==', ['set', []]])],
  [all(1, {}), where(['io', '!=', ['set', []]])],
  [all(1, { io: 1 }), where(['io', '!=', ['set', []]])],
  [all(1, { io: 1 }), where(['io', '==', ['set', []]])],
  [all(1, { io: 1 }), where(['io', 'includes', ['set', []]])],
  [all(1, { io: 1 }), where(['io', 'excludes', ['set', []]])],
  [all(1, {}), where(['io', 'includes', ['set', []]])],
  [all(1, {}), where(['io', 'excludes', ['set', []]])],
  [all(1, {}), where(['io', 'excludes', 1])],
  [all(1, {}), where(['io', 'includes', 1])],
  [all(1, { io: 1 }), where(['io', 'excludes', ['set', [1, 2]]])],
  [all(1, { io: 1 }), where(['io', '<', ['set', []]])],
  [all(1, {}), where(['io', '>=', ['set', []]])],
  [all(1, {}), where(['i', 'includes', 1])],
  [all(1, {}), where(['i', 'excludes', 1])],
  [all(1, {}), where(true, ['i', '==', 1])],
  [all(1, {}), where(false, ['i', '==', 1])],
  [all(1, {}), all(1, {})],
  [{ op: 'insert', table: 'All', uuid: 'x', row: {} }],
  [{ op: 'insert', table: 'All', uuid: 7, row: {} }],
  [
    { ...all(1, {}), 'uuid-name': 'a' },
    { ...all(2, {}), 'uuid-name': 'a' },
  ],
  [{ ...all(1, {}), 'uuid-name': '7' }],
  [all(1, { u: ['named-uuid', '7'] })],
  [all(1, { _uuid: ref(2), _version: ref(3) })],
  [all(1, {}), { op: 'update', table: 'All', where: [], row: { _uuid: ref(2) } }],
  [all(1, {}), { op: 'update', table: 'All', where: [], row: { imm: 'x' } }],
  [all(1, {}), { op: 'mutate', table: 'All', where: [], mutations: [['imm', 'insert', 'x']] }],
  [all(1, {}), { op: 'delete', table: 'All', where: [] }, all(1, {})],
  [all(1, {}), insert('Need', 1, { many: ref(1) })],
  [insert('Need', 1, { who: ref(2), many: ref(1) }), all(1, {})],
  [all(1, { children: ref(2) })],
  [all(1, { byName: ['map', [['a', ref(2)]]] }), insert('Child', 2, {})],
  [insert('Child', 2, { next: ref(2) })],
  [insert('Child', 2, { next: ref(3) }), insert('Child', 3, { next: ref(2) })],
  [
    all(1, { children: ref(2) }),
    insert('Child', 2, {}),
    { op: 'delete', table: 'Child', where: [] },
  ],
  [all(1, {}), all(2, { name: 'row 1' })],
  [all(1, { ss: ['set', ['a b', 'c']] }), all(2, { i: 1, ss: ['set', ['c', 'a b']] })],
  [
    all(1, { friend: ref(1), ms: ['map', [['a', '1']]] }),
    all(2, { friend: ref(1), ms: ['map', [['a', '1']]] }),
  ],
  [all(2, {}), all(1, { name: 'row 2' })],
  Array.from({ length: 13 }, (_, i) => all(i, {})),
  [{ op: 'wait', table: 'All', timeout: -1, where: [], columns: ['i'], until: '==', rows: [] }],
  [{ op: 'wait', table: 'All', timeout: 0, where: [], columns: ['i'], until: '<', rows: [] }],
  [{ op: 'wait', table: 'All', timeout: 0, where: [], columns: ['i'], until: '==', rows: [7] }],
  [{ op: 'wait', table: 'All', timeout: 0, where: [], columns: ['i'], until: '==', rows: [{}] }],
  [{ op: 'wait', table: 'All', timeout: 0, where: [], until: '==', rows: [] }],
  [
    { op: 'wait', table: 'All', timeout: 0, where: [], until: '!=', rows: [] },
    { op: 'abort' },
    all(1, {}),
  ],
  [
    all(1, {}),
    {
      op: 'wait',
      table: 'All',
      timeout: 0,
      where: [],
      columns: ['_uuid'],
      until: '==',
      rows: [{ _uuid: ref(1) }],
    },
  ],
  [{ op: 'abort' }, { op: 'comment', comment: 'x' }],
  [{ op: 'abort', x: 1 }],
  [
    { op: 'comment', comment: 'x' },
    { op: 'commit', durable: true },
    { op: 'commit', durable: 1 },
  ],
  [{ op: 'assert', lock: 'mine' }],
  [{ op: 'assert', lock: '7' }],
  [all(1, { s: 'x' }), { op: 'mutate', table: 'All', where: [], mutations: [['s', '+=', 1]] }],
  [all(1, {}), { op: 'mutate', table: 'All', where: [], mutations: [['ms', '+=', 1]] }],
  [
    all(1, {}),
    { op: 'mutate', table: 'All', where: [], mutations: [['i', '+=', 9223372036854775807n]] },
  ],
  [all(1, {}), { op: 'mutate', table: 'All', where: [], mutations: [['i', '/=', 0]] }],
  [
    all(1, { i: -9223372036854775808n }),
    { op: 'mutate', table: 'All', where: [], mutations: [['i', '%=', -1]] },
  ],
  [
    all(1, { ms: ['map', [['a', 'b']]] }),
    { op: 'mutate', table: 'All', where: [], mutations: [['ms', 'delete', ['map', [['a', 1]]]]] },
  ],
  ...[
    'a',
    'a1',
    'a.b',
    'a-b',
    '-a',
    '1a',
    'a b',
    'true',
    'é',
    'a"',
    '12345678-1234-1234-1234-123456789abc',
    'abcdefab-1234-1234-1234-123456789abc',
  ].map((se) => [all(1, { se })]),
  ...[1e16, 123456.789, 3.0000001, 1e-5, 0.0001, -2.5].map((rr) => [all(1, { rr })]),
  [all(1, { sl: '😀' })],
  [all(1, { sl: '😀é😀é' })],
  [all(1, { ie: 7 })],
];
