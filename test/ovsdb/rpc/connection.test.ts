import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Connection, type ConnectionOptions } from '../../../src/ovsdb/rpc/connection.ts';
import type { Message } from '../../../src/ovsdb/rpc/message.ts';

/** A connection, what it hands on, and the peer's end of the stream. */
function connect(options: Partial<ConnectionOptions> = {}) {
  const [ours, peer] = duplexPair();
  const messages: Message[] = [];
  const lines: string[] = [];
  const ends: (string | undefined)[] = [];
  const drains: number[] = [];
  const connection = new Connection(
    ours,
    { name: 'unix#7', log: (level, line) => lines.push(`${level} ${line}`), ...options },
    {
      message: (message) => messages.push(message),
      drain: () => drains.push(connection.backlogBytes),
      closed: (reason) => ends.push(reason),
    },
  );
  return { connection, peer, messages, lines, ends, drains };
}

/** Lets all that is under way arrive. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}

/** What the peer finds to read now. */
function received(peer: Duplex): string {
  return String(peer.read() ?? '');
}

/** An update of 400 kB, in pieces like those of a socket, or in so many. */
function largeMessage(count = 7): string[] {
  const text = JSON.stringify({ id: null, method: 'update', params: ['x'.repeat(400_000)] });
  const first = 1000;
  const size = Math.ceil((text.length - first) / (count - 1));
  const rest = Array.from({ length: count - 1 }, (_, i) =>
    text.slice(first + i * size, first + (i + 1) * size),
  );
  return [text.slice(0, first), ...rest];
}

const REQUEST = '{"id":1,"method":"list_dbs","params":[]}';

