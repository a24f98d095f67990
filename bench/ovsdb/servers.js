/** Starts ovsdb-server, ours or stock's, on a database file, and looks at what it costs. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {'tapflow' | 'stock'} Kind */
/** @typedef {{ socket: string, pid: number, stop(): Promise<void> }} Server */

const OURS = fileURLToPath(new URL('ours.js', import.meta.url));

/** @type {Record<Kind, string[]>} */
const COMMANDS = { tapflow: [process.execPath, OURS], stock: ['ovsdb-server'] };

/** @returns {Kind[]} those that can run here */
export function kinds() {
  const hasStock = ['/usr/sbin', '/usr/bin'].some((dir) => existsSync(`${dir}/ovsdb-server`));
  return hasStock ? ['tapflow', 'stock'] : ['tapflow'];
}

/**
 * Resolves when it answers.
 *
 * @param {Kind} kind
 * @param {string} content of the database file
 * @returns {Promise<Server & { startMs: number }>}
 */
export async function startServer(kind, content) {
  // Not in memory: what is durable has to reach a disk.
  const dir = mkdtempSync(path.join(process.env.OVSDB_BENCH_DIR ?? tmpdir(), 'tapflow-bench-'));
  writeFileSync(`${dir}/db`, content);
  const socket = `${dir}/sock`;
  const options = ['--unixctl=none', '-vconsole:off', '-vsyslog:off', `--remote=punix:${socket}`];
  const [program, ...args] = COMMANDS[kind];
  const start = performance.now();
  const child = spawn(program, [...args, ...options, `${dir}/db`], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, OVS_RUNDIR: dir },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const client = await connectSoon(socket);
  await client.ask('list_dbs', []);
  const startMs = performance.now() - start;
  client.close();
  return {
    socket,
    pid: Number(child.pid),
    startMs,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true });
    },
  };
}

/** @param {number} pid @returns {number} MB that the process has in memory */
export function residentMb(pid) {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}

/** @param {string} socket */
async function connectSoon(socket) {
  for (;;) {
    try {
      return await Client.connect(socket);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** A client with one request at a time. */
export class Client {
  #socket;
  #text = '';
  /** @type {(reply: any) => void} */
  #answer = () => {};

  /** @param {string} path @returns {Promise<Client>} */
  static async connect(path) {
    const socket = net.connect(path);
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Client(socket);
  }

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (/** @type {string} */ text) => this.#received(text));
  }

  /** @param {string} method @param {unknown[]} params @returns {Promise<any>} the reply's result */
  async ask(method, params) {
    const reply = await this.send(JSON.stringify({ id: 0, method, params }));
    if (reply.error) throw new Error(JSON.stringify(reply.error));
    return reply.result;
  }

  /** @param {string} text of a request @returns {Promise<any>} the reply */
  send(text) {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#socket.write(text);
    });
  }

  /** Takes what comes from now on unread. @param {(text: string) => void} take */
  watch(take) {
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', take);
  }

  close() {
    this.#socket.destroy();
  }

  /** @param {string} text */
  #received(text) {
    this.#text += text;
    // A reply ends with a brace; so may a piece of one.
    if (!text.endsWith('}')) return;
    const reply = parsed(this.#text);
    if (reply === undefined) return;
    this.#text = '';
    this.#answer(reply);
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A record of a database file: ovsdb(5). @param {unknown} json */
export function recordText(json) {
  const text = `${JSON.stringify(json)}\n`;
  const hash = createHash('sha1').update(text).digest('hex');
  return `OVSDB JSON ${Buffer.byteLength(text)} ${hash}\n${text}`;
}
