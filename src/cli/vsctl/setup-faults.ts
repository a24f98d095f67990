/** What vswitchd could not set up of the interfaces that a run has added. */
import { directories } from '../../daemon/directories.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import type { Replica } from '../../ovsdb/replica/replica.ts';

/** @returns one line for each, and one more; none when all is well */
export function setupFaults(
  replica: Pick<Replica, 'rows'>,
  interfaces: readonly (string | undefined)[],
): string[] {
  const rows = replica.rows('Interface');
  const faults = interfaces.flatMap((uuid) => faultOf(rows.get(uuid ?? '')));
  if (faults.length === 0) return [];
  return [...faults, `The default log directory is "${directories().log}".`];
}

function faultOf(row: Row | undefined): string[] {
  const [ofport = UNASSIGNED] = row?.get('ofport').keys ?? [];
  if (row === undefined || ofport !== UNASSIGNED) return [];
  const [error = ''] = row.get('error').keys;
  const why = error === '' ? '' : `: ${error}`;
  return [
    `Error detected while setting up '${row.get('name').keys[0]}'${why}.  See ovs-vswitchd log for details.`,
  ];
}

const UNASSIGNED = -1;
