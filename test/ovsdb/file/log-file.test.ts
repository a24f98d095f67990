import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { OvsdbError } from '../../../src/ovsdb/data/ovsdb-error.ts';
import { createLog, openLog } from '../../../src/ovsdb/file/log-file.ts';
import {
  contentsOf,
  inFolder,
  lockFile,
  makeLog,
  numberRecord,
  numbersIn,
  recordsOf,
  reopen,
  SCHEMA,
  snapshotOf,
  unexpected,
} from './contents.ts';

afterEach(() => vi.restoreAllMocks());

const code = (name: string) => expect.objectContaining({ code: name });

describe('a log file', () => {
  it('has a line with length and SHA-1 before each line of JSON', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      await (await makeLog(file, [{ _comment: 'größer' }])).close();
      const [head, schema, secondHead, record, rest] = readFileSync(file, 'utf8').split('\n');
      const sha1 = (line: string) => createHash('sha1').update(`${line}\n`).digest('hex');
      expect(JSON.parse(schema)).toEqual(SCHEMA);
      expect(head).toBe(`OVSDB JSON ${schema.length + 1} ${sha1(schema)}`);
      expect(record).toBe('{"_comment":"größer"}');
      expect(secondHead).toBe(`OVSDB JSON ${record.length + 3} ${sha1(record)}`);
      expect(rest).toBe('');
    }));

  it('gives back what was appended, in order, integers of 64 bits included', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const records: JsonObject[] = [
        numberRecord(1),
        { big: 2n ** 63n - 1n, real: 0.5, 'a\nb': [null, true, '\u0001"\\€😀'] },
        {},
      ];
      await (await makeLog(file, records)).close();
      expect(await contentsOf(file)).toEqual({ records: [SCHEMA, ...records], warnings: [] });
    }));

  it('is appended to where it was left', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      await (await makeLog(file, [numberRecord(1)])).close();
      const log = await reopen(file);
      await log.append(numberRecord(2), true);
      await log.close();
      expect(numbersIn((await contentsOf(file)).records)).toEqual([1, 2]);
    }));

  it('keeps the order of appends that do not wait for each other', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, []);
      const padding = { _comment: 'x'.repeat(100_000) };
      const numbers = Array.from({ length: 200 }, (_, n) => n);
      await Promise.all(
        numbers.map((n) => log.append(numberRecord(n, n % 7 === 0 ? padding : {}), n % 3 === 0)),
      );
      await log.close();
      expect(numbersIn((await contentsOf(file)).records)).toEqual(numbers);
    }));

  it('answers durable appends after a sync, of which many share one', () =>
    inFolder(async (folder) => {
      const datasync = vi.spyOn(await fileHandlePrototype(folder), 'datasync');
      const log = await makeLog(path.join(folder, 'conf.db'), []);
      datasync.mockClear();
      await log.append(numberRecord(0), false);
      expect(datasync).toHaveBeenCalledTimes(0);
      let isSynced = false;
      datasync.mockImplementationOnce(async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        isSynced = true;
      });
      await log.append(numberRecord(1), true);
      expect(isSynced).toBe(true);
      datasync.mockClear();
      await Promise.all(Array.from({ length: 100 }, (_, n) => log.append(numberRecord(n), true)));
      expect(datasync.mock.calls.length).toBeLessThan(10);
      await log.close();
    }));

  it('is as before an append that could not be synced, and goes on after it', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, [numberRecord(1)]);
      const { size } = statSync(file);
      const datasync = vi.spyOn(await fileHandlePrototype(folder), 'datasync');
      datasync.mockRejectedValueOnce(Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 }));
      const lost = [log.append(numberRecord(2), true), log.append(numberRecord(3), false)];
      const outcomes = await Promise.allSettled(lost);
      const reason = expect.objectContaining({
        code: 'EIO',
        message: `I/O error: ${file}: fsync failed (Input/output error)`,
      });
      expect(outcomes).toEqual([
        { status: 'rejected', reason },
        { status: 'rejected', reason },
      ]);
      expect(statSync(file).size).toBe(size);
      await log.append(numberRecord(4), true);
      await log.close();
      expect(numbersIn((await contentsOf(file)).records)).toEqual([1, 4]);
    }));

  it('lets other work have its turn while a large record is read', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, []);
      const rows = Array.from({ length: 60_000 }, (_, n) => [
        `row ${n}`,
        { n, text: 'x'.repeat(50) },
      ]);
      const record = { Number: Object.fromEntries(rows) };
      await log.append(record, false);
      await log.close();
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      const { records } = await contentsOf(file);
      clearInterval(timer);
      expect(records[1]).toEqual(record);
      expect(turns).toBeGreaterThan(5);
    }));

  it('ends before a record that its reader refuses, and the next append cuts it off', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      await (
        await makeLog(
          file,
          [1, 2, 3].map((n) => numberRecord(n)),
        )
      ).close();
      const warnings: string[] = [];
      const log = await openLog(file, { lockFile, warn: (line) => warnings.push(line) });
      await log.read((_, index) => {
        if (index === 2) throw new OvsdbError('unknown table', 'No table named Number.');
      });
      await log.append(numberRecord(4), false);
      await log.close();
      expect(warnings[0]).toBe('unknown table: No table named Number.');
      expect(numbersIn((await contentsOf(file)).records)).toEqual([1, 4]);
    }));

  it('does not take a mistake of its reader for a bad record', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      await (await makeLog(file, [numberRecord(1)])).close();
      const log = await openLog(file, { lockFile, warn: unexpected });
      const mistaken = () => {
        throw new TypeError('a mistake');
      };
      await expect(log.read(mistaken)).rejects.toThrow(TypeError);
      await expect(log.append({}, false)).rejects.toThrow('read the log before');
      await log.close();
    }));

  it('is not written to without the lock, nor after it is closed', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      await (await makeLog(file, [])).close();
      const reader = await openLog(file, { warn: unexpected });
      await recordsOf(reader);
      await expect(reader.append({}, false)).rejects.toThrow(code('READ_ONLY'));
      await reader.close();
      const writer = await reopen(file);
      await writer.close();
      await expect(writer.append({}, false)).rejects.toThrow(code('CLOSED'));
      expect((await contentsOf(file)).records).toEqual([SCHEMA]);
    }));
});

