/**
 * One JSON-RPC 1.0 connection on a stream that is open: texts become messages
 * and messages texts. It answers echo requests, takes the answers to its own
 * probes, and ends itself with a logged reason when the peer talks nonsense.
 * What messages mean, and opening a stream anew, is for session.ts and others.
 *
 * Either side may be hostile or slow, so both directions are bounded:
 * - In: size and depth of a message are (json-text.ts), and messages are
 *   handed on one at a time. While the owner holds the connection, or while
 *   the peer does not read what was sent to it, no further message is taken
 *   and the stream is paused: who does not read can ask for no more. What came
 *   together is read and handed on for about SLICE_MS in one turn.
 * - Out: `needsDrain` tells the owner to hold back what is not an answer (a
 *   monitor's updates can wait and be merged) until `drain`. Whoever sends
 *   behind more than `maxBacklogBytes` costs the peer its connection.
 */
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { formatJson, type JsonLimits, JsonStream } from '../../lib/json-text.ts';
import { END_OF_FILE, errorText, PROTOCOL_ERROR } from './error-text.ts';
import { noLog, type RpcLog } from './log.ts';
import { type Message, messageToJson, parseMessage } from './message.ts';

export interface ConnectionHandlers {
  /** A message has come, in order. Echo requests and answers to probes are not shown. */
  message(message: Message): void;
  /** Bytes have come. */
  activity?(): void;
  /** The kernel has taken all that was sent, after `needsDrain` was true. */
  drain?(): void;
  /** The end, once. The reason is as in error-text.ts; undefined after `close()`. */
  closed(reason: string | undefined): void;
}

export interface ConnectionOptions extends JsonLimits {
  /** For log lines, such as "tcp:127.0.0.1:45678" or "unix#3". */
  name: string;
  log?: RpcLog;
  clock?: Clock;
  /** The default is 64 MiB, as for a message that comes in. */
  maxBacklogBytes?: number;
  /**
   * Takes messages also while the peer does not read: for a client, as two
   * sides that both wait for the other to read wait forever.
   */
  readsBehindBacklog?: boolean;
}

export class Connection {
  readonly name: string;
  /** Messages taken, echoes included. */
  messagesReceived = 0;
  /** Messages sent, echoes included. */
  messagesSent = 0;
  readonly #stream: Duplex;
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #log: RpcLog;
  readonly #clock: Clock;
  readonly #incoming: JsonStream;
  /** What the last piece held that is not handed on yet. */
  #arrived: Generator<Json | undefined, void, undefined> | undefined;
  #isHeld = false;
  #isDelivering = false;
  #isCorked = false;
  #isClosed = false;
  /** When to make way for other work; undefined in a turn in which nothing was read yet. */
  #sliceEnd: number | undefined;
  /** Whether the slice ended before what has come did. */
  #isLate = false;

