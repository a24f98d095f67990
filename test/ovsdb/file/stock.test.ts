/** Files exchanged with Open vSwitch's own tools. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { encodeRecord } from '../../../src/ovsdb/file/record-format.ts';
import { itAsStock } from '../../flow/stock.ts';
import {
  contentsOf,
  inFolder,
  makeLog,
  numberRecord,
  numbersIn,
  reopen,
  SCHEMA,
  snapshotOf,
} from './contents.ts';

const SELECT = JSON.stringify([
  'Numbers',
  { op: 'select', table: 'Number', where: [], columns: ['n'] },
]);
const insert = (n: number): string =>
  JSON.stringify(['Numbers', { op: 'insert', table: 'Number', row: { n } }]);

itAsStock('stock tools read our files, before and after compacting', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'conf.db');
    const log = await makeLog(
      file,
      [1, 2].map((n) => numberRecord(n, { _comment: `add ${n}` })),
    );
    expect(numbersByStock(file)).toEqual([1, 2]);
    expect(ovsdbTool('show-log', file)).toContain('"add 2"');
    await log.compact(snapshotOf([1, 2]));
    await log.append(numberRecord(3), true);
    await log.close();
    expect(numbersByStock(file)).toEqual([1, 2, 3]);
    expect(ovsdbTool('show-log', file)).toContain('"compacting database online"');
    expect(ovsdbTool('db-name', file)).toBe('Numbers\n');
    ovsdbTool('compact', file);
    expect(numbersByStock(file)).toEqual([1, 2, 3]);
  }),
);

itAsStock('we read the files of stock tools, and go on with them', () =>
  inFolder(async (folder) => {
    const [schema, file] = [path.join(folder, 'schema.json'), path.join(folder, 'conf.db')];
    writeFileSync(schema, JSON.stringify(SCHEMA));
    ovsdbTool('create', file, schema);
    for (const n of [1, 2]) ovsdbTool('transact', file, insert(n));
    const log = await reopen(file);
    await log.append(numberRecord(3), true);
    await log.close();
    expect(numbersByStock(file)).toEqual([1, 2, 3]);
    ovsdbTool('compact', file);
    const { records } = await contentsOf(file);
    expect(records.length).toBe(2);
    expect(Object.keys(records[1].Number ?? {}).length).toBe(3);
  }),
);

itAsStock('a file that we have is locked to stock tools, and theirs to us', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'conf.db');
    const log = await makeLog(file, [numberRecord(1)]);
    expect(() => ovsdbTool('transact', file, insert(2))).toThrow('failed to lock lockfile');
    await log.close();
    ovsdbTool('transact', file, insert(2));
    expect(numbersByStock(file)).toEqual([1, 2]);
  }),
);

itAsStock('what is wrong with a file is told in the words of stock tools', () =>
  inFolder(async (folder) => {
    const [file, copy] = [path.join(folder, 'conf.db'), path.join(folder, 'copy.db')];
    const log = await makeLog(file, []);
    const middle = log.size + 200;
    for (const n of [1, 2, 3, 4]) await log.append(numberRecord(n), false);
    await log.close();
    const { length } = readFileSync(file);
    for (const damage of [
      cutTo(length - 1),
      cutTo(length - 40),
      cutTo(length - 130),
      change(middle),
      change(length - 9),
      add(Buffer.from('OVSDB JSON')),
      add(Buffer.from('\n')),
      ...['{"a":}', '{"a"', '[1]', '{} {}', '{"a":01}'].map((json) => add(...encodeRecord(json))),
    ]) {
      copyFileSync(file, copy);
      damage(copy);
      const { records, warnings } = await contentsOf(copy);
      expect(numbersIn(records).length).toBeLessThanOrEqual(4);
      const wanted = warnings[0];
      expect(() => ovsdbTool('query', copy, SELECT)).toThrow(`: ovsdb-tool: ${wanted}\n`);
    }
  }),
);

const add =
  (...bytes: Buffer[]) =>
  (file: string) =>
    appendFileSync(file, Buffer.concat(bytes));

const cutTo = (size: number) => (file: string) => truncateSync(file, size);

const change = (at: number) => (file: string) => {
  const bytes = readFileSync(file);
  bytes[at] ^= 1;
  writeFileSync(file, bytes);
};

function numbersByStock(file: string): number[] {
  const [{ rows }] = JSON.parse(ovsdbTool('query', file, SELECT));
  return rows.map(({ n }: { n: number }) => n).sort((a: number, b: number) => a - b);
}

function ovsdbTool(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync('ovsdb-tool', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ovsdb-tool ${args.join(' ')}: ${stderr}`);
  return stdout;
}