describe('making a log file', () => {
  it('is refused when there is one already, which stays as it is', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      writeFileSync(file, 'mine');
      const made = createLog(file, SCHEMA, { lockFile, warn: unexpected });
      await expect(made).rejects.toThrow(`I/O error: ${file}: create failed (File exists)`);
      expect(readFileSync(file, 'utf8')).toBe('mine');
    }));

  it.each(['/proc', '/nonexistent'])('is refused where no file can be made: %s', async (folder) => {
    const made = createLog(`${folder}/conf.db`, SCHEMA, { lockFile, warn: unexpected });
    await expect(made).rejects.toThrow(
      /^I\/O error: .*conf\.db.*\((No such|Perm|Read-only|Operation)/,
    );
  });

  it('leaves nothing behind but the lock file and the file', () =>
    inFolder(async (folder) => {
      await (await makeLog(path.join(folder, 'conf.db'), [])).close();
      expect(readdirSync(folder).sort()).toEqual(['.conf.db.~lock~', 'conf.db']);
    }));
});

describe('opening a log file', () => {
  it.each([
    ['empty', '', 'cannot identify file type'],
    ['of another kind', 'SQLite format 3\0', 'unexpected file format'],
    ['of a cluster', `OVSDB CLUSTER 3 ${'0'.repeat(40)}\n{}\n`, 'clustered'],
    ['one long line', 'x'.repeat(10_000), 'unexpected file format'],
    ['shorter than its schema', `OVSDB JSON 999 ${'0'.repeat(40)}\n{}\n`, 'End of file'],
    ['of an impossible length', `OVSDB JSON ${'9'.repeat(30)} ${'0'.repeat(40)}\n{}\n`, 'format'],
  ])('is refused when it is %s', (_, text, message) =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      writeFileSync(file, text);
      const log = await openLog(file, { lockFile, warn: unexpected });
      await expect(recordsOf(log)).rejects.toThrow(message);
      await log.close();
      expect(readFileSync(file, 'utf8')).toBe(text);
    }),
  );

  it('is refused when it is not there, or no file', () =>
    inFolder(async (folder) => {
      const missing = openLog(path.join(folder, 'none'), { warn: unexpected });
      await expect(missing).rejects.toThrow(/none: open failed \(No such file or directory\)/);
      mkdirSync(path.join(folder, 'folder'));
      const directory = openLog(path.join(folder, 'folder'), { warn: unexpected });
      await expect(directory).rejects.toThrow(code('BAD_RECORD'));
    }));

  it('is refused twice for writing, through whatever name, and allowed for reading', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, []);
      symlinkSync('conf.db', path.join(folder, 'alias.db'));
      for (const name of ['conf.db', 'alias.db']) {
        const second = openLog(path.join(folder, name), { lockFile, warn: unexpected });
        await expect(second).rejects.toThrow(code('LOCKED'));
        await expect(second).rejects.toThrow('is locked by this process');
      }
      expect((await contentsOf(file)).records).toEqual([SCHEMA]);
      await log.close();
      await (await reopen(path.join(folder, 'alias.db'))).close();
      expect(existsSync(path.join(folder, '.alias.db.~lock~'))).toBe(false);
    }));
});

