/**
 * The database's schema, by which names on the command line are understood
 * before any server is asked. Loaded when it is needed, as a command line that
 * is wrong needs none.
 */
import { type DatabaseSchema, parseSchema } from '../../ovsdb/data/schema.ts';

export async function loadSchema(): Promise<DatabaseSchema> {
  const { openVswitchSchema } = await import('../../schema/schema.ts');
  return parseSchema(openVswitchSchema);
}
