/**
 * A stock ovsdb-server to compare with: in a temporary directory, reached over
 * its socket, without root.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { formatJson, parseJson } from '../../../src/lib/json-text.ts';

const PROGRAMS = ['ovsdb-tool', 'ovsdb-server'];
const PATH = `${process.env.PATH}:/usr/sbin`;

/** Why it cannot run here, if it cannot. */
export function stockMissing(): string | undefined {
  const isThere = (name: string) => PATH.split(':').some((dir) => existsSync(join(dir, name)));
  const missing = PROGRAMS.filter((name) => !isThere(name));
  return missing.length > 0 ? `${missing.join(', ')} not installed` : undefined;
}

export class StockDatabase {
  readonly #dir = mkdtempSync(join(tmpdir(), 'tapflow-ovsdb-'));
  readonly #name: string;
  readonly #server: ChildProcess;
  #socket: Socket | undefined;
  #text = '';
  #answer: ((text: string) => void) | undefined;

  /** @param records what stands in the database file from the start */
  constructor(schema: JsonObject, records: readonly Json[] = []) {
    this.#name = String(schema.name);
    writeFileSync(this.#path('schema'), formatJson(schema));
    this.#tool('create', this.#path('db'), this.#path('schema'));
    for (const record of records) appendFileSync(this.#path('db'), fileText(record));
    this.#server = spawn(
      'ovsdb-server',
      [
        '--no-chdir',
        '-vconsole:off',
        '-vsyslog:off',
        '-vfile:off',
        `--unixctl=${this.#path('ctl')}`,
        `--remote=punix:${this.#path('sock')}`,
        this.#path('db'),
      ],
      { env: this.#env, stdio: 'ignore' },
    );
  }

  /** What ovsdb-tool says is wrong with a schema, undefined if nothing is. */
  static refusal(schema: Json): string | undefined {
    const dir = mkdtempSync(join(tmpdir(), 'tapflow-ovsdb-'));
    try {
      writeFileSync(join(dir, 'schema'), formatJson(schema));
      const args = ['create', join(dir, 'db'), join(dir, 'schema')];
      const env = { ...process.env, PATH, OVS_RUNDIR: dir };
      execFileSync('ovsdb-tool', args, { env, encoding: 'utf8', stdio: 'pipe' });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  async start(): Promise<void> {
    for (let tries = 0; !existsSync(this.#path('sock')); tries++) {
      if (tries > 500) throw new Error('no socket of ovsdb-server in 10 s');
      await delay(20);
    }
    const socket = createConnection(this.#path('sock'));
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#received(text));
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    this.#socket = socket;
  }

  /** The results of a transaction. */
  transact(operations: readonly Json[]): Promise<Json> {
    return this.request('transact', [this.#name, ...operations]);
  }

  async request(method: string, params: readonly Json[]): Promise<Json> {
    const answer = new Promise<string>((resolve) => {
      this.#answer = resolve;
    });
    this.#socket?.write(formatJson({ id: 0, method, params }));
    const { result, error } = parseJson(await answer) as JsonObject;
    if (error !== null) throw new Error(`${method}: ${formatJson(error)}`);
    return result;
  }

  /** What stands in the database file after the schema. */
  records(): Json[] {
    const lines = readFileSync(this.#path('db'), 'utf8').split('\n');
    const texts = lines.filter((line) => line.startsWith('{'));
    return texts.slice(1).map((text) => parseJson(text));
  }

  async stop(): Promise<void> {
    this.#socket?.destroy();
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    this.#server.kill('SIGKILL');
    await ended;
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** An answer is one JSON object, sent without a delimiter. */
  #received(text: string): void {
    this.#text += text;
    if (!isWhole(this.#text)) return;
    const whole = this.#text;
    this.#text = '';
    this.#answer?.(whole);
  }

  #path(name: string): string {
    return join(this.#dir, name);
  }

  get #env(): NodeJS.ProcessEnv {
    const dirs = ['OVS_RUNDIR', 'OVS_DBDIR', 'OVS_LOGDIR', 'OVS_SYSCONFDIR'];
    return { ...process.env, PATH, ...Object.fromEntries(dirs.map((name) => [name, this.#dir])) };
  }

  #tool(...args: string[]): string {
    return execFileSync('ovsdb-tool', args, { env: this.#env, encoding: 'utf8', stdio: 'pipe' });
  }
}

/** ovsdb(5) */
function fileText(record: Json): string {
  const text = `${formatJson(record)}\n`;
  const hash = createHash('sha1').update(text).digest('hex');
  return `OVSDB JSON ${Buffer.byteLength(text)} ${hash}\n${text}`;
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
