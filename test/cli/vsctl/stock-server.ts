/** A stock ovsdb-server with an empty Open_vSwitch database, in a temporary directory, and a client to look into it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../../src/lib/json.ts';
import { formatJson } from '../../../src/lib/json-text.ts';
import { RpcClient } from '../../../src/ovsdb/rpc/client.ts';
import { connectStream } from '../../../src/ovsdb/rpc/connect.ts';
import { openVswitchSchema, tables } from '../../../src/schema/schema.ts';

const PATH = `${process.env.PATH}:/usr/sbin`;
const PROGRAMS = ['ovsdb-tool', 'ovsdb-server', 'ovs-vsctl'];

/** Why it cannot run here, if it cannot. */
export function stockMissing(): string | undefined {
  const isThere = (name: string) => PATH.split(':').some((dir) => existsSync(join(dir, name)));
  const missing = PROGRAMS.filter((name) => !isThere(name));
  const reason = missing.length > 0 ? `${missing.join(', ')} not installed` : undefined;
  if (reason !== undefined && process.env.TAPFLOW_REQUIRE_SYSTEM === '1') {
    throw new Error(`TAPFLOW_REQUIRE_SYSTEM is set, but ${reason}`);
  }
  return reason;
}

export type Rows = Readonly<Record<string, Json>>[];

export class StockServer {
  readonly dir = mkdtempSync(join(tmpdir(), 'tapflow-vsctl-'));
  readonly remote = `unix:${join(this.dir, 'db.sock')}`;
  #server: ChildProcess | undefined;
  #client: RpcClient | undefined;

  async start(): Promise<void> {
    const { dir } = this;
    writeFileSync(join(dir, 'schema'), formatJson(openVswitchSchema));
    const env = { ...process.env, PATH, OVS_RUNDIR: dir, OVS_DBDIR: dir, OVS_LOGDIR: dir };
    execFileSync('ovsdb-tool', ['create', join(dir, 'db'), join(dir, 'schema')], { env });
    const args = [
      ...['--no-chdir', '-vconsole:off', '-vsyslog:off', '-vfile:off'],
      ...[`--unixctl=${join(dir, 'ctl')}`, `--remote=p${this.remote}`, join(dir, 'db')],
    ];
    this.#server = spawn('ovsdb-server', args, { env, stdio: 'ignore' });
    for (let tries = 0; !existsSync(join(dir, 'db.sock')); tries++) {
      if (tries > 500) throw new Error('no socket of ovsdb-server in 10 s');
      await delay(20);
    }
    await new Promise<void>((connected) => {
      const open = () => connectStream({ kind: 'unix', path: join(dir, 'db.sock') });
      this.#client = new RpcClient(open, { name: this.remote }, { connected });
    });
  }

  /** The results of a transaction. */
  async transact(...operations: Json[]): Promise<readonly Json[]> {
    const results = await this.#client?.request('transact', ['Open_vSwitch', ...operations]);
    return results as readonly Json[];
  }

  /** Deletes everything; what a first `ovs-vsctl init` would make is left to make. */
  async clear(): Promise<void> {
    await this.transact(...TABLES.map((table) => ({ op: 'delete', table, where: [] })));
  }

  /** All rows by table, with `_uuid` and without `_version`. */
  async dump(): Promise<ReadonlyMap<string, Rows>> {
    const results = await this.transact(
      ...TABLES.map((table) => ({
        op: 'select',
        table,
        where: [],
        columns: ['_uuid', ...Object.keys(tables[table].columns)],
      })),
    );
    return new Map(TABLES.map((table, i) => [table, (results[i] as { rows: Rows }).rows]));
  }

  /** Of the transactions in the database's log. */
  comments(): string[] {
    const lines = readFileSync(join(this.dir, 'db'), 'utf8').split('\n');
    const records = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    return records.flatMap(({ _comment }) => (_comment === undefined ? [] : [_comment]));
  }

  async stop(): Promise<void> {
    this.#client?.close();
    const server = this.#server;
    if (server !== undefined && server.exitCode === null) {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const TABLES = Object.keys(tables) as (keyof typeof tables)[];
