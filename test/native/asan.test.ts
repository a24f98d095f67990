import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canUseDevices } from './lab.ts';

/** cc answers with the bare name where it has no such file. */
const libasan = spawnSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout ?? '';
const required = process.env.TAPFLOW_REQUIRE_SYSTEM === '1';
const canRun = required || (canUseDevices && existsSync(libasan.trim()));
const name = 'every function of the addon survives AddressSanitizer, and no descriptor leaks';

test.skipIf(!canRun)(
  canRun ? name : `${name} (skipped: needs root, /dev/net/tun, cc and libasan)`,
  () => {
    const script = new URL('asan.sh', import.meta.url).pathname;
    const { status, stdout, stderr } = spawnSync(script, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe('asan: ok\n');
    expect(status).toBe(0);
  },
  180_000,
);
