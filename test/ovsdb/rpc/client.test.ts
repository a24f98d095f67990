import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.ts';
import { type ClientHandlers, RpcClient } from '../../../src/ovsdb/rpc/client.ts';
import type { Message } from '../../../src/ovsdb/rpc/message.ts';
import { Session, type SessionOptions } from '../../../src/ovsdb/rpc/session.ts';

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}

/** A client whose attempts to connect the test answers, and what it tells. */
function newClient(options: Partial<SessionOptions> = {}, handlers: ClientHandlers = {}) {
  const clock = new ManualClock();
  const attempts: { signal: AbortSignal; answer(result: Duplex | Error): void }[] = [];
  const events: string[] = [];
  const client = new RpcClient(
    (signal) =>
      new Promise((resolve, reject) => {
        attempts.push({
          signal,
          answer: (result) => (result instanceof Error ? reject(result) : resolve(result)),
        });
      }),
    { name: 'unix:/run/db.sock', clock, ...options },
    {
      connected: () => events.push('connected'),
      disconnected: (reason) => events.push(`disconnected: ${reason}`),
      notification: (method, params) => events.push(`${method} ${JSON.stringify(params)}`),
      ...handlers,
    },
  );
  const advance = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };
  /** Lets the latest attempt succeed. @returns the server's end */
  const accept = async () => {
    const [ours, peer] = duplexPair();
    attempts.at(-1)?.answer(ours);
    await settle();
    return peer;
  };
  return { client, clock, attempts, events, advance, accept };
}

function received(peer: Duplex): string {
  return String(peer.read() ?? '');
}

function refusal(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
}

