/** Small databases for the tests of the log file, and what is in them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { native } from '../../../src/native.ts';
import { createLog, type LogFile, openLog } from '../../../src/ovsdb/file/log-file.ts';

export const SCHEMA: JsonObject = {
  name: 'Numbers',
  version: '1.0.0',
  tables: { Number: { columns: { n: { type: 'integer' } }, isRoot: true } },
};

export const lockFile = (fd: number): number => native().lockFile(fd);

/** A transaction that adds the row of a number. */
export const numberRecord = (n: number, more: JsonObject = {}): JsonObject => ({
  _date: 1700000000000 + n,
  ...more,
  Number: { [uuidOf(n)]: { n } },
});

export const uuidOf = (n: number): string =>
  `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** The numbers whose rows these records leave. */
export function numbersIn(records: readonly JsonObject[]): number[] {
  const uuids = records.flatMap(({ Number: rows = {} }) => Object.keys(rows as JsonObject));
  return uuids.map((uuid) => Number(uuid.slice(-12)));
}

export interface Contents {
  records: JsonObject[];
  warnings: string[];
}

/** All records, as a reader without the lock finds them. */
export async function contentsOf(file: string): Promise<Contents> {
  const warnings: string[] = [];
  const log = await openLog(file, { warn: (line) => warnings.push(line) });
  try {
    return { records: await recordsOf(log), warnings };
  } finally {
    await log.close();
  }
}

export async function recordsOf(log: LogFile): Promise<JsonObject[]> {
  const records: JsonObject[] = [];
  await log.read((record) => records.push(record));
  return records;
}

/** A new database with a transaction for each record. */
export async function makeLog(file: string, records: readonly JsonObject[]): Promise<LogFile> {
  const log = await createLog(file, SCHEMA, { lockFile, warn: unexpected });
  for (const record of records) await log.append(record, false);
  return log;
}

/** Opened to be appended to, and read. */
export async function reopen(
  file: string,
  warn: (line: string) => void = unexpected,
): Promise<LogFile> {
  const log = await openLog(file, { lockFile, warn });
  await recordsOf(log);
  return log;
}

export function unexpected(line: string): never {
  throw new Error(`there was nothing to warn of: ${line}`);
}

/** Runs with a folder of its own. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tapflow-log-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A snapshot of the rows of some numbers. */
export const snapshotOf = (
  numbers: Iterable<number>,
  heading: Record<string, Json> = { _date: 1, _comment: 'compacting database online' },
) => ({
  schema: SCHEMA,
  heading,
  tables: [['Number', rowsOf(numbers)]] as const,
});

function* rowsOf(numbers: Iterable<number>): Generator<readonly [string, JsonObject]> {
  for (const n of numbers) yield [uuidOf(n), { n }];
}
