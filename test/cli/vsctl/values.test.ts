import { describe, expect, it } from 'vitest';
import { parseColumnAndKey, parseComparison } from '../../../src/cli/vsctl/column-argument.ts';
import { escapeArguments } from '../../../src/cli/vsctl/command.ts';
import { parseCommands } from '../../../src/cli/vsctl/command-line.ts';
import { parseDatumText } from '../../../src/cli/vsctl/datum-text.ts';
import { findColumn, findTable } from '../../../src/cli/vsctl/names.ts';
import { loadSchema } from '../../../src/cli/vsctl/schema.ts';
import { RowSymbols } from '../../../src/cli/vsctl/symbols.ts';
import { type ColumnType, UNLIMITED } from '../../../src/ovsdb/data/column-type.ts';
import type { TableSchema } from '../../../src/ovsdb/data/schema.ts';

const schema = await loadSchema();
const port = schema.tables.get('Port') as TableSchema;

const INTEGERS: ColumnType = { key: { type: 'integer' }, min: 0, max: UNLIMITED };
const STRING: ColumnType = { key: { type: 'string' }, min: 1, max: 1 };
const MAP: ColumnType = { ...INTEGERS, key: { type: 'string' }, value: { type: 'integer' } };

describe('values as users type them', () => {
  const keys = (text: string, type: ColumnType) =>
    parseDatumText(text, type, new RowSymbols()).keys;
  const pairs = (text: string) => {
    const { keys, values = [] } = parseDatumText(text, MAP, new RowSymbols());
    return keys.map((key, i) => [key, values[i]]);
  };

  it.each([
    ['3', [3]],
    [' 3 , 1,2 ', [1, 2, 3]],
    ['[1 2]', [1, 2]],
    ['[]', []],
    ['1-4,9', [1, 2, 3, 4, 9]],
    ['-3--1', [-3, -2, -1]],
    ['9223372036854775807', [9223372036854775807n]],
  ])('"%s" is a set of integers', (text, members) => {
    expect(keys(text, INTEGERS)).toEqual(members);
  });

  it.each([
    ['a', 'a'],
    ['a\\ b', 'a b'],
    ['"a b"', 'a b'],
    ['"\\u00e9\\n"', 'é\n'],
    ['"a\tb"', 'a\tb'],
    ['""', ''],
    ['a"b c"d', 'a"b c"d'],
  ])('%s is a string', (text, value) => {
    expect(keys(text, STRING)).toEqual([value]);
  });

  it('pairs stand with or without braces, with blanks anywhere', () => {
    const expected = [
      ['a', 1],
      ['b c', 2],
    ];
    expect(pairs('a=1,"b c"=2')).toEqual(expected);
    expect(pairs('{ a = 1 "b c"= 2, }')).toEqual(expected);
    expect(pairs('{}')).toEqual([]);
  });

  it.each([
    ['', INTEGERS, 'use "[]" to specify the empty set'],
    ['', MAP, 'use "{}" to specify the empty map'],
    ['x', INTEGERS, '"x" is not a valid integer or range'],
    ['3-1', INTEGERS, '"3-1" is not a valid range. Range end cannot be before start.'],
    ['1,1', INTEGERS, '1,1: set contains duplicate value'],
    ['[1', INTEGERS, '[1: missing "]" at end of data'],
    ['[1]2', INTEGERS, '[1]2: trailing garbage after "]"'],
    ['1]', INTEGERS, '1]: unexpected "]" parsing set of integers'],
    ['a b', STRING, 'a b: 2 value(s) specified but the maximum number is 1'],
    ['"a', STRING, '"a: quoted string extends past end of argument'],
    ['a\\', STRING, 'a\\: backslash at end of argument'],
    ['"a"b', STRING, '"a"b: missing quote at end of quoted string'],
    ['"\\q"', STRING, '"\\q": bad escape \\q'],
    ['a=1,a=2', MAP, 'a=1,a=2: map contains duplicate key'],
    ['a:1', MAP, 'a:1: syntax error at ":" expecting "="'],
    ['0-4096', INTEGERS, 'Range "0-4096" is too big. Maximum allowed size is 4096.'],
  ])('of "%s" what is wrong is said', (text, type, message) => {
    expect(() => keys(text, type)).toThrow(message);
  });

  it('a name stands for a row, and who refers to it is known', () => {
    const symbols = new RowSymbols();
    const key = { type: 'uuid', refTable: 'Port', refType: 'weak' } as const;
    const { keys } = parseDatumText('@p', { key, min: 0, max: 1 }, symbols);
    expect(() => symbols.check(() => {})).toThrow('row id "@p" is referenced but never created');
    expect(symbols.create('@p').uuid).toBe(keys[0]);
    const warnings: string[] = [];
    symbols.check((warning) => warnings.push(warning));
    expect(warnings).toEqual([expect.stringContaining('only a weak reference to it')]);
  });
});

