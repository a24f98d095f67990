import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Cell } from '../../src/schema/cell-type.ts';
import { openVswitchSchema, type Rows, tables } from '../../src/schema/schema.ts';
import type { AnyTable } from '../../src/schema/table-definition.ts';
import { ROOT } from '../docs/pages.ts';
import { itAsStock } from '../flow/stock.ts';
import { schemaPage } from './page.ts';

const STOCK = '/usr/share/openvswitch/vswitch.ovsschema';

const all: [string, AnyTable][] = Object.entries(tables);

describe('the Open_vSwitch schema', () => {
  it('has 19 tables and 184 columns', () => {
    expect(all.length).toBe(19);
    expect(all.flatMap(([, { columns }]) => Object.keys(columns)).length).toBe(184);
  });

  it('refers only to tables that it has', () => {
    const text = JSON.stringify(openVswitchSchema);
    const found = [...text.matchAll(/"refTable":"(\w+)"/g)].map(([, name]) => name);
    expect(found.length).toBeGreaterThan(15);
    expect(found.filter((name) => !(name in tables))).toEqual([]);
  });

  itAsStock('is, to the stock tools, the one that Open vSwitch has', () => {
    expect(firstRecordOf(openVswitchSchema)).toEqual(firstRecordOf(readJson(STOCK)));
  });

  itAsStock('is written as stock tools write it', () => {
    expect(openVswitchSchema).toEqual(firstRecordOf(openVswitchSchema));
  });

  itAsStock('has the checksum that cksum gives for the stock file without its own line', () => {
    const { stdout } = spawnSync('sh', ['-c', `grep -v '"cksum"' ${STOCK} | cksum`]);
    expect(openVswitchSchema.cksum).toBe(stdout.toString().trim());
  });

  it('is what the reference page shows', async () => {
    await expect(schemaPage()).toMatchFileSnapshot(join(ROOT, 'docs/schema.md'));
  });
});

describe('a row', () => {
  const cells = new Map<string, Cell>([
    ['timeouts', { keys: ['icmp_reply', 'udp_first'], values: [30, 60] }],
    ['external_ids', { keys: [], values: [] }],
  ]);

  it('is read with the types that its columns say', () => {
    const row = tables.CT_Timeout_Policy.read(cells);
    expect(row.timeouts).toEqual(
      new Map([
        ['icmp_reply', 30],
        ['udp_first', 60],
      ]),
    );
    expect(row.external_ids).toEqual(new Map());
  });

  it.each([
    ['a key that is not in the enumeration', { keys: ['icmp'], values: [1] }],
    ['a value out of range', { keys: ['udp_first'], values: [-1] }],
    ['a value that is no integer', { keys: ['udp_first'], values: ['60'] }],
    ['a set in place of a map', { keys: ['udp_first'] }],
  ])('is refused with %s', (_, timeouts) => {
    const wrong = new Map<string, Cell>([...cells, ['timeouts', timeouts]]);
    const read = () => tables.CT_Timeout_Policy.read(wrong);
    expect(read).toThrow(expect.objectContaining({ code: 'BAD_CELL' }));
  });

  it('is refused without one of its columns', () => {
    expect(() => tables.CT_Timeout_Policy.read(new Map())).toThrow('no column timeouts');
  });

  it('has undefined for what is optional and not there', () => {
    const { fail_mode, protocols, name } = tables.Bridge.columns;
    expect(fail_mode.read({ keys: [] })).toBe(undefined);
    expect(fail_mode.read({ keys: ['secure'] })).toBe('secure');
    expect(protocols.read({ keys: ['OpenFlow10', 'OpenFlow15'] })).toEqual([
      'OpenFlow10',
      'OpenFlow15',
    ]);
    expect(() => name.read({ keys: [] })).toThrow('string was expected, not nothing');
  });

  it('has integers of 64 bits as they come', () => {
    const { next_cfg } = tables.Open_vSwitch.columns;
    expect(next_cfg.read({ keys: [2n ** 60n] })).toBe(2n ** 60n);
    expect(() => tables.Queue.columns.dscp.read({ keys: [64] })).toThrow('64');
  });

  it('has its type from the declaration', () => {
    expectTypeOf<Rows['Bridge']['fail_mode']>().toEqualTypeOf<
      'standalone' | 'secure' | undefined
    >();
    expectTypeOf<Rows['Bridge']['ports']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<Rows['Bridge']['flow_tables']>().toEqualTypeOf<ReadonlyMap<number, string>>();
    expectTypeOf<Rows['Port']['tag']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Rows['Interface']['ofport']>().toEqualTypeOf<number | bigint | undefined>();
    expectTypeOf<Rows['Open_vSwitch']['next_cfg']>().toEqualTypeOf<number | bigint>();
    expectTypeOf<keyof Rows['Queue']>().toEqualTypeOf<'dscp' | 'other_config' | 'external_ids'>();
  });
});

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** What `ovsdb-tool create` makes of a schema: stock's own form of it. */
function firstRecordOf(schema: unknown): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'tapflow-schema-'));
  try {
    const [file, db] = [join(folder, 'schema.json'), join(folder, 'conf.db')];
    writeFileSync(file, JSON.stringify(schema));
    const { status, stderr } = spawnSync('ovsdb-tool', ['create', db, file], { encoding: 'utf8' });
    expect(`${stderr}${status}`).toBe('0');
    return JSON.parse(readFileSync(db, 'utf8').split('\n')[1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
