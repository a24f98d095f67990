/**
 * The control socket: Open vSwitch's unixctl, so that stock `ovs-appctl -t
 * SOCKET` reaches it as well as our own commands.
 *
 * JSON-RPC 1.0 over a unix socket: {"method", "params": [strings], "id"} is
 * answered by {"id", "result": string, "error": null} or {"id", "result": null,
 * "error": string}. Requests of one connection are answered in order, one at
 * a time; while one runs, the connection is not read, which bounds what a
 * client can pile up here. A client that does not read its answers stalls only
 * itself. One that talks nonsense is cut off.
 */
import { chmodSync, rmSync } from 'node:fs';
import net from 'node:net';
import { isArray, isObject, type Json } from '../lib/json.ts';
import { formatJson, JsonStream } from '../lib/json-text.ts';

/** Clients beyond this many cost the one that was silent longest its connection. */
export const MAX_CLIENTS = 32;
/** A request: the longest is `apply` with a topology file of many flows. */
const LIMITS = { maxBytes: 16 << 20, maxDepth: 8 };

/** Runs one command. A thrown error's message becomes the error reply. */
export type CommandRunner = (method: string, params: readonly string[]) => string | Promise<string>;

export interface UnixctlServer {
  readonly path: string;
  /** Answers what is running, then closes every connection and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens at `path`, replacing a socket that a dead process left there: the
 * caller holds the pidfile's lock, so no living one is using it.
 */
export async function openUnixctlServer(path: string, run: CommandRunner): Promise<UnixctlServer> {
  const clients = new Set<Client>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    if (clients.size >= MAX_CLIENTS) oldest(clients)?.drop();
    const client = new Client(socket, run);
    clients.add(client);
    socket.once('close', () => clients.delete(client));
  });
  rmSync(path, { force: true });
  await listen(server, path);
  return {
    path,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.all([...clients].map((client) => client.finish()));
      await closed;
    },
  };
}

/** One connection. */
class Client {
  lastActive: number = performance.now();
  readonly #socket: net.Socket;
  readonly #run: CommandRunner;
  readonly #incoming = new JsonStream(LIMITS);
  /** Requests that came in one chunk wait here for their turn. */
  #waiting: Json[] = [];
  #busy: Promise<void> | undefined;
  #ended = false;

  constructor(socket: net.Socket, run: CommandRunner) {
    this.#socket = socket;
    this.#run = run;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', () => this.drop());
  }

  drop(): void {
    this.#waiting = [];
    this.#socket.destroy();
  }

  /** Lets the running request be answered; whatever waits is dropped. */
  async finish(): Promise<void> {
    this.#waiting = [];
    await this.#busy;
    await new Promise<void>((resolve) => {
      if (this.#socket.destroyed) return resolve();
      setTimeout(() => this.drop(), FLUSH_MS).unref();
      this.#socket.once('close', () => resolve());
      this.#socket.end(() => this.drop());
    });
  }

  #receive(chunk: Buffer): void {
    this.lastActive = performance.now();
    try {
      for (const json of this.#incoming.feed(chunk)) this.#waiting.push(json);
      if (this.#waiting.length > 0) this.#start();
    } catch {
      this.drop();
    }
  }

  #end(): void {
    this.#ended = true;
    if (this.#busy === undefined) this.#socket.end();
  }

  #start(): void {
    this.#socket.pause();
    this.#busy ??= this.#work().finally(() => {
      this.#busy = undefined;
      if (this.#ended) this.#socket.end();
      else this.#socket.resume();
    });
  }

  async #work(): Promise<void> {
    for (let json = this.#waiting.shift(); json !== undefined; json = this.#waiting.shift()) {
      const request = parseRequest(json);
      if (request === undefined) return this.drop();
      await this.#send(await answer(request, this.#run));
    }
  }

  /** Resolves when the kernel has taken it, so a client that does not read waits for itself. */
  async #send(reply: string): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(reply)) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve);
      this.#socket.once('close', () => resolve());
    });
  }
}

/** A client gets this long to take its last answer when the switch stops. */
const FLUSH_MS = 500;

interface Request {
  method: string;
  params: readonly Json[];
  id: Json;
}

/** @returns undefined for what is not a request: then the connection is of no use */
function parseRequest(json: Json): Request | undefined {
  if (!isObject(json)) return undefined;
  const { method, params, id } = json;
  const isRequest = typeof method === 'string' && isArray(params) && id !== undefined;
  return isRequest ? { method, params, id } : undefined;
}

async function answer({ method, params, id }: Request, run: CommandRunner): Promise<string> {
  try {
    if (!params.every((param) => typeof param === 'string')) {
      throw new Error(`"${method}" command has non-string argument`);
    }
    const result = ensureNewline(await run(method, params));
    return formatJson({ id, result, error: null });
  } catch (error) {
    return formatJson({ id, result: null, error: ensureNewline((error as Error).message) });
  }
}

/** unixctl's texts end in a newline, as `ovs-appctl` prints them as they are. */
function ensureNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function oldest(clients: Set<Client>): Client | undefined {
  let found: Client | undefined;
  for (const client of clients) {
    if (found === undefined || client.lastActive < found.lastActive) found = client;
  }
  return found;
}

/** Only the owner may connect: whoever can, commands the switch. */
async function listen(server: net.Server, path: string): Promise<void> {
  const mask = process.umask(0o077);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
}
