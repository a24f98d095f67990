/**
 * `ovsdb-client wait`: until a server has a database, or has it no more. It
 * tries until the server is there, and lets the server do the waiting.
 */

import type { Vlog } from '../../daemon/vlog.ts';
import { persistentClock } from '../../lib/clock.ts';
import { TapflowError } from '../../lib/error.ts';
import { isArray, isObject, type Json } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { RpcClient } from '../../ovsdb/rpc/client.ts';
import type { StreamOpener } from '../../ovsdb/rpc/session.ts';

export interface WaitSettings {
  remote: string;
  open: StreamOpener;
  database: string;
  state: string;
  vlog: Vlog;
}

/** @throws TapflowError USAGE, WAIT */
export function waitForState({ remote, open, database, state, vlog }: WaitSettings): Promise<void> {
  const operation = waitOperation(database, state);
  const log = vlog.module('reconnect');
  return new Promise((resolve, reject) => {
    const ask = () => {
      client.request('set_db_change_aware', [true]).catch(() => {});
      client.request('transact', ['_Server', operation]).then(
        (results) => {
          const failure = isArray(results) ? results.find(isError) : results;
          client.close();
          if (failure === undefined) resolve();
          else reject(new TapflowError('WAIT', `wait failed: ${formatJson(failure)}`));
        },
        (error) => {
          // Else the connection is lost, and there will be another.
          if (error.code === 'DISCONNECTED') return;
          client.close();
          reject(error);
        },
      );
    };
    const client = new RpcClient(
      open,
      { name: remote, clock: persistentClock, log: (level, line) => log[level](line) },
      { connected: ask },
    );
  });
}

const isError = (result: Json): boolean => isObject(result) && result.error !== undefined;

function waitOperation(database: string, state: string): Json {
  const where: Json[] = [['name', '==', database]];
  if (state === 'connected') where.push(['connected', '==', true]);
  else if (state !== 'added' && state !== 'removed') {
    throw new TapflowError('USAGE', `${state}: unknown state`);
  }
  const rows = state === 'removed' ? [] : [{}];
  return { op: 'wait', table: 'Database', where, columns: [], until: '==', rows };
}
