/**
 * The same random transactions to our server and to a stock one, over sockets,
 * with monitors of every kind: what is answered, what monitors are told, and
 * what is in the databases at the end. Skipped where Open vSwitch is not
 * installed; TAPFLOW_REQUIRE_SYSTEM=1 forbids that.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { formatJson } from '../../../src/lib/json-text.ts';
import { Random } from '../../ofproto/random-pipeline.ts';
import { RandomTransactions, SCHEMA, TABLES } from '../database/random-transactions.ts';
import { stockMissing } from '../database/stock-database.ts';
import { OurServer, type RawClient, StockServer } from './servers.ts';

const missing = stockMissing();
if (missing !== undefined && process.env.TAPFLOW_REQUIRE_SYSTEM === '1') {
  throw new Error(`TAPFLOW_REQUIRE_SYSTEM is set, but ${missing}`);
}
const SEEDS = process.env.TAPFLOW_FUZZ_SECONDS === undefined ? 8 : 60;
const TRANSACTIONS = 250;

describe.skipIf(missing !== undefined)(`beside stock (${missing ?? 'installed'})`, () => {
  let servers: [OurServer, StockServer];
  beforeAll(async () => {
    const schema = (sandbox: { file(name: string): string }) => {
      writeFileSync(sandbox.file('schema'), formatJson(SCHEMA));
      return sandbox.file('schema');
    };
    servers = [await OurServer.start(SCHEMA), await StockServer.start(schema)];
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  const ask = async (clients: readonly RawClient[], method: string, params: readonly Json[]) => {
    const id = ++lastId;
    const [ours, theirs] = await Promise.all(clients.map((each) => each.ask(method, params, id)));
    expect(comparable(ours), `${method} ${formatJson(params)}`).toEqual(comparable(theirs));
    updates += ours.length - 1;
  };
  let lastId = 0;
  let updates = 0;

  it.each([...Array(SEEDS).keys()])('monitors are told the same, seed %i', async (seed) => {
    const clients = [await servers[0].connect(), await servers[1].connect()];
    const watchers = [await servers[0].connect(), await servers[1].connect()];
    const random = new Random(1000 + seed);
    updates = 0;
    const transactions = new RandomTransactions(seed, seed % 4 === 3 ? 15 : 1);
    await ask(clients, 'transact', ['Test', ...CLEAR]);
    for (let n = 0; n < 20; n++) await ask(clients, 'transact', ['Test', ...transactions.next()]);
    const conditional: string[] = [];
    for (const [i, method] of METHODS.entries()) {
      const id = `${method} ${i}`;
      if (method !== 'monitor') conditional.push(id);
      const last = method === 'monitor_cond_since' ? [ZERO] : [];
      await ask(clients, method, ['Test', id, requests(random, method), ...last]);
      await ask(watchers, method, ['Test', id, requests(random, method), ...last]);
    }
    for (let n = 0; n < TRANSACTIONS; n++) {
      await ask(clients, 'transact', ['Test', ...transactions.next()]);
      if (random.chance(10)) {
        const id = random.pick(conditional);
        await ask(random.pick([clients, watchers]), 'monitor_cond_change', [
          id,
          id,
          change(random),
        ]);
      }
      if (random.chance(30)) await ask(watchers, 'list_dbs', []);
    }
    await ask(clients, 'transact', ['Test', ...DUMP]);
    expect(updates).toBeGreaterThan(50);
    for (const client of [...clients, ...watchers]) client.close();
  });

  it('and each reads what the other wrote', async () => {
    const [ours, stock] = servers;
    const clients = [await ours.connect(), await stock.connect()];
    const [there, here] = await Promise.all(
      clients.map((each) => each.request('transact', ['Test', ...STORED])),
    );
    expect(comparable(there)).toEqual(comparable(here));
    const query = formatJson(['Test', ...STORED]);
    const read = () => stock.sandbox.run('ovsdb-tool', 'query', ours.sandbox.file('db'), query);
    expect(comparable(parsed(read()))).toEqual(comparable(there));
    await ours.service.compact('Test');
    expect(comparable(parsed(read()))).toEqual(comparable(there));
    await ours.service.removeDatabase('Test');
    copyFileSync(stock.sandbox.file('db'), ours.sandbox.file('theirs'));
    await ours.service.addDatabase(ours.sandbox.file('theirs'));
    const again = await ours.connect();
    const reread = await again.request('transact', ['Test', ...STORED]);
    expect(comparable(reread)).toEqual(comparable(here));
  });
});

const ZERO = '00000000-0000-0000-0000-000000000000';
const METHODS = ['monitor', 'monitor', 'monitor_cond', 'monitor_cond', 'monitor_cond_since'];
const CLEAR = TABLES.map((table) => ({ op: 'delete', table, where: [] }));
const DUMP = TABLES.map((table) => ({ op: 'select', table, where: [] }));
const STORED = TABLES.map((table) => ({ op: 'select', table, where: [], columns: stored(table) }));

function stored(table: string): string[] {
  const { [table]: schema } = SCHEMA.tables as Record<string, { columns: JsonObject }>;
  return ['_uuid', ...Object.keys(schema.columns).filter((name) => name !== 'eph')];
}

function requests(random: Random, method: string): JsonObject {
  const tables = TABLES.filter(() => random.chance(80));
  return Object.fromEntries(tables.map((table) => [table, request(random, table, method)]));
}

function request(random: Random, table: string, method: string): JsonObject {
  const kinds = ['initial', 'insert', 'delete', 'modify'].filter(() => random.chance(15));
  const select = kinds.length > 0 && {
    select: Object.fromEntries(kinds.map((kind) => [kind, false])),
  };
  const columns = random.chance(60) && { columns: stored(table).filter(() => random.chance(40)) };
  const where = method !== 'monitor' && random.chance(70) && { where: condition(random, table) };
  return { ...select, ...columns, ...where };
}

function change(random: Random): JsonObject {
  const table = random.pick(['All', 'All', 'Child']);
  return { [table]: [{ where: condition(random, table) }] };
}

function condition(random: Random, table: string): Json[] {
  if (random.chance(20)) return random.pick<Json[]>([[], [false], [true]]);
  const clauses: Json[][] = [['i', random.pick(['<', '>=', '!=', '==']), random.below(5)]];
  if (table === 'All') {
    clauses.push(['is', random.pick(['includes', 'excludes']), ['set', [random.below(4)]]]);
    clauses.push(['ms', 'includes', ['map', [['a', random.pick(['', 'a', 'ab'])]]]]);
    clauses.push(['s', '==', random.pick(['a', 'ab', ''])]);
  }
  if (table === 'Leaf') return [['n', '==', random.below(4)]];
  return clauses.filter(() => random.chance(50));
}

/** What does not depend on random UUIDs, on hash tables' order, and on which of several faults is told. */
function comparable(messages: Json): Json {
  const json = JSON.parse(formatJson(messages).replace(RANDOM_UUID, 'random'), (name, value) => {
    if (name === '_version') return undefined;
    if (value?.error && value.details) return 'failed';
    if (typeof value === 'number' && !Number.isInteger(value)) return Number(value.toPrecision(15));
    return name === 'rows' ? sorted(value) : value;
  });
  return sorted((Array.isArray(json) ? json : [json]).filter(tellsSomething));
}

/** Stock tells of a row in which nothing changed that was asked for, when it shares work between monitors. */
function tellsSomething(message: JsonObject): boolean {
  if (!String(message.method).startsWith('update')) return true;
  const tables = (message.params as Json[]).at(-1) as Record<string, Record<string, JsonObject>>;
  for (const [name, rows] of Object.entries(tables)) {
    for (const [uuid, row] of Object.entries(rows)) {
      if (isEmpty(row.modify ?? row.old) && !('new' in row && !isEmpty(row.old))) delete rows[uuid];
    }
    if (isEmpty(rows)) delete tables[name];
  }
  return !isEmpty(tables);
}

const isEmpty = (json: Json | undefined): boolean =>
  typeof json === 'object' && json !== null && Object.keys(json).length === 0;

const sorted = (list: Json[]): Json[] =>
  list
    .map((each) => [formatJson(each, { sorted: true }), each] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, each]) => each);

/** Not those that transactions choose. */
const RANDOM_UUID = /(?!0000000\d-)\b[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}/g;

function parsed(text: string): Json {
  expect(text).toMatch(/^\[/);
  return JSON.parse(text);
}
