/** The lock of a replica: RFC 7047 4.1.8 to 4.1.10. The server forgets it with the connection. */
import { isObject, type Json } from '../../lib/json.ts';
import type { RpcClient } from '../rpc/client.ts';

export type LockState = 'none' | 'held' | 'contended';

export class ReplicaLock {
  state: LockState = 'none';
  readonly #client: RpcClient;
  readonly #changed: (hasLock: boolean) => void;
  #name: string | undefined;

  constructor(client: RpcClient, changed: (hasLock: boolean) => void) {
    this.#client = client;
    this.#changed = changed;
  }

  want(name: string): void {
    this.#name = name;
  }

  /** On a connection that is new, or that did not have the wish. */
  request(): void {
    if (this.#name === undefined) return;
    this.#client.request('lock', [this.#name]).then(
      (reply) => this.#enter(isObject(reply) && reply.locked === true ? 'held' : 'contended'),
      // Either the connection is gone, and the next one asks anew, or the server has no locks.
      () => this.#enter('none'),
    );
  }

  /** @returns whether it was about the lock */
  notified(method: string, [name]: readonly Json[]): boolean {
    if (method !== 'locked' && method !== 'stolen') return false;
    if (name === this.#name) this.#enter(method === 'locked' ? 'held' : 'contended');
    return true;
  }

  lost(): void {
    this.#enter('none');
  }

  #enter(state: LockState): void {
    const before = this.state;
    this.state = state;
    if ((before === 'held') !== (state === 'held')) this.#changed(state === 'held');
  }
}
