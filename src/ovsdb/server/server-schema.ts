/**
 * The `_Server` database, in which each server tells what databases it has:
 * ovsdb-server(5). It exists in memory alone, and only the server writes it.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { parseSchema } from '../data/schema.ts';

export const SERVER_DATABASE = '_Server';

const optional = (key: Json): JsonObject => ({ key, min: 0 });

const MODELS: Json = ['set', ['clustered', 'relay', 'standalone']];

/** The checksum is that of the published schema file, and so as stock's. */
export const serverSchema = parseSchema({
  name: SERVER_DATABASE,
  version: '1.2.0',
  cksum: '3009684573 744',
  tables: {
    Database: {
      columns: {
        name: { type: 'string' },
        model: { type: { key: { type: 'string', enum: MODELS } } },
        connected: { type: 'boolean' },
        leader: { type: 'boolean' },
        schema: { type: optional('string') },
        cid: { type: optional('uuid') },
        sid: { type: optional('uuid') },
        index: { type: optional('integer') },
      },
    },
  },
});

/** The operation that adds a database's row. */
export function insertDatabase(name: string, schema: string): JsonObject {
  const row = { name, model: 'standalone', schema, connected: true, leader: true };
  return { op: 'insert', table: 'Database', row };
}

/** The operation that removes it. */
export function deleteDatabase(name: string): JsonObject {
  return { op: 'delete', table: 'Database', where: [['name', '==', name]] };
}
