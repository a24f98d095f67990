/**
 * A process that appends to a database as fast as it can, to be killed or to
 * run out of space (writer.ts is the parent). Plain JavaScript: it runs outside
 * vitest.
 *
 *     node writer.js FILE
 *
 * Each number, from the first that the file does not have, becomes a row in a
 * durable transaction, eight at a time; now and then the file is compacted. Lines on
 * standard output: `N` when number N is acknowledged, `failed CODE` when some
 * were refused. Then it waits for a line on standard input, and tries again.
 */

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { native } from '../../../dist/native.js';
import { createLog, openLog } from '../../../dist/ovsdb/file/log-file.js';

const SCHEMA = {
  name: 'Numbers',
  version: '1.0.0',
  tables: { Number: { columns: { n: { type: 'integer' } }, isRoot: true } },
};

const [file] = process.argv.slice(2);
const lockFile = (fd) => native().lockFile(fd);
const say = (line) => writeSync(1, `${line}\n`);
const uuidOf = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Rows by uuid: the database. */
const rows = new Map();
const log = await open();
for (;;) await appendSome();

async function open() {
  const options = { lockFile, warn: () => {} };
  try {
    return await createLog(file, SCHEMA, options);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const log = await openLog(file, options);
  await log.read(({ Number: found = {} }) => {
    for (const [uuid, row] of Object.entries(found)) rows.set(uuid, row);
  });
  return log;
}

async function appendSome() {
  const appends = Array.from({ length: 8 }, () => append(rows.size + 1));
  if (Math.random() < 0.05) log.compact(snapshot()).catch(() => {});
  const failed = (await Promise.all(appends)).filter((code) => code !== undefined);
  if (failed.length === 0) return;
  say(`failed ${failed[0]}`);
  await once(process.stdin, 'data');
}

/** @returns a code, if it failed */
async function append(n) {
  rows.set(uuidOf(n), { n });
  try {
    await log.append({ _date: Date.now(), Number: { [uuidOf(n)]: { n } } }, true);
    say(n);
    return undefined;
  } catch (error) {
    rows.delete(uuidOf(n));
    return error.code;
  }
}

function snapshot() {
  const heading = { _date: Date.now(), _comment: 'compacting database online' };
  return { schema: SCHEMA, heading, tables: [['Number', [...rows]]] };
}
