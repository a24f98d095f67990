/**
 * The `status` column of a Manager row (ovs-vswitchd.conf.db(5)): which keys
 * are there, and their texts. A remote that we connect to has the state of its
 * reconnect machine; one that we listen on has its port and how many connected.
 */
import type { ReconnectStatus } from './reconnect.ts';

/** Without what is unknown. Locks are the caller's to add. */
export function sessionStatus(status: ReconnectStatus): Map<string, string> {
  const column = new Map([['state', status.state as string]]);
  if (status.lastError !== undefined) column.set('last_error', status.lastError);
  setSeconds(column, 'sec_since_connect', status.sinceConnect);
  setSeconds(column, 'sec_since_disconnect', status.sinceDisconnect);
  return column;
}

/** @param boundPort undefined for a unix socket */
export function listenerStatus(connections: number, boundPort?: number): Map<string, string> {
  const column = new Map<string, string>();
  if (connections > 1) column.set('n_connections', String(connections));
  if (boundPort !== undefined) column.set('bound_port', String(boundPort));
  return column;
}

function setSeconds(column: Map<string, string>, key: string, ms: number | undefined): void {
  if (ms !== undefined) column.set(key, String(Math.floor(ms / 1000)));
}
