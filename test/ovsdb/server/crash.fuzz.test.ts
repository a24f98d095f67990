/**
 * What a client was told is done is there after kill -9, and nothing is there
 * of which others were not told in order. A few kills in each test run; 200 at
 * least, and as long as it says, with TAPFLOW_FUZZ_SECONDS.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { createDatabase } from '../../../src/ovsdb/server/database-file.ts';
import { unixctlRequest } from '../../../src/unixctl/client.ts';
import { Daemon } from './daemon.ts';
import { type RawClient, Sandbox } from './servers.ts';

const SECONDS = Number(process.env.TAPFLOW_FUZZ_SECONDS ?? 0);
const KILLS = SECONDS > 0 ? 200 : 4;
const CLIENTS = 4;

const SCHEMA: JsonObject = {
  name: 'Test',
  tables: { Number: { columns: { client: { type: 'integer' }, n: { type: 'integer' } } } },
};

it('a server killed at any moment has all that it acknowledged', {
  timeout: (SECONDS + 300) * 1000,
}, async () => {
  const end = performance.now() + SECONDS * 1000;
  for (let kills = 0; kills < KILLS || performance.now() < end; ) {
    // Begun anew at times, as a file that grows for ever slows the test down.
    const sandbox = new Sandbox();
    try {
      await createDatabase(sandbox.file('db'), SCHEMA);
      const acknowledged = Array.from({ length: CLIENTS }, () => 0);
      for (
        const last = kills + 20;
        kills < Math.min(last, KILLS) || (kills < last && performance.now() < end);
        kills++
      ) {
        await killOnce(sandbox, acknowledged);
      }
    } finally {
      sandbox.remove();
    }
  }
});

async function killOnce(sandbox: Sandbox, acknowledged: number[]): Promise<void> {
  const daemon = await Daemon.serve(sandbox);
  try {
    const reader = await daemon.connect();
    for (const [client, n] of acknowledged.entries()) {
      const found = await numbersOf(reader, client);
      expect(found).toEqual([...found.keys()].map((at) => at + 1));
      expect(found.length).toBeGreaterThanOrEqual(n);
      // Written, but its answer did not come through.
      acknowledged[client] = found.length;
    }
    const writers = await Promise.all(acknowledged.map(() => daemon.connect()));
    const writing = writers.map((writer, client) => write(writer, client, acknowledged));
    await delay(Math.random() * 100);
    // And at any moment of a compaction.
    if (Math.random() < 0.5) {
      unixctlRequest(sandbox.file('ctl'), 'ovsdb-server/compact').catch(() => {});
      await delay(Math.random() * 10);
    }
    daemon.child.kill('SIGKILL');
    await Promise.all(writing);
    reader.close();
  } finally {
    await daemon.stop('SIGKILL');
  }
}

/** One after the other, until the server is gone; every third durable. */
async function write(writer: RawClient, client: number, acknowledged: number[]): Promise<void> {
  try {
    for (let n = acknowledged[client] + 1; ; n++) {
      const insert = { op: 'insert', table: 'Number', row: { client, n } };
      const operations: Json[] = [insert, { op: 'commit', durable: n % 3 === 0 }];
      await writer.request('transact', ['Test', ...operations]);
      acknowledged[client] = n;
    }
  } catch {
    // Killed.
  }
}

async function numbersOf(reader: RawClient, client: number): Promise<number[]> {
  const where = [['client', '==', client]];
  const select = { op: 'select', table: 'Number', where, columns: ['n'], sort: ['n'] };
  const [result] = (await reader.request('transact', ['Test', select])) as JsonObject[];
  const rows = result.rows as unknown as { n: number }[];
  return rows.map(({ n }) => n).sort((a, b) => a - b);
}