describe('compacting', () => {
  it('leaves the schema and one record, and the records appended meanwhile', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, []);
      const early = Array.from({ length: 50 }, (_, n) => n);
      const appends = early.map((n) => log.append(numberRecord(n), false));
      const compacted = log.compact(snapshotOf(early));
      for (let n = 50; n < 60; n++) appends.push(log.append(numberRecord(n), n % 2 === 0));
      await Promise.all([compacted, ...appends]);
      await log.append(numberRecord(60), true);
      await log.close();
      const { records, warnings } = await contentsOf(file);
      expect(warnings).toEqual([]);
      expect(records.length).toBe(2 + 11);
      expect(Object.keys(records[1])).toEqual(['_date', '_comment', 'Number']);
      expect(numbersIn(records)).toEqual(Array.from({ length: 61 }, (_, n) => n));
      expect(readdirSync(folder).sort()).toEqual(['.conf.db.~lock~', 'conf.db']);
    }));

  it('writes a database of any number of rows and tables', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, []);
      const rows = Array.from({ length: 5000 }, (_, n) => [`${n}`, { n }] as const);
      for (const count of [0, 1, 5000]) {
        const tables = [
          ['Empty', []],
          ['Full', rows.slice(0, count)],
          ['Last', []],
        ] as const;
        const headings: JsonObject[] = [{}, { _date: 5 }];
        for (const heading of headings) {
          await log.compact({ schema: SCHEMA, heading, tables });
          const full = count > 0 ? { Full: Object.fromEntries(rows.slice(0, count)) } : {};
          expect((await contentsOf(file)).records).toEqual([SCHEMA, { ...heading, ...full }]);
        }
      }
      await log.close();
    }));

  it('keeps the mode of the file, and the lock', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, [numberRecord(1)]);
      chmodSync(file, 0o604);
      await log.compact(snapshotOf([1]));
      expect(statSync(file).mode & 0o777).toBe(0o604);
      await expect(openLog(file, { lockFile, warn: unexpected })).rejects.toThrow(code('LOCKED'));
      await log.close();
    }));

  it('that fails leaves the file as it was', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, [numberRecord(1)]);
      const before = readFileSync(file);
      mkdirSync(`${file}.tmp`);
      await expect(log.compact(snapshotOf([1]))).rejects.toThrow(/compaction failed/);
      expect(readFileSync(file)).toEqual(before);
      await log.append(numberRecord(2), true);
      await log.close();
      expect(numbersIn((await contentsOf(file)).records)).toEqual([1, 2]);
    }));

  it('gives up, leaving nothing behind, when the file is closed meanwhile', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, [numberRecord(1)]);
      const compacted = log.compact(snapshotOf([1]));
      const outcome = expect(compacted).rejects.toThrow(code('CLOSED'));
      await log.close();
      await outcome;
      expect(readdirSync(folder).sort()).toEqual(['.conf.db.~lock~', 'conf.db']);
      expect(numbersIn((await contentsOf(file)).records)).toEqual([1]);
    }));

  it('is not begun twice', () =>
    inFolder(async (folder) => {
      const log = await makeLog(path.join(folder, 'conf.db'), [numberRecord(1)]);
      const first = log.compact(snapshotOf([1]));
      await expect(log.compact(snapshotOf([1]))).rejects.toThrow(code('COMPACTING'));
      await first;
      await log.close();
    }));

  it('throws away what a killed one left', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, [numberRecord(1)]);
      writeFileSync(`${file}.tmp`, 'x'.repeat(100_000));
      await log.compact(snapshotOf([1]));
      await log.close();
      expect(numbersIn((await contentsOf(file)).records)).toEqual([1]);
      expect(existsSync(`${file}.tmp`)).toBe(false);
    }));

  it('begins a new count of records and bytes', () =>
    inFolder(async (folder) => {
      const file = path.join(folder, 'conf.db');
      const log = await makeLog(file, []);
      const numbers = Array.from({ length: 20 }, (_, n) => n);
      for (const n of numbers) await log.append(numberRecord(n), false);
      expect(log.recordsSinceBase).toBe(20);
      expect(log.size).toBe(statSync(file).size);
      await log.compact(snapshotOf(numbers));
      expect(log.recordsSinceBase).toBe(0);
      expect(log.baseSize).toBe(statSync(file).size);
      await log.append(numberRecord(20), false);
      await log.close();
      const again = await reopen(file);
      expect(again.recordsSinceBase).toBe(1);
      expect(again.baseSize).toBe(log.baseSize);
      await again.close();
    }));
});

/** Where FileHandle's methods can be watched: node does not export the class. */
async function fileHandlePrototype(folder: string): Promise<{ datasync: () => Promise<void> }> {
  const handle = await open(folder, 'r');
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  return prototype;
}