describe('a JSON-RPC client', () => {
  it('matches replies to requests, in whatever order they come', async () => {
    const { client, advance, accept, events } = newClient();
    await advance(0);
    const peer = await accept();
    const first = client.request('get_schema', ['Open_vSwitch']);
    const second = client.request('list_dbs', []);
    await settle();
    expect(received(peer)).toBe(
      '{"id":0,"method":"get_schema","params":["Open_vSwitch"]}' +
        '{"id":1,"method":"list_dbs","params":[]}',
    );
    peer.write('{"id":1,"result":["a"],"error":null}{"id":0,"result":{},"error":null}');
    peer.write('{"id":9,"result":"nobody asked","error":null}');
    expect(await second).toEqual(['a']);
    expect(await first).toEqual({});
    expect(events).toEqual(['connected']);
    client.close();
  });

  it('rejects a request that is answered with an error, and names it', async () => {
    const { client, advance, accept } = newClient();
    await advance(0);
    const peer = await accept();
    const requests = Array.from({ length: 4 }, () => client.request('transact', []));
    peer.write('{"id":0,"result":null,"error":{"error":"unknown database","details":"no X"}}');
    peer.write('{"id":1,"result":null,"error":"unknown method"}');
    peer.write('{"id":2,"result":null,"error":[1]}{"id":3,"result":null,"error":{"error":"e"}}');
    const results = await Promise.allSettled(requests);
    const texts = ['unknown database (no X)', 'unknown method', '[1]', 'e'];
    expect(results.map((result) => result.status === 'rejected' && result.reason.message)).toEqual(
      texts.map((text) => `the server refuses "transact": ${text}`),
    );
    expect(results[2]).toMatchObject({ reason: { code: 'RPC_ERROR', error: [1] } });
    client.close();
  });

  it('hands notifications on and refuses requests', async () => {
    const { client, advance, accept, events } = newClient();
    await advance(0);
    const peer = await accept();
    peer.write('{"id":null,"method":"update","params":[1]}{"id":7,"method":"x","params":[]}');
    await settle();
    expect(events).toEqual(['connected', 'update [1]']);
    expect(received(peer)).toBe('{"id":7,"error":{"error":"unknown method"}}');
    client.notify('cancel', [7]);
    await settle();
    expect(received(peer)).toBe('{"id":null,"method":"cancel","params":[7]}');
    client.close();
  });

  it('tries again after a failure, and later each time', async () => {
    const { client, attempts, events, advance, accept } = newClient();
    await advance(0);
    attempts[0].answer(refusal());
    await settle();
    expect(events).toEqual(['disconnected: Connection refused']);
    expect(client.status()).toMatchObject({ state: 'BACKOFF', lastError: 'Connection refused' });
    await advance(999);
    expect(attempts).toHaveLength(1);
    await advance(1);
    expect(attempts).toHaveLength(2);
    await accept();
    expect(client.status()).toMatchObject({ state: 'ACTIVE', isConnected: true });
    client.close();
    expect(client.status()).toMatchObject({ state: 'VOID', isConnected: false });
  });

  it('gives up an attempt that takes too long', async () => {
    const { client, attempts, events, advance } = newClient();
    await advance(0);
    await advance(1000);
    expect(attempts[0].signal.aborted).toBe(true);
    expect(events).toEqual(['disconnected: undefined']);
    const [late] = duplexPair();
    attempts[0].answer(late);
    await settle();
    expect(late.destroyed).toBe(true);
    expect(client.status().state).toBe('BACKOFF');
    client.close();
  });

  it('rejects what was asked on a connection that is lost, and when there is none', async () => {
    const { client, advance, accept, events } = newClient();
    const early = client.request('list_dbs', []);
    await expect(early).rejects.toMatchObject({ code: 'DISCONNECTED' });
    await advance(0);
    const peer = await accept();
    const lost = client.request('list_dbs', []);
    const outcome = expect(lost).rejects.toThrow(
      'unix:/run/db.sock: not connected, or no longer: no answer to "list_dbs"',
    );
    peer.end();
    await outcome;
    expect(events).toEqual(['connected', 'disconnected: End of file']);
    await advance(1000);
    await accept();
    expect(events.at(-1)).toBe('connected');
    const closed = client.request('list_dbs', []);
    client.close();
    await expect(closed).rejects.toMatchObject({ code: 'DISCONNECTED' });
  });

  it('probes a silent server, and reconnects when there is no answer', async () => {
    const { client, advance, accept, events } = newClient();
    await advance(0);
    const peer = await accept();
    await advance(5000);
    expect(received(peer)).toBe('{"id":"echo","method":"echo","params":[]}');
    peer.write('{"id":"echo","result":[],"error":null}');
    await settle();
    await advance(4999);
    expect(received(peer)).toBe('');
    await advance(1);
    expect(received(peer)).toContain('echo');
    await advance(5000);
    expect(events).toEqual(['connected', 'disconnected: undefined']);
    client.close();
  });

  it('reconnects when it is told to', async () => {
    const { client, attempts, advance, accept } = newClient();
    await advance(0);
    await accept();
    client.forceReconnect();
    await advance(1000);
    expect(attempts).toHaveLength(2);
    client.close();
  });
});

describe('the session of a stream that was accepted', () => {
  it('hands messages on, and is over when the peer goes', async () => {
    const [ours, peer] = duplexPair();
    const messages: Message[] = [];
    const ends: unknown[] = [];
    const session = new Session(
      ours,
      { name: 'unix#0', clock: new ManualClock() },
      { message: (message) => messages.push(message), disconnected: (reason) => ends.push(reason) },
    );
    expect([session.name, session.isOver, session.connection?.backlogBytes]).toEqual([
      'unix#0',
      false,
      0,
    ]);
    peer.write('{"id":0,"method":"list_dbs","params":[]}');
    peer.end();
    await settle();
    expect(messages).toMatchObject([{ method: 'list_dbs' }]);
    expect(ends).toEqual(['End of file']);
    expect([session.isOver, session.connection]).toEqual([true, undefined]);
  });

  it('is over when the peer is silent, after the time that was configured last', async () => {
    const [ours] = duplexPair();
    const clock = new ManualClock();
    const session = new Session(ours, { name: 'unix#1', clock }, { message() {} });
    session.configure({ probeInterval: 1000 });
    for (const state of ['IDLE', 'VOID']) {
      clock.advance(1000);
      await settle();
      expect(session.status().state).toBe(state);
    }
    expect(ours.destroyed).toBe(true);
  });
});
