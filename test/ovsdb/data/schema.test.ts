/** Schemas from JSON and back, and what stock's ovsdb-tool says about the same faults. */
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { parseSchema, schemaToJson } from '../../../src/ovsdb/data/schema.ts';
import { SCHEMA } from '../database/random-transactions.ts';
import { StockDatabase, stockMissing } from '../database/stock-database.ts';

const withColumns = (columns: Json, table: JsonObject = {}): JsonObject => ({
  name: 'Test',
  tables: { T: { columns, ...table } },
});
const withType = (type: Json): JsonObject => withColumns({ c: { type } });
const withKey = (key: Json): JsonObject => withType({ key });

describe('a schema', () => {
  it('comes out of its JSON and goes back to it', () => {
    const schema = parseSchema(SCHEMA);
    expect(schemaToJson(schema)).toEqual(SCHEMA_AS_PRINTED);
    expect(schemaToJson(parseSchema(schemaToJson(schema)))).toEqual(SCHEMA_AS_PRINTED);
  });

  it('has _uuid and _version in each table', () => {
    const columns = parseSchema(withType('integer')).tables.get('T')?.columns;
    expect([...(columns?.keys() ?? [])]).toEqual(['_uuid', '_version', 'c']);
    expect(columns?.get('_uuid')).toMatchObject({
      mutable: false,
      type: { key: { type: 'uuid' } },
    });
  });

  it('without a root table has only root tables', () => {
    expect(parseSchema(withType('integer')).tables.get('T')?.isRoot).toBe(true);
    const child = parseSchema(SCHEMA).tables.get('Child');
    expect(child?.isRoot).toBe(false);
  });

  it('makes columns with weak references mutable', () => {
    const type = { key: { type: 'uuid', refTable: 'T', refType: 'weak' }, min: 0 };
    const schema = parseSchema(withColumns({ c: { type, mutable: false } }));
    expect(schema.tables.get('T')?.columns.get('c')?.mutable).toBe(true);
  });
});

const FAULTS: readonly [Json, string][] = [
  [7, 'Parsing database schema failed: Object expected.'],
  [{ name: 'x' }, "Parsing database schema failed: Required 'tables' member is missing."],
  [{ name: '9', tables: {} }, "Parsing database schema failed: Type mismatch for member 'name'."],
  [
    { name: 'x', tables: {}, a: 1 },
    "Parsing database schema failed: Member 'a' is present but not allowed here.",
  ],
  [{ name: 'x', tables: {}, version: '1.2' }, 'schema version "1.2" not in format x.y.z'],
  [{ name: 'x', tables: { _t: {} } }, 'names beginning with "_" are reserved'],
  [{ name: 'x', tables: { 'a-b': {} } }, 'name must be a valid id'],
  [withColumns({}), 'table must have at least one column'],
  [withColumns({ _c: { type: 'integer' } }), 'names beginning with "_" are reserved'],
  [withColumns({ c: { type: 'integer' } }, { maxRows: 0 }), 'maxRows must be at least 1'],
  [
    withColumns({ c: { type: 'integer' } }, { indexes: [[]] }),
    'index must have at least one column',
  ],
  [withColumns({ c: { type: 'integer' } }, { indexes: [['d']] }), 'd is not a valid column name'],
  [
    withColumns({ c: { type: 'integer' } }, { indexes: [['c', 'c']] }),
    'array of distinct column names expected',
  ],
  [
    withColumns({ c: { type: 'integer', ephemeral: true } }, { indexes: [['c']] }),
    'ephemeral columns (such as c) may not be indexed',
  ],
  [
    withColumns({ c: {} }),
    "Parsing schema for column c failed: Required 'type' member is missing.",
  ],
  [withType('int'), '"int" is not an atomic-type'],
  [withType({ key: 'integer', min: 2 }), 'ovsdb type fails constraint checks'],
  [withType({ key: 'integer', max: 0 }), 'ovsdb type fails constraint checks'],
  [withType({ key: 'integer', max: 'many' }), 'bad min or max value'],
  [withType({ key: 'integer', min: -1 }), 'bad min or max value'],
  [
    withKey({ type: 'integer', minInteger: 2, maxInteger: 1 }),
    'Parsing ovsdb type failed: minInteger exceeds maxInteger',
  ],
  [
    withKey({ type: 'real', minReal: 2.5, maxReal: 1 }),
    'Parsing ovsdb type failed: minReal exceeds maxReal',
  ],
  [
    withKey({ type: 'string', minLength: 2, maxLength: 1 }),
    'Parsing ovsdb type failed: minLength exceeds maxLength',
  ],
  [withKey({ type: 'string', minLength: -1 }), 'minLength out of valid range 0 to 4294967295'],
  [
    withKey({ type: 'string', minInteger: 1 }),
    "Parsing ovsdb type failed: Member 'minInteger' is present but not allowed here.",
  ],
  [
    withKey({ type: 'integer', enum: ['set', []] }),
    'set must have 1 to 4294967295 members but 0 are present',
  ],
  [withKey({ type: 'integer', enum: ['set', ['a']] }), 'expected integer'],
  [
    withKey({ type: 'uuid', refTable: 'T', refType: 'soft' }),
    'Parsing ovsdb type failed: refType must be "strong" or "weak" (not "soft")',
  ],
  [withKey({ type: 'uuid', refTable: 'U' }), 'column c key refers to undefined table U'],
];

describe('a fault in a schema', () => {
  it.each(FAULTS)('%j is told', (json, details) => {
    expect(() => parseSchema(json)).toThrow(`syntax error: ${details}`);
  });

  const isSkipped = stockMissing() !== undefined;
  it.skipIf(isSkipped)('is told in the words of stock ovsdb-tool (skipped without it)', () => {
    // A schema that is no object or array is refused by the JSON parser.
    for (const [json, details] of FAULTS.slice(1)) {
      expect(StockDatabase.refusal(json), JSON.stringify(json)).toContain(
        details.split('failed: ').at(-1),
      );
    }
  });
});

/** Without what is the default anyway. */
const SCHEMA_AS_PRINTED: unknown = JSON.parse(JSON.stringify(SCHEMA), (name, value) =>
  (name === 'min' || name === 'max') && value === 1 ? undefined : value,
);
