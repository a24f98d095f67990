import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.ts';
import { Reconnect, type ReconnectOptions } from '../../../src/ovsdb/rpc/reconnect.ts';
import { listenerStatus, sessionStatus } from '../../../src/ovsdb/rpc/remote-status.ts';

function machine(options: Partial<ReconnectOptions> = {}) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const reconnect = new Reconnect({
    name: 'tcp:192.0.2.1:6640',
    clock,
    log(level, line) {
      if (level !== 'dbg') lines.push(`${level} ${line.replace('tcp:192.0.2.1:6640: ', '')}`);
    },
    ...options,
  });
  return { clock, reconnect, lines };
}

/** Milliseconds until there is something to do, and what. */
function next({ clock, reconnect }: ReturnType<typeof machine>): [number | undefined, unknown] {
  const deadline = reconnect.deadline();
  if (deadline === undefined) return [undefined, undefined];
  const wait = deadline - clock.now();
  if (wait > 1) {
    clock.advance(wait - 1);
    expect(reconnect.run()).toBeUndefined();
    clock.advance(1);
  }
  return [wait, reconnect.run()];
}

function connected(options: Partial<ReconnectOptions> = {}) {
  const all = machine(options);
  all.reconnect.enable();
  all.reconnect.run();
  all.reconnect.connecting();
  all.reconnect.connected();
  return all;
}

