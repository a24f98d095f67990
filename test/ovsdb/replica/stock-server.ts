/**
 * A stock ovsdb-server on a database file in a temporary directory, which can
 * be killed and started anew: for clients of ours, and to compare them with
 * stock ones.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../../src/lib/json.ts';
import { formatJson } from '../../../src/lib/json-text.ts';
import { connectStream } from '../../../src/ovsdb/rpc/connect.ts';
import type { StreamOpener } from '../../../src/ovsdb/rpc/session.ts';

export class StockServer {
  readonly dir = mkdtempSync(join(tmpdir(), 'tapflow-replica-'));
  readonly socket = join(this.dir, 'db.sock');
  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${process.env.PATH}:/usr/sbin`,
    OVS_RUNDIR: this.dir,
    OVS_LOGDIR: this.dir,
    OVS_DBDIR: this.dir,
    OVS_SYSCONFDIR: this.dir,
  };
  readonly #files: string[] = [];
  readonly #options: readonly string[];
  #server: ChildProcess | undefined;

  constructor(schemas: readonly JsonObject[], options: readonly string[] = []) {
    this.#options = options;
    for (const schema of schemas) this.create(schema);
  }

  /** Makes a database file, for the next start. */
  create(schema: JsonObject): void {
    const file = join(this.dir, `${String(schema.name)}.db`);
    writeFileSync(join(this.dir, 'schema'), formatJson(schema));
    rmSync(file, { force: true });
    this.run('ovsdb-tool', 'create', file, join(this.dir, 'schema'));
    if (!this.#files.includes(file)) this.#files.push(file);
  }

  run(program: string, ...args: string[]): string {
    return execFileSync(program, args, { env: this.env, encoding: 'utf8', stdio: 'pipe' });
  }

  get open(): StreamOpener {
    return (signal) => connectStream({ kind: 'unix', path: this.socket }, { signal });
  }

  async start(): Promise<void> {
    this.#server = spawn(
      'ovsdb-server',
      [
        '--no-chdir',
        '-vconsole:off',
        '-vsyslog:off',
        '-vfile:off',
        `--unixctl=${join(this.dir, 'ctl')}`,
        `--remote=punix:${this.socket}`,
        ...this.#options,
        ...this.#files,
      ],
      { env: this.env, stdio: 'ignore' },
    );
    for (let tries = 0; !existsSync(this.socket); tries++) {
      if (tries > 1000) throw new Error('no socket of ovsdb-server in 10 s');
      await delay(10);
    }
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const isRunning = server.exitCode === null && server.signalCode === null;
    const ended = isRunning ? once(server, 'exit') : undefined;
    server.kill('SIGKILL');
    await ended;
    rmSync(this.socket, { force: true });
  }

  async destroy(): Promise<void> {
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
