import { beforeEach, describe, expect, it } from 'vitest';
import type { ExitStatus } from '../../src/daemon/exit-status.ts';
import { monitorDaemon } from '../../src/daemon/monitor.ts';
import { Vlog } from '../../src/daemon/vlog.ts';

/** What happened, in order: titles, log lines, sleeps. */
let story: string[];
let now = 0;
let isStopping = false;

beforeEach(() => {
  story = [];
  now = 1000;
  isStopping = false;
});

const crash: ExitStatus = { code: null, signal: 'SIGABRT' };

/** Each daemon lives for a second and ends as told; process ids count from 1. */
function monitor(...ends: ExitStatus[]): Promise<void> {
  const vlog = new Vlog({ program: 'sampled', writeConsole: (text) => void story.push(text) });
  vlog.set('PATTERN:console:%p %m');
  let started = 0;
  const start = () => {
    const end = ends[started++];
    return { pid: started, exited: Promise.resolve(end).then(lived) };
  };
  return monitorDaemon(start(), {
    program: 'sampled',
    log: vlog.module('daemon_unix'),
    restart: start,
    setTitle: (title) => void story.push(`title ${title}\n`),
    now: () => now,
    async sleep(ms) {
      story.push(`sleep ${ms}\n`);
      now += ms;
    },
    isStopping: () => isStopping,
  });
}

function lived(end: ExitStatus): ExitStatus {
  now += 1000;
  return end;
}

describe('the monitor', () => {
  it('restarts at once, then at most every 10 seconds', async () => {
    await monitor(crash, { code: null, signal: 'SIGSEGV' }, { code: 3, signal: null });
    expect(story.join('')).toBe(
      `title sampled: monitoring pid 1 (healthy)
ERR 1 crashes: pid 1 died, killed (Aborted), restarting
title sampled: monitoring pid 2 (1 crashes: pid 1 died, killed (Aborted))
WARN 2 crashes: pid 2 died, killed (Segmentation fault), waiting until 10 seconds since last restart
sleep 9000
ERR 2 crashes: pid 2 died, killed (Segmentation fault), restarting
title sampled: monitoring pid 3 (2 crashes: pid 2 died, killed (Segmentation fault))
INFO pid 3 died, exit status 3, exiting
`,
    );
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends after %s', async (signal) => {
    await monitor({ code: null, signal });
    expect(story.at(-1)).toMatch(/^INFO pid 1 died, killed \(.+\), exiting\n$/);
  });

  it('restarts nothing when the end was asked for', async () => {
    isStopping = true;
    await monitor(crash);
    expect(story.at(-1)).toBe('INFO pid 1 died, killed (Aborted), exiting\n');
  });
});