  constructor(stream: Duplex, options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.name = options.name;
    this.#stream = stream;
    this.#options = options;
    this.#handlers = handlers;
    this.#log = options.log ?? noLog;
    this.#clock = options.clock ?? systemClock;
    this.#incoming = new JsonStream(options);
    stream.on('data', (piece: Buffer) => this.#receive(piece));
    stream.on('drain', () => this.#drained());
    stream.on('end', () => this.#end(END_OF_FILE));
    stream.on('error', (error) => this.#end(errorText(error)));
    stream.on('close', () => this.#end(END_OF_FILE));
  }

  /** What was sent and the kernel has not taken, about: characters count as bytes. */
  get backlogBytes(): number {
    return this.#stream.writableLength;
  }

  /** Whether the peer is behind in reading; `drain` will tell when it is no more. */
  get needsDrain(): boolean {
    return this.#stream.writableNeedDrain;
  }

  /** How much of a message that is not complete has come. */
  get pendingBytes(): number {
    return this.#incoming.pendingBytes;
  }

  send(message: Message): void {
    this.sendText(formatJson(messageToJson(message)));
  }

  /** Sends a message's text: an update to many is formatted once. */
  sendText(text: string): void {
    if (this.#isClosed) return;
    const { maxBacklogBytes = DEFAULT_MAX_BACKLOG } = this.#options;
    if (this.backlogBytes > maxBacklogBytes) {
      this.#fail(`peer does not read, more than ${maxBacklogBytes} bytes wait for it`);
      return;
    }
    this.#cork();
    this.#stream.write(text);
    this.messagesSent++;
  }

  /** Asks for a sign of life. */
  probe(): void {
    this.send({ type: 'request', method: 'echo', params: [], id: ECHO });
  }

  /** Hands on no further message, and reads none, until `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#stream.pause();
  }

  release(): void {
    this.#isHeld = false;
    this.#deliver();
  }

  /** Drops what is not sent yet. */
  close(): void {
    this.#end(undefined);
  }

  #receive(piece: Buffer): void {
    this.#handlers.activity?.();
    this.#arrived = this.#read(piece);
    this.#deliver();
  }

  #drained(): void {
    this.#handlers.drain?.();
    this.#deliver();
  }

  /** Hands on what has come until nothing is left, or something speaks against it. */
  #deliver(): void {
    if (this.#isDelivering || this.#isClosed) return;
    this.#isDelivering = true;
    const deadline = this.#beginSlice();
    this.#isLate = this.#clock.now() > deadline;
    while (!this.#isLate && this.#mayDeliver() && this.#deliverNext()) {
      this.#isLate = this.#clock.now() > deadline;
    }
    this.#isDelivering = false;
    if (this.#isClosed) return;
    if (this.#isLate || !this.#mayDeliver()) this.#stream.pause();
    else if (this.#stream.isPaused()) this.#stream.resume();
  }

  /** One slice a turn, however many pieces come in it: libuv reads up to 32 at once. */
  #beginSlice(): number {
    if (this.#sliceEnd !== undefined) return this.#sliceEnd;
    this.#sliceEnd = this.#clock.now() + SLICE_MS;
    setImmediate(() => {
      this.#sliceEnd = undefined;
      if (this.#isLate) this.#deliver();
    });
    return this.#sliceEnd;
  }

  /** The messages that a piece completes; between them undefined, for a look at the clock. */
  *#read(piece: Buffer): Generator<Json | undefined, void, undefined> {
    for (let at = 0; at < piece.length; ) {
      const end = this.#incoming.pendingBytes > 0 ? at + STEP_BYTES : piece.length;
      yield* this.#incoming.feed(piece.subarray(at, end));
      yield undefined;
      at = end;
    }
  }

  #mayDeliver(): boolean {
    const waits = this.needsDrain && this.#options.readsBehindBacklog !== true;
    return !this.#isClosed && !this.#isHeld && !waits;
  }

  /** @returns whether there was anything left */
  #deliverNext(): boolean {
    const next = this.#take();
    if (next === undefined) return false;
    const message = next.value === undefined ? undefined : this.#understand(next.value);
    if (message !== undefined) this.#handOn(message);
    return true;
  }

  #handOn(message: Message): void {
    this.messagesReceived++;
    if (message.type === 'request' && message.method === 'echo') {
      this.send({ type: 'reply', result: message.params, id: message.id });
    } else if (message.type !== 'reply' || message.id !== ECHO) {
      this.#handlers.message(message);
    }
  }

  #take(): { value: Json | undefined } | undefined {
    try {
      const next = this.#arrived?.next();
      if (next !== undefined && !next.done) return next;
      this.#arrived = undefined;
    } catch (error) {
      this.#fail(`error parsing stream: ${(error as Error).message}`);
    }
    return undefined;
  }

  #understand(json: Json): Message | undefined {
    try {
      return parseMessage(json);
    } catch (error) {
      this.#fail(`received bad JSON-RPC message: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Gathers what is sent in one turn into one write. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#stream.uncork();
    });
  }

  #fail(why: string): void {
    this.#log('warn', `${this.name}: ${why}`);
    this.#end(PROTOCOL_ERROR);
  }

  #end(reason: string | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arrived = undefined;
    this.#stream.destroy();
    this.#handlers.closed(reason);
  }
}

/** Above it, reading makes way for other work. */
const SLICE_MS = 2;
/** Of a message that does not come in one piece: reading them takes a millisecond at most. */
const STEP_BYTES = 8192;
const DEFAULT_MAX_BACKLOG = 64 << 20;
/** The id of probes, as Open vSwitch's. */
const ECHO = 'echo';