describe('the reconnect machine', () => {
  it('does nothing before it is enabled', () => {
    const all = machine();
    expect(all.reconnect.state).toBe('VOID');
    expect(next(all)).toEqual([undefined, undefined]);
  });

  it('tries at once, then after 1, 2, 4 and 8 seconds, and no longer', () => {
    const all = machine();
    const waits = [];
    all.reconnect.enable();
    for (let i = 0; i < 7; i++) {
      expect(all.reconnect.state).toBe('BACKOFF');
      waits.push(next(all));
      all.reconnect.connecting();
      all.reconnect.disconnected('Connection refused');
    }
    const seconds = [0, 1, 2, 4, 8, 8, 8];
    expect(waits).toEqual(seconds.map((wait) => [wait * 1000, 'connect']));
  });

  it('logs attempts until they come at the longest interval', () => {
    const all = machine();
    all.reconnect.enable();
    for (let i = 0; i < 7; i++) {
      next(all);
      all.reconnect.connecting();
      all.reconnect.disconnected('Connection refused');
    }
    const failed = ['info connecting...', 'info connection attempt failed (Connection refused)'];
    expect(all.lines).toEqual([
      ...[...failed, 'info waiting 1 seconds before reconnect'],
      ...[...failed, 'info waiting 2 seconds before reconnect'],
      ...[...failed, 'info waiting 4 seconds before reconnect'],
      ...failed,
      'info continuing to reconnect in the background but suppressing further logging',
    ]);
  });

  it('gives an attempt as long as the wait before it, a second at least', () => {
    const all = machine();
    all.reconnect.enable();
    for (const wait of [1000, 1000, 2000, 4000, 8000]) {
      next(all);
      all.reconnect.connecting();
      expect(next(all)).toEqual([wait, 'disconnect']);
      all.reconnect.disconnected(undefined);
    }
    expect(all.lines).toContain('info connection attempt timed out');
    expect(all.reconnect.status().lastError).toBeUndefined();
  });

  it('probes a silent peer after 5 seconds and drops it after 5 more', () => {
    const all = connected();
    all.clock.advance(2000);
    all.reconnect.activity();
    expect(next(all)).toEqual([5000, 'probe']);
    expect(all.reconnect.state).toBe('IDLE');
    expect(all.reconnect.isConnected).toBe(true);
    expect(next(all)).toEqual([5000, 'disconnect']);
    expect(all.lines.at(-1)).toBe(
      'err no response to inactivity probe after 5 seconds, disconnecting',
    );
    all.reconnect.disconnected(undefined);
    expect(all.lines.at(-1)).toBe('info connection dropped');
    expect(all.reconnect.state).toBe('BACKOFF');
  });

  it('is content with any sign of life', () => {
    const all = connected();
    expect(next(all)).toEqual([5000, 'probe']);
    all.clock.advance(4999);
    all.reconnect.activity();
    expect(all.reconnect.state).toBe('ACTIVE');
    expect(next(all)).toEqual([5000, 'probe']);
  });

  it('never probes when the interval is 0, and at most once a second', () => {
    expect(next(connected({ probeInterval: 0 }))).toEqual([undefined, undefined]);
    expect(next(connected({ probeInterval: 1 }))).toEqual([1000, 'probe']);
    const all = connected();
    all.reconnect.configure({ probeInterval: 30_000 });
    expect(next(all)).toEqual([30_000, 'probe']);
  });

  it('begins with short waits again after a connection that lasted', () => {
    const all = machine();
    all.reconnect.enable();
    for (let i = 0; i < 4; i++) {
      next(all);
      all.reconnect.connecting();
      all.reconnect.disconnected('Connection refused');
    }
    next(all);
    all.reconnect.connecting();
    all.reconnect.connected();
    all.clock.advance(20_000);
    all.reconnect.activity();
    all.reconnect.disconnected('End of file');
    expect(all.lines.at(-1)).toBe('info connection closed by peer');
    expect(next(all)).toEqual([1000, 'connect']);
  });

  it('goes on waiting longer when connections break at once', () => {
    const all = connected();
    all.reconnect.disconnected('Connection reset by peer');
    expect(next(all)).toEqual([1000, 'connect']);
    all.reconnect.connecting();
    all.reconnect.connected();
    all.reconnect.disconnected('Connection reset by peer');
    expect(next(all)).toEqual([2000, 'connect']);
    expect(all.lines).toContain('warn connection dropped (Connection reset by peer)');
  });

  it('keeps to the longest wait it is given', () => {
    const all = machine({ maxBackoff: 1500 });
    all.reconnect.enable();
    const waits = [];
    for (let i = 0; i < 4; i++) {
      waits.push(next(all)[0]);
      all.reconnect.connecting();
      all.reconnect.disconnected('No route to host');
    }
    expect(waits).toEqual([0, 1000, 1500, 1500]);
    all.reconnect.configure({ maxBackoff: 1000 });
    expect(next(all)).toEqual([1000, 'connect']);
  });

  it('ends for good when no tries are left, or it is disabled', () => {
    const accepted = machine({ maxTries: 0, quiet: true });
    accepted.reconnect.connected();
    accepted.reconnect.disconnected('End of file');
    accepted.reconnect.enable();
    expect(accepted.reconnect.state).toBe('VOID');
    expect(accepted.lines).toEqual([]);
    const all = connected();
    all.reconnect.disable();
    all.reconnect.disconnected('End of file');
    expect(all.reconnect.state).toBe('VOID');
  });

  it('drops a good connection when it is told to reconnect', () => {
    const all = connected();
    all.reconnect.forceReconnect();
    expect(next(all)).toEqual([0, 'disconnect']);
    all.reconnect.disconnected(undefined);
    expect(all.reconnect.state).toBe('BACKOFF');
  });

  it('listens without end when it is passive, and does not wait after a peer has gone', () => {
    const all = machine({ passive: true });
    all.reconnect.enable();
    expect(next(all)).toEqual([0, 'connect']);
    all.reconnect.listening();
    expect(all.reconnect.state).toBe('LISTENING');
    expect(next(all)).toEqual([undefined, undefined]);
    all.reconnect.connected();
    all.reconnect.disconnected('End of file');
    expect(next(all)).toEqual([0, 'connect']);
    all.reconnect.listening();
    all.reconnect.disconnected('Address already in use');
    expect(all.lines).toContain('warn error listening for connections (Address already in use)');
    expect(next(all)).toEqual([1000, 'connect']);
  });
});

describe("a Manager's status", () => {
  const column = (all: ReturnType<typeof machine>) =>
    Object.fromEntries(sessionStatus(all.reconnect.status()));

  it('has the state and whole seconds since the last changes', () => {
    const all = machine();
    expect(column(all)).toEqual({ state: 'VOID' });
    const later = connected();
    later.clock.advance(2999);
    expect(column(later)).toEqual({ state: 'ACTIVE', sec_since_connect: '2' });
    later.reconnect.disconnected('Connection reset by peer');
    later.clock.advance(500);
    expect(column(later)).toEqual({
      state: 'BACKOFF',
      last_error: 'Connection reset by peer',
      sec_since_connect: '3',
      sec_since_disconnect: '0',
    });
  });

  it('has the port and the number of peers when it listens', () => {
    expect(Object.fromEntries(listenerStatus(1, 6640))).toEqual({ bound_port: '6640' });
    expect(Object.fromEntries(listenerStatus(2))).toEqual({ n_connections: '2' });
  });
});