describe('a JSON-RPC connection', () => {
  it('hands on the four kinds of message, however they are cut and joined', async () => {
    const { peer, messages } = connect();
    peer.write(`${REQUEST}{"method":"update","params":[1,{}],"id":null}{"resu`);
    await settle();
    peer.write('lt":{},"error":null,"id":[2]}\n{"id":3,"error":"no","result":null}');
    await settle();
    expect(messages).toEqual([
      { type: 'request', id: 1, method: 'list_dbs', params: [] },
      { type: 'notification', method: 'update', params: [1, {}] },
      { type: 'reply', id: [2], result: {} },
      { type: 'error', id: 3, error: 'no' },
    ]);
  });

  it('sends what another one takes', async () => {
    const atom = fc.oneof(fc.nat(), fc.string(), fc.boolean(), fc.constant(null));
    const json = fc.array(fc.oneof(atom, fc.dictionary(fc.string(), atom)));
    const id = fc.oneof(fc.nat(), fc.stringMatching(/^[a-z]{0,3}!$/));
    const message = fc.oneof(
      fc.record({ type: fc.constant('request' as const), method: fc.string(), params: json, id }),
      fc.record({ type: fc.constant('notification' as const), method: fc.string(), params: json }),
      fc.record({ type: fc.constant('reply' as const), result: json, id }),
      fc.record({ type: fc.constant('error' as const), error: json, id }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message), async (list) => {
        const { connection, peer } = connect();
        const taken: Message[] = [];
        new Connection(peer, { name: 'peer' }, { message: (m) => taken.push(m), closed() {} });
        for (const one of list) connection.send(one);
        await settle();
        expect(taken).toEqual(list);
      }),
      { numRuns: 50 },
    );
  });

  it('answers echo requests itself, and keeps the answers to its own', async () => {
    const { connection, peer, messages } = connect();
    connection.probe();
    await settle();
    expect(received(peer)).toBe('{"id":"echo","method":"echo","params":[]}');
    peer.write('{"id":"echo","result":[],"error":null}{"id":4,"method":"echo","params":["x"]}');
    await settle();
    expect(received(peer)).toBe('{"id":4,"result":["x"],"error":null}');
    expect(messages).toEqual([]);
    expect([connection.messagesReceived, connection.messagesSent]).toEqual([2, 2]);
  });

  it('closes with a logged reason when it is sent something else than JSON', async () => {
    const { peer, messages, lines, ends } = connect();
    peer.write(`${REQUEST}nonsense${REQUEST}`);
    await settle();
    expect(messages).toHaveLength(1);
    expect(ends).toEqual(['Protocol error']);
    expect(lines).toEqual([
      'warn unix#7: error parsing stream: line 0, column 0, byte 0: syntax error at beginning of input',
    ]);
  });

  it.each([
    ['[]', 'message is not a JSON object'],
    ['{"id":1,"method":"x","params":[],"more":1}', 'message has unexpected member "more"'],
    ['{"id":1,"method":7,"params":[]}', 'method is not a JSON string'],
    ['{"id":1,"method":"x","params":{}}', '"params" must be JSON array'],
    ['{"id":1,"method":"x"}', 'request must have "params"'],
    ['{"method":"x"}', 'notification must have "params"'],
    ['{"id":1,"result":1,"params":[]}', 'reply must not have "params"'],
    ['{"error":1}', 'error must have "id"'],
  ])('closes on %s, which is no message', async (text, what) => {
    const { peer, messages, lines, ends } = connect();
    peer.write(text);
    await settle();
    expect(messages).toEqual([]);
    expect(ends).toEqual(['Protocol error']);
    expect(lines).toEqual([`warn unix#7: received bad JSON-RPC message: ${what}`]);
  });

  it('refuses messages beyond the limits it was given', async () => {
    const { peer, ends, lines } = connect({ maxBytes: 50 });
    peer.write(`{"id":1,"method":"${'x'.repeat(60)}`);
    await settle();
    expect(ends).toEqual(['Protocol error']);
    expect(lines[0]).toContain('longer than 50 bytes');
  });

  it('tells when the peer closes, and when the stream fails', async () => {
    const closed = connect();
    closed.peer.end();
    const failed = connect();
    const [broken] = duplexPair();
    const ends: (string | undefined)[] = [];
    new Connection(broken, { name: 'x' }, { message() {}, closed: (reason) => ends.push(reason) });
    broken.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    failed.connection.close();
    await settle();
    expect(closed.ends).toEqual(['End of file']);
    expect(ends).toEqual(['Connection reset by peer']);
    expect(failed.ends).toEqual([undefined]);
  });

  it('takes no further request from a peer that does not read its answers', async () => {
    const { connection, peer, messages, drains } = connect();
    peer.write(REQUEST.repeat(10));
    connection.send({ type: 'reply', result: 'x'.repeat(100_000), id: 0 });
    await settle();
    expect(messages).toEqual([]);
    expect(connection.needsDrain).toBe(true);
    expect(connection.backlogBytes).toBeGreaterThan(100_000);
    peer.resume();
    await settle();
    expect(messages).toHaveLength(10);
    expect(connection.needsDrain).toBe(false);
    expect(drains).toEqual([0]);
  });

  it('takes messages behind a backlog when it was told to', async () => {
    const { connection, peer, messages } = connect({ readsBehindBacklog: true });
    connection.send({ type: 'reply', result: 'x'.repeat(100_000), id: 0 });
    peer.write(REQUEST.repeat(10));
    await settle();
    expect(messages).toHaveLength(10);
  });

  it('closes when more is sent to a peer that is too far behind', async () => {
    const { connection, ends, lines } = connect({ maxBacklogBytes: 1000 });
    const update: Message = { type: 'notification', method: 'update', params: ['x'.repeat(900)] };
    connection.send(update);
    connection.send(update);
    expect(ends).toEqual([]);
    connection.send(update);
    connection.send(update);
    await settle();
    expect(ends).toEqual(['Protocol error']);
    expect(lines).toEqual(['warn unix#7: peer does not read, more than 1000 bytes wait for it']);
  });

  it('hands on nothing while it is held', async () => {
    const { connection, peer, messages } = connect();
    connection.hold();
    peer.write(REQUEST.repeat(3));
    await settle();
    expect(messages).toEqual([]);
    connection.release();
    await settle();
    expect(messages).toHaveLength(3);
  });

  it('can be held in the midst of messages that came together', async () => {
    const [ours, peer] = duplexPair();
    let count = 0;
    const connection = new Connection(
      ours,
      { name: 'unix#8' },
      {
        message() {
          count++;
          connection.hold();
        },
        closed() {},
      },
    );
    peer.write(REQUEST.repeat(3));
    for (const expected of [1, 2, 3]) {
      await settle();
      expect(count).toBe(expected);
      connection.release();
    }
  });

  it('makes way for other work when messages that came together take long', async () => {
    const [ours, peer] = duplexPair();
    const order: string[] = [];
    new Connection(
      ours,
      { name: 'unix#9' },
      {
        message() {
          order.push('message');
          const end = performance.now() + 3;
          while (performance.now() < end);
        },
        closed() {},
      },
    );
    peer.write(REQUEST.repeat(3));
    for (let i = 0; order.filter((what) => what === 'message').length < 3 && i < 100; i++) {
      await turn();
      order.push('other');
    }
    expect(order.join(' ')).toMatch(/message (other )+message (other )+message/);
  });

  it.each([
    ['many messages in many pieces', () => Array.from({ length: 50 }, () => REQUEST), 50],
    ['one message in many pieces', largeMessage, 1],
    ['one message in one more piece', () => largeMessage(2), 1],
  ])('reads for one slice a turn, however much there is: %s', async (_, pieces, count) => {
    let now = 0;
    const clock = { now: () => now++, after: () => () => {} };
    const { peer, messages } = connect({ clock });
    let looks = 0;
    for (const piece of pieces()) peer.write(piece);
    const perTurn: number[] = [];
    for (let i = 0; messages.length < count && i < 1000; i++) {
      await turn();
      perTurn.push(now - looks);
      looks = now;
    }
    expect(messages).toHaveLength(count);
    // Of the clock: as many as a slice has milliseconds, and a few where one begins and ends.
    expect(Math.max(...perTurn)).toBeLessThan(10);
    expect(perTurn.filter((each) => each > 0).length).toBeGreaterThan(3);
  });

  it('tells how much of a message has come', async () => {
    const { connection, peer } = connect();
    peer.write('{"id":1,');
    await settle();
    expect(connection.pendingBytes).toBe(8);
    expect(connection.name).toBe('unix#7');
  });
});
