/** Opens database files for the server, and makes new ones. */
import type { Clock } from '../../lib/clock.ts';
import { TapflowError } from '../../lib/error.ts';
import type { JsonObject } from '../../lib/json.ts';
import { native } from '../../native.ts';
import { parseSchema } from '../data/schema.ts';
import { Database } from '../database/database.ts';
import { createLog, openLog } from '../file/log-file.ts';
import type { RpcLog } from '../rpc/log.ts';
import { HostedDatabase } from './hosted-database.ts';

interface OpenOptions {
  readonly clock: Clock;
  readonly log: RpcLog;
}

/**
 * Reads a database, and keeps its file open and locked.
 * @throws TapflowError LOCKED, BAD_RECORD, or errno's name; OvsdbError for a bad schema
 */
export async function openDatabase(
  name: string,
  { clock, log }: OpenOptions,
): Promise<HostedDatabase> {
  const warn = (line: string) => log('warn', line);
  const file = await openLog(name, { lockFile, warn });
  try {
    let database: Database | undefined;
    await file.read((record) => {
      if (database === undefined) database = new Database(parseSchema(record));
      else database.replay(record);
    });
    if (database === undefined) throw new TapflowError('BAD_RECORD', `${name}: no schema`);
    return new HostedDatabase(database, { clock, file, log });
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Makes a database file without rows, durably.
 *
 * @param schema as in a schema file
 * @throws TapflowError EEXIST when there is one already, or errno's name
 */
export async function createDatabase(name: string, schema: JsonObject): Promise<void> {
  parseSchema(schema);
  const log = await createLog(name, schema, { lockFile, warn: () => {} });
  await log.close();
}

const lockFile = (fd: number): number => native().lockFile(fd);
