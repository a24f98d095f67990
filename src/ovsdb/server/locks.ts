/**
 * Named locks (RFC 7047 4.1.8 to 4.1.10): whoever waits longest for a lock
 * owns it, but "steal" jumps the queue. A client whose lock was stolen waits on
 * in second place, and owns the lock again when the thief lets it go.
 */

/** Whoever takes part: a client is told what happens to its locks. */
export interface LockOwner {
  /** It was waiting and is the owner now. */
  locked(name: string): void;
  stolen(name: string): void;
}

export interface LockCounts {
  held: string[];
  waiting: string[];
  /** Stolen from it, and not its own again. */
  lost: string[];
}

interface Waiter {
  readonly owner: LockOwner;
  hasLost: boolean;
}

export class Locks {
  /** By name; the first of each list owns the lock. None is empty. */
  readonly #queues = new Map<string, Waiter[]>();

  /** @returns whether it got the lock, undefined when it has it, or waits for it, already */
  lock(name: string, owner: LockOwner, mode: 'lock' | 'steal'): boolean | undefined {
    const queue = this.#queues.get(name) ?? [];
    if (queue.some((waiter) => waiter.owner === owner)) return undefined;
    this.#queues.set(name, queue);
    const waiter = { owner, hasLost: false };
    if (mode === 'lock') return queue.push(waiter) === 1;
    const [victim] = queue;
    queue.unshift(waiter);
    if (victim !== undefined) {
      victim.hasLost = true;
      victim.owner.stolen(name);
    }
    return true;
  }

  /** @returns false when it neither had the lock nor waited for it */
  unlock(name: string, owner: LockOwner): boolean {
    const queue = this.#queues.get(name) ?? [];
    const at = queue.findIndex((waiter) => waiter.owner === owner);
    if (at < 0) return false;
    queue.splice(at, 1);
    const [next] = queue;
    if (next === undefined) this.#queues.delete(name);
    else if (at === 0) {
      next.hasLost = false;
      next.owner.locked(name);
    }
    return true;
  }

  unlockAll(owner: LockOwner): void {
    for (const name of [...this.#queues.keys()]) this.unlock(name, owner);
  }

  owns(name: string, owner: LockOwner): boolean {
    return this.#queues.get(name)?.[0].owner === owner;
  }

  countsOf(owner: LockOwner): LockCounts {
    const counts: LockCounts = { held: [], waiting: [], lost: [] };
    for (const [name, queue] of this.#queues) {
      const at = queue.findIndex((waiter) => waiter.owner === owner);
      if (at === 0) counts.held.push(name);
      else if (at > 0) counts[queue[at].hasLost ? 'lost' : 'waiting'].push(name);
    }
    return counts;
  }
}
