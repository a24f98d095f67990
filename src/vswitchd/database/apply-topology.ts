/**
 * A topology file, applied by way of the database: one transaction that makes
 * the rows what the file says (topology-operations.ts), after which the switch
 * follows as it follows any change. So whoever configures the switch by the
 * database sees what the file did, and the other way round.
 */
import type { Config } from '../../config/value.ts';
import { TapflowError } from '../../lib/error.ts';
import { isObject, type Json } from '../../lib/json.ts';
import { Edit } from '../../ovsdb/replica/edit.ts';
import type { Replica } from '../../ovsdb/replica/replica.ts';
import type { ApplyReport, Switch } from '../switch.ts';
import type { DatabaseSwitch } from './database-switch.ts';
import { editTopology } from './topology-operations.ts';

export interface Followed {
  readonly switch: Switch;
  readonly database: DatabaseSwitch;
  readonly replica: Replica;
}

/**
 * Resolves when the switch is what the file says, but for what could not be
 * done: that is in the report.
 * @throws TapflowError REFUSED when the database does not take it; nothing has changed then
 */
export async function applyTopology(config: Config, followed: Followed): Promise<ApplyReport> {
  const { switch: sw, database, replica } = followed;
  await ensureRoot(replica);
  const edit = new Edit(replica);
  editTopology(config, edit);
  if (edit.operations().length === 0) return sw.standing();
  const [root] = edit.rows('Open_vSwitch');
  if (root !== undefined) edit.increment('Open_vSwitch', root.uuid, 'next_cfg');
  const done: ApplyReport[] = [];
  const stop = sw.onApplied((report) => done.push(report));
  try {
    const results = await transact(replica, edit.operations());
    await database.inForce(edit.incremented(results) ?? 0);
    const all = <T>(of: (report: ApplyReport) => T[]) => done.flatMap(of);
    const changes = all((report) => report.changes);
    return { ...sw.standing(), changes, warnings: all((report) => report.warnings) };
  } finally {
    stop();
  }
}

/** A new database has no row yet that the others hang on. */
async function ensureRoot(replica: Replica): Promise<void> {
  if (replica.rows('Open_vSwitch').size > 0) return;
  await transact(replica, [{ op: 'insert', table: 'Open_vSwitch', row: {} }]);
}

async function transact(replica: Replica, operations: readonly Json[]): Promise<readonly Json[]> {
  const results = await replica.transact(operations);
  for (const result of results) {
    if (!isObject(result) || result.error === undefined) continue;
    const details = result.details === undefined ? '' : `: ${result.details}`;
    throw new TapflowError('REFUSED', `the database refuses it: ${result.error}${details}`);
  }
  return results;
}
