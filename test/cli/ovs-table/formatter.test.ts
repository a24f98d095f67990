import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TableFormatter } from '../../../src/cli/ovs-table/formatter.ts';
import { TABLE_OPTIONS, tableStyle, takeTableOption } from '../../../src/cli/ovs-table/style.ts';
import { Table } from '../../../src/cli/ovs-table/table.ts';
import { getopt } from '../../../src/daemon/getopt.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { Row } from '../../../src/ovsdb/database/row.ts';
import { Replica } from '../../../src/ovsdb/replica/replica.ts';
import { stockMissing } from '../../ovsdb/database/stock-database.ts';
import { StockServer } from '../../ovsdb/replica/stock-server.ts';

const many = { min: 0, max: 'unlimited' };
const SCHEMA: JsonObject = {
  name: 'Zoo',
  version: '1.0.0',
  tables: {
    Animal: {
      isRoot: true,
      columns: {
        atext: { type: 'string' },
        bools: { type: { key: 'boolean', min: 0, max: 2 } },
        empty: { type: { key: 'string', ...many } },
        ints: { type: { key: 'integer', ...many } },
        optional: { type: { key: 'string', min: 0, max: 1 } },
        pairs: { type: { key: 'string', value: 'integer', ...many } },
        reals: { type: { key: 'real', ...many } },
        a_name_longer_than_twenty: { type: 'integer' },
        refs: { type: { key: { type: 'uuid', refTable: 'Animal' }, ...many } },
        texts: { type: { key: 'string', value: 'string', ...many } },
        zlast: { type: { key: 'string', ...many } },
      },
    },
    Stone: { isRoot: true, columns: { name: { type: 'string' } } },
  },
};

const ROWS: JsonObject[] = [
  {
    atext: 'a,"b"\n<&>',
    optional: 'true',
    bools: ['set', [true, false]],
    ints: ['set', [-1, 7]],
    reals: ['set', [0.1, 1e300, -2, 1e-7]],
    texts: [
      'map',
      [
        ['ü é', '日本\t'],
        ['plain-name.x', ''],
        ['a=b', '\u007f\\'],
      ],
    ],
  },
  {
    pairs: [
      'map',
      [
        ['x', 1],
        ['', 2],
      ],
    ],
    refs: ['set', [['named-uuid', 'second']]],
  },
  { atext: '00000000-1111-2222-3333-444444444444', zlast: ['set', ['z', 'z z']] },
];

/** Prints what `ovsdb-client dump` does. */
function dump(replica: Replica, args: readonly string[]): string {
  const style = tableStyle('table');
  for (const option of getopt(args, TABLE_OPTIONS).options) takeTableOption(style, option);
  const formatter = new TableFormatter(style);
  return ['Animal', 'Stone'].map((name) => formatter.format(tableOf(replica, name))).join('');
}

function tableOf(replica: Replica, name: string): Table {
  const all = [...(replica.schema?.tables.get(name)?.columns.values() ?? [])];
  const shown = all
    .filter(({ name }) => name !== '_version')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const table = new Table(
    shown.map((column) => column.name),
    `${name} table`,
  );
  const textOf = (row: Row) => String(row.get(name === 'Stone' ? 'name' : 'atext').keys[0]);
  const rows = [...replica.rows(name).values()].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  for (const row of rows) {
    table.add(shown.map(({ index, type }) => ({ datum: row.at(index), type })));
  }
  return table;
}

describe.skipIf(stockMissing() && !process.env.TAPFLOW_REQUIRE_SYSTEM)('a table', () => {
  let server: StockServer;
  let replica: Replica;

  beforeAll(async () => {
    server = new StockServer([SCHEMA]);
    await server.start();
    replica = new Replica(server.open, { database: 'Zoo', name: 'zoo' });
    await replica.synced();
    const inserts = ROWS.map((row, i) => ({
      op: 'insert',
      table: 'Animal',
      'uuid-name': ['first', 'second', 'third'][i],
      row,
    }));
    await replica.transact(inserts);
  });

  afterAll(async () => {
    replica.close();
    await server.destroy();
  });

  const formats = ['table', 'list', 'html', 'csv', 'json'].flatMap((format) =>
    ['string', 'bare', 'json'].map((data) => ['-f', format, '-d', data]),
  );

  it.each<string[][]>([
    ...formats.map((args) => [args]),
    ...formats.map((args) => [[...args, '--no-headings']]),
    [['--bare']],
    [['--pretty', '-fjson']],
    [['--pretty', '-djson']],
    [['--max-column-width=5']],
    [['--max-column-width=9', '--no-headings']],
    [['--max-column-width=x']],
  ])('is printed as stock prints it with %j', (args) => {
    const dumpArgs = ['dump', `unix:${server.socket}`, 'Zoo'];
    const stock = execFileSync('ovsdb-client', [...args, ...dumpArgs], { env: server.env });
    expect(dump(replica, args)).toBe(stock.toString());
  });

  it('refuses formats that it does not know', () => {
    const take = (name: string, value: string) =>
      takeTableOption(tableStyle('list'), { name, value });
    expect(() => take('format', 'xml')).toThrow('unknown output format "xml"');
    expect(() => take('data', 'xml')).toThrow('unknown data format "xml"');
    expect(take('timestamp', 'x')).toBe(false);
  });

  it('has its time above it, or in it as JSON', () => {
    const table = new Table(['a', 'b'], 'Both');
    table.timestamp = new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 7));
    table.add([{ json: { z: 1, a: 2 } }, '']);
    const texts = (['table', 'list', 'html', 'csv', 'json'] as const).map((format) =>
      new TableFormatter(tableStyle(format)).format(table),
    );
    const time = '2026-02-03 04:05:06.007';
    expect(texts[0]).toBe(`${time}\nBoth\na             b\n------------- -\n{"a":2,"z":1}\n`);
    expect(texts[1]).toBe(
      `${time}\nBoth\na                   : {"a":2,"z":1}\nb                   : \n`,
    );
    expect(texts[2].startsWith(`${time}\n<table border=1>\n    <caption>Both</caption>\n`)).toBe(
      true,
    );
    expect(texts[3]).toBe(`${time}\nBoth\na,b\n"{""a"":2,""z"":1}",\n`);
    const json = '"data":[[{"a":2,"z":1},""]],"headings":["a","b"]';
    expect(texts[4]).toBe(`{"caption":"Both",${json},"time":"${time}"}\n`);
  });
});
