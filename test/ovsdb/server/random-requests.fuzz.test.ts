/**
 * Requests that are nearly right, at random: each is answered, with a result or
 * an error, and the server goes on. Longer with TAPFLOW_FUZZ_SECONDS.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { SCHEMA } from '../database/random-transactions.ts';
import { OurServer } from './servers.ts';

const SECONDS = Number(process.env.TAPFLOW_FUZZ_SECONDS ?? 0);

const METHODS = [
  'transact',
  'transact',
  'transact',
  'monitor',
  'monitor_cond',
  'monitor_cond_since',
];
const OTHERS = ['monitor_cond_change', 'monitor_cancel', 'lock', 'steal', 'unlock', 'get_schema'];
const MORE = ['list_dbs', 'set_db_change_aware', 'get_server_id', 'echo', 'cancel', 'convert', ''];
const OPS = [
  'insert',
  'select',
  'update',
  'mutate',
  'delete',
  'wait',
  'commit',
  'abort',
  'comment',
  'assert',
];
const MEMBERS = [
  'op',
  'table',
  'row',
  'where',
  'columns',
  'mutations',
  'rows',
  'until',
  'timeout',
  'uuid',
  'uuid-name',
];
const REST = [
  'durable',
  'comment',
  'lock',
  'sort',
  'select',
  'initial',
  '__proto__',
  'constructor',
  '',
];
const WORDS = [
  'All',
  'Child',
  'Need',
  'name',
  'i',
  'is',
  'ms',
  'friend',
  '_uuid',
  '_version',
  'map',
  'set',
  'uuid',
];
const SIGNS = [
  'named-uuid',
  '==',
  '!=',
  '<',
  'includes',
  'excludes',
  '+=',
  '%=',
  'insert',
  'delete',
  'x',
  'toString',
];

const word = fc.constantFrom(...WORDS, ...SIGNS, ...OPS, '00000000-1111-4222-8333-000000000001');
const atom = fc.oneof(
  word,
  fc.integer(),
  fc.constantFrom(0.5, -1.25, 1e10, 3e20, 1e300, 2 ** 53),
  fc.boolean(),
  fc.constant(null),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    atom,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.tuple(word, word, tie('value')),
    fc.tuple(fc.constantFrom('set', 'map', 'uuid', 'named-uuid'), tie('value')),
    fc.dictionary(fc.oneof(word, fc.constantFrom(...MEMBERS, ...REST)), tie('value'), {
      maxKeys: 5,
    }),
  ),
}));
const table = fc.constantFrom('All', 'Child', 'Leaf', 'Need');
const operation: fc.Arbitrary<JsonObject> = fc.record(
  {
    op: fc.constantFrom(...OPS),
    table,
    where: fc.array(value, { maxLength: 3 }),
    row: fc.dictionary(word, value, { maxKeys: 4 }),
    rows: fc.array(value, { maxLength: 2 }),
    columns: fc.array(word, { maxLength: 3 }),
    mutations: fc.array(value, { maxLength: 3 }),
    until: fc.constantFrom('==', '!='),
    timeout: fc.constantFrom(0, 1, -1, 0.5),
    lock: word,
    durable: fc.boolean(),
    comment: word,
  },
  { requiredKeys: ['op'] },
);
const request = fc.tuple(
  fc.constantFrom(...METHODS, ...OTHERS, ...MORE),
  fc.oneof(
    fc.array(value, { maxLength: 5 }),
    fc
      .array(fc.oneof(operation, value), { maxLength: 4 })
      .map((operations): Json[] => ['Test', ...operations]),
    fc.tuple(fc.constant('Test'), atom, fc.dictionary(table, fc.oneof(value, fc.array(operation)))),
  ),
);

it('requests at random are answered, all of them', { timeout: (SECONDS + 60) * 1000 }, async () => {
  const server = await OurServer.start(SCHEMA);
  try {
    const property = fc.asyncProperty(fc.array(request, { maxLength: 20 }), async (requests) => {
      const client = await server.connect();
      const ids = requests.map((_, n) => `request ${n}`);
      for (const [n, [method, params]] of requests.entries()) {
        client.send({ id: ids[n], method, params });
      }
      // What waits without a timeout is not answered otherwise.
      for (const id of ids) client.send({ id: null, method: 'cancel', params: [id] });
      const answers = (await client.rest()).filter(({ method }) => method === undefined);
      expect(answers.map(({ id }) => id).sort()).toEqual(ids.sort());
      for (const answer of answers)
        expect('result' in answer || answer.error !== undefined).toBe(true);
    });
    const limits =
      SECONDS > 0 ? { interruptAfterTimeLimit: SECONDS * 1000, numRuns: 1e9 } : { numRuns: 150 };
    await fc.assert(property, limits);
  } finally {
    await server.stop();
  }
});
