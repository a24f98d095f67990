/**
 * What was acknowledged is there after kill -9, and after the disk was full. A
 * few rounds in each test run; longer:
 *
 *     TAPFLOW_FUZZ_SECONDS=600 npx vitest run test/ovsdb/file/crash.fuzz.test.ts
 *
 * (after npm run build:ts, as the process that is killed runs what was built).
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openLog } from '../../../src/ovsdb/file/log-file.ts';
import { contentsOf, inFolder, lockFile, numbersIn, unexpected } from './contents.ts';
import { Writer } from './writer.ts';

const SECONDS = Number(process.env.TAPFLOW_FUZZ_SECONDS ?? 0);
const KILLS = 15;

it(
  'a server killed at any moment leaves all that it acknowledged',
  { timeout: (SECONDS + 60) * 1000 },
  () =>
    inFolder(async (folder) => {
      const end = performance.now() + SECONDS * 1000;
      for (let kills = 0; kills < KILLS || performance.now() < end; kills++) {
        // Begun anew at times, as a file that grows for ever slows the test down.
        await killOnce(path.join(folder, `${Math.floor(kills / 50)}.db`));
      }
    }),
);

it('a full disk refuses appends, keeps what was acknowledged, and is forgotten when it has space', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'conf.db');
    const writer = new Writer(file, 20_000);
    try {
      await writer.until(() => writer.failures.length > 0);
      expect(writer.failures).toEqual(['EFBIG']);
      await holds(file, writer.acknowledged);
      expect((await contentsOf(file)).warnings).toEqual([]);
      const before = writer.acknowledged.length;
      spawnSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited:']);
      writer.tryAgain();
      await writer.until(() => writer.acknowledged.length > before + 50);
      expect(writer.failures.length).toBe(1);
    } finally {
      await writer.kill();
    }
    await holds(file, writer.acknowledged);
  }));

it('a file that another process has is refused, with the name of that process', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'conf.db');
    const writer = new Writer(file);
    try {
      await writer.until(() => writer.acknowledged.length > 0);
      const second = openLog(file, { lockFile, warn: unexpected });
      await expect(second).rejects.toMatchObject({ code: 'LOCKED' });
      await expect(second).rejects.toThrow(`is locked by pid ${writer.pid}`);
    } finally {
      await writer.kill();
    }
    await (await openLog(file, { lockFile, warn: unexpected })).close();
  }));

/** Lets a server append for a while, kills it, and looks at the file. */
async function killOnce(file: string): Promise<void> {
  const writer = new Writer(file);
  try {
    await writer.until(() => writer.acknowledged.length > 0);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
  } finally {
    await writer.kill();
  }
  await holds(file, writer.acknowledged);
}

/** The file has these numbers, and those from 1 on, in order, with none left out. */
async function holds(file: string, acknowledged: readonly number[]): Promise<void> {
  const found = numbersIn((await contentsOf(file)).records);
  expect(found).toEqual(found.map((_, at) => at + 1));
  expect(found.length).toBeGreaterThanOrEqual(Math.max(0, ...acknowledged));
}
