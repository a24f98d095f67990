/**
 * Servers to test: ours, in this process, and a stock one beside it, each in a
 * temporary directory with a database file and a socket; and clients that send
 * and get JSON as it is.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { formatJson, JsonStream } from '../../../src/lib/json-text.ts';
import type { RpcLog } from '../../../src/ovsdb/rpc/log.ts';
import { createDatabase } from '../../../src/ovsdb/server/database-file.ts';
import { Service } from '../../../src/ovsdb/server/service.ts';

/** Where Open vSwitch's programs keep their files, for a test. */
export class Sandbox {
  readonly dir: string = mkdtempSync(path.join(tmpdir(), 'tapflow-server-'));

  get env(): NodeJS.ProcessEnv {
    const names = ['OVS_RUNDIR', 'OVS_DBDIR', 'OVS_LOGDIR', 'OVS_SYSCONFDIR'];
    const dirs = Object.fromEntries(names.map((name) => [name, this.dir]));
    return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, ...dirs };
  }

  file(name: string): string {
    return path.join(this.dir, name);
  }

  /** Runs a program to its end. @returns what it printed, errors included */
  run(program: string, ...args: string[]): string {
    const { stdout, stderr, error } = spawnSync(program, args, {
      env: this.env,
      encoding: 'utf8',
      timeout: 20_000,
    });
    if (error !== undefined) throw error;
    return stdout + stderr;
  }

  /** As `run`, while this process goes on: for programs that speak with it. */
  async start(program: string, ...args: string[]): Promise<string> {
    const child = spawn(program, args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece) => (text += piece));
    await new Promise((resolve, reject) => {
      child.once('close', resolve);
      child.once('error', reject);
    });
    return text;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Ours, in this process. */
export class OurServer {
  readonly sandbox = new Sandbox();
  readonly lines: string[] = [];
  readonly service: Service;
  readonly #clients: RawClient[] = [];

  constructor(clock = systemClock) {
    const log: RpcLog = (level, line) => this.lines.push(`${level} ${line}`);
    this.service = new Service({ clock, runDir: this.sandbox.dir, log: () => log });
  }

  static async start(schema: JsonObject): Promise<OurServer> {
    const server = new OurServer();
    await createDatabase(server.sandbox.file('db'), schema);
    await server.open();
    return server;
  }

  /** Serves the file `db` at the socket `sock`. */
  async open(): Promise<void> {
    await this.service.addDatabase(this.sandbox.file('db'));
    await this.service.start(['punix:sock'], {});
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.sandbox.file('sock'));
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.service.close();
    this.sandbox.remove();
  }
}

/** Stock, in a process of its own. */
export class StockServer {
  readonly sandbox = new Sandbox();
  readonly #clients: RawClient[] = [];
  #child: ChildProcess | undefined;

  static async start(schemaFile: (sandbox: Sandbox) => string): Promise<StockServer> {
    const server = new StockServer();
    server.sandbox.run(
      'ovsdb-tool',
      'create',
      server.sandbox.file('db'),
      schemaFile(server.sandbox),
    );
    await server.open();
    return server;
  }

  async open(): Promise<void> {
    const { sandbox } = this;
    const options = ['--no-chdir', '-vconsole:off', '-vsyslog:off', '-vfile:off'];
    const paths = [`--unixctl=${sandbox.file('ctl')}`, `--remote=punix:${sandbox.file('sock')}`];
    this.#child = spawn('ovsdb-server', [...options, ...paths, sandbox.file('db')], {
      env: sandbox.env,
      stdio: 'ignore',
    });
    for (let tries = 0; !existsSync(sandbox.file('sock')); tries++) {
      if (tries > 500) throw new Error('no socket of ovsdb-server in 10 s');
      await delay(20);
    }
  }

  appctl(...args: string[]): string {
    return this.sandbox.run('ovs-appctl', '-t', this.sandbox.file('ctl'), ...args);
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.sandbox.file('sock'));
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    const child = this.#child;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child?.kill('SIGKILL');
    await ended;
    this.sandbox.remove();
  }
}

/** Sends what it is told, well formed or not, and keeps what comes. */
export class RawClient {
  readonly socket: net.Socket;
  isClosed = false;
  readonly #incoming = new JsonStream({ maxBytes: 1 << 30 });
  #messages: JsonObject[] = [];
  #arrived: () => void = () => {};
  #lastId = 0;

  /** @param ms how long to try */
  static async connect(file: string, ms = 1000): Promise<RawClient> {
    for (let tries = 0; ; tries++) {
      const socket = net.connect(file);
      try {
        await new Promise((resolve, reject) => {
          socket.once('connect', () => resolve(undefined));
          socket.once('error', reject);
        });
        return new RawClient(socket);
      } catch (error) {
        // A server binds a moment before it listens.
        if (tries * 10 >= ms) throw error;
        await delay(10);
      }
    }
  }

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (piece) => {
      for (const json of this.#incoming.feed(piece)) this.#messages.push(json as JsonObject);
      this.#arrived();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#arrived();
    });
  }

  send(message: Json): void {
    this.socket.write(formatJson(message));
  }

  /** Sends a request. @returns all that comes up to its answer, which is last */
  async ask(
    method: string,
    params: readonly Json[],
    id: Json = ++this.#lastId,
  ): Promise<JsonObject[]> {
    this.send({ method, params, id });
    return this.until((message) => formatJson(message.id) === formatJson(id));
  }

  /** @returns the answer's result. @throws Error if it is an error */
  async request(method: string, params: readonly Json[]): Promise<Json> {
    const answer = (await this.ask(method, params)).at(-1);
    if (answer === undefined || !('result' in answer)) throw new Error(formatJson(answer ?? null));
    return answer.result;
  }

  /** @returns what came up to this message, which is last */
  async until(isIt: (message: JsonObject) => boolean): Promise<JsonObject[]> {
    for (;;) {
      const at = this.#messages.findIndex(isIt);
      if (at >= 0) return this.#messages.splice(0, at + 1);
      if (this.isClosed) throw new Error('the server closed the connection');
      await this.#next();
    }
  }

  /** What has come and was not asked for, once the server has done all that was sent to it. */
  async rest(): Promise<JsonObject[]> {
    return (await this.ask('list_dbs', [])).slice(0, -1);
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await this.#next();
  }

  close(): void {
    this.socket.destroy();
  }

  async #next(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came in 10 s')), 10_000);
      this.#arrived = () => {
        clearTimeout(timer);
        this.#arrived = () => {};
        resolve();
      };
    });
  }
}
