/**
 * What remotes are doing, written into the rows that configure them: columns
 * `is_connected` and `status` (ovs-vswitchd.conf.db(5), table Manager).
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import type { TableSchema } from '../data/schema.ts';
import type { HostedDatabase } from './hosted-database.ts';
import type { OpenRemote } from './open-remote.ts';
import type { ConfiguredRow, Remotes } from './remotes.ts';

/** What has not changed is not written again. */
export function writeRemoteStatus(remotes: Remotes): void {
  const updates = new Map<HostedDatabase, JsonObject[]>();
  for (const configured of remotes.configuredRows()) {
    const remote = remotes.openRemote(configured.target);
    if (remote === undefined) continue;
    const operations = updates.get(configured.database) ?? [];
    updates.set(configured.database, [...operations, updateOf(configured, remote)]);
  }
  for (const [database, operations] of updates) database.write(operations);
}

function updateOf({ row }: ConfiguredRow, remote: OpenRemote): JsonObject {
  const { schema, uuid } = row;
  const values: Record<string, Json> = {};
  if (isOfType(schema, 'is_connected', 'boolean', undefined)) {
    values.is_connected = remote.isConnected();
  }
  if (isOfType(schema, 'status', 'string', 'string')) {
    values.status = ['map', [...remote.status()]];
  }
  const where = [['_uuid', '==', ['uuid', uuid]]];
  return { op: 'update', table: schema.name, where, row: values };
}

function isOfType(
  { columns }: TableSchema,
  name: string,
  key: string,
  value: string | undefined,
): boolean {
  const type = columns.get(name)?.type;
  return type?.key.type === key && type.value?.type === value;
}