describe('names', () => {
  it('may be shortened, in any case, with - for _', () => {
    expect(findTable(schema, 'open-v').name).toBe('Open_vSwitch');
    expect(findTable(schema, 'n').name).toBe('NetFlow');
    expect(findColumn(port, 'Fake-B').name).toBe('fake_bridge');
  });

  it('are refused when they fit none, or several', () => {
    expect(() => findTable(schema, 'nope')).toThrow('unknown table "nope"');
    expect(() => findTable(schema, 'q')).toThrow('"q" matches multiple table names: QoS, Queue');
    expect(() => findColumn(port, '')).toThrow('Port does not contain a column whose name');
    expect(() => findColumn(port, 'bond_m')).not.toThrow();
    expect(() => findColumn(port, 'rstp')).toThrow('more than one column');
  });

  it('end at a key, an operator or the end', () => {
    expect(parseColumnAndKey('other_config:a', port)).toMatchObject({ key: 'a' });
    expect(parseColumnAndKey('other_config:"a:b"', port)).toMatchObject({ key: '"a:b"' });
    expect(() => parseColumnAndKey('tag=1', port)).toThrow('trailing garbage "=1" in argument');
    const comparison = parseComparison('tag{<=}1,2', port, ['=', '{<}', '{<=}']);
    expect(comparison).toMatchObject({ operator: '{<=}', value: '1,2', key: undefined });
    expect(() => parseComparison('tag=', port, ['=', '<'])).toThrow(
      'tag=: argument does not end in "=", or "<" followed by a value.',
    );
  });
});

describe('command lines', () => {
  const parse = (...words: string[]) => parseCommands(words, new Map());

  it('are commands with their own options, with -- between them', () => {
    const words = ['--', '--id=@a', 'create', 'Queue', 'dscp=1', '--', 'list-br', '--'];
    const commands = parse(...words);
    expect(commands.map(({ syntax, args }) => [syntax.name, ...args])).toEqual([
      ['create', 'Queue', 'dscp=1'],
      ['list-br'],
    ]);
    expect([...commands[0].options]).toEqual([['--id', '@a']]);
  });

  it.each([
    [[], 'missing command name (use --help for help)'],
    [['nope'], "unknown command 'nope'; use --help for help"],
    [['--id=1', 'list-br'], "'list-br' command has no '--id' option"],
    [['--id', 'create', 'a', 'b'], "missing argument to '--id' option on 'create' command"],
    [['--all=1', 'destroy', 'a'], "'--all' option on 'destroy' does not accept an argument"],
    [['add-br'], "'add-br' command requires at least 1 arguments"],
    [['list-br', 'x'], "'list-br' command takes at most 0 arguments"],
    [['list-br', '--real'], 'options must precede command names and follow a "--" argument'],
  ])('%s: what is wrong is said', (words, message) => {
    expect(() => parse(...words)).toThrow(message);
  });

  it('are written so that their words can be told apart', () => {
    expect(escapeArguments(['a', 'b c', 'd"e', "f'g"])).toBe('a "b c" "d\\"e" "f\'g"');
  });
});
