/** What is kept of a file that was cut or changed. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import {
  contentsOf,
  inFolder,
  makeLog,
  numberRecord,
  numbersIn,
  reopen,
  SCHEMA,
} from './contents.ts';

const NUMBERS = [1, 2, 3];

/** Runs with a file of a schema and three records, and where each of the four ends. */
const withFile = (use: (file: string, bytes: Buffer, ends: number[]) => Promise<void>) =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'conf.db');
    const log = await makeLog(file, []);
    const ends = [log.size];
    for (const n of NUMBERS) {
      await log.append(numberRecord(n), false);
      ends.push(log.size);
    }
    await log.close();
    await use(file, readFileSync(file), ends);
  });

it('every record that is whole is kept, wherever the file is cut, and appending goes on', () =>
  withFile(async (file, bytes, ends) => {
    for (let size = 0; size < bytes.length; size++) {
      writeFileSync(file, bytes.subarray(0, size));
      const whole = ends.filter((end) => end <= size).length;
      if (whole === 0) {
        await expect(contentsOf(file)).rejects.toMatchObject({ code: 'BAD_RECORD' });
        continue;
      }
      const warnings: string[] = [];
      const log = await reopen(file, (line) => warnings.push(line));
      expect(warnings.length).toBe(ends.includes(size) ? 0 : 2);
      expect(readFileSync(file).length).toBe(size);
      await log.append(numberRecord(9), false);
      await log.close();
      const after = await contentsOf(file);
      expect(after.warnings).toEqual([]);
      expect(numbersIn(after.records)).toEqual([...NUMBERS.slice(0, whole - 1), 9]);
    }
  }));

it('every record before a changed byte is kept, and none is read other than it was', () =>
  withFile(async (file, bytes, ends) => {
    const originals: JsonObject[] = [SCHEMA, ...NUMBERS.map((n) => numberRecord(n))];
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [0x01, 0x20]) {
        const changed = Buffer.from(bytes);
        changed[at] ^= change;
        writeFileSync(file, changed);
        const damaged = ends.findIndex((end) => at < end);
        const { records } = await contentsOf(file).catch(() => ({ records: [] }));
        expect(records.length).toBeGreaterThanOrEqual(damaged);
        expect(records).toEqual(originals.slice(0, records.length));
        // The SHA-1 may be written in capitals; any other change is noticed.
        if (change === 0x01) expect(records.length).toBe(damaged);
      }
    }
  }));

it('the warnings say what is wrong and where', () =>
  withFile(async (file, bytes, ends) => {
    const [, first, second] = ends;
    const header = bytes.indexOf('\n', first) - first;
    const start = first + header + 1;
    const length = second - start;

    truncateSync(file, second - 1);
    const cut = await contentsOf(file);
    expect(cut.warnings).toEqual([
      `I/O error: ${file}: error reading ${length} bytes starting at offset ${start} (End of file)`,
      `${file}: ${second - 1 - first} bytes after offset ${first} are not used`,
    ]);

    writeFileSync(file, Buffer.concat([bytes.subarray(0, first), Buffer.from('rubbish\n')]));
    const [rubbish] = (await contentsOf(file)).warnings;
    expect(rubbish).toBe(
      `syntax error: ${file}: parse error at offset ${first} in header line "rubbish"`,
    );

    const changed = Buffer.from(bytes);
    changed[start + 1] ^= 1;
    writeFileSync(file, changed);
    const [hash] = (await contentsOf(file)).warnings;
    expect(hash).toMatch(
      `syntax error: ${file}: ${length} bytes starting at offset ${start} have SHA-1 hash `,
    );
  }));
