/**
 * Random command lines, the same for the same seed: mostly such as mean
 * something, over few names so that they meet, some wrong in one place or in many.
 */

import { COMMANDS } from '../../../src/cli/vsctl/commands.ts';
import type { BaseType } from '../../../src/ovsdb/data/base-type.ts';
import type { ColumnSchema, TableSchema } from '../../../src/ovsdb/data/schema.ts';
import { parseSchema } from '../../../src/ovsdb/data/schema.ts';
import { openVswitchSchema } from '../../../src/schema/schema.ts';

const SCHEMA = parseSchema(openVswitchSchema);
const BRIDGES = ['br0', 'br1', 'fake5', 'fake6'];
const PORTS = ['p0', 'p1', 'bond0', 'br0', 'fake5'];
const INTERFACES = ['p0', 'p1', 'i0', 'i1', 'i2', 'br1'];
const VLANS = ['5', '6', '0', '4095', '4096', '-1', 'x', '5x'];
const TARGETS = ['tcp:1.2.3.4', 'ptcp:', 'ssl:h:1', 'punix:/x', 'unix:/y', 'foo', 'tcp'];
const STRINGS = [
  'a',
  'b',
  'c-d',
  '"x y"',
  '""',
  '"a\\"b"',
  '"\\u00e9"',
  'é',
  '1',
  'true',
  '"',
  'a\\b',
  'a b',
];
const INTEGERS = [
  '0',
  '1',
  '5',
  '7',
  '100',
  '1-3',
  '3-1',
  '-1',
  '+2',
  ' 4',
  '4095',
  '4096',
  '65536',
  'x',
  '1.5',
];
const REALS = ['1', '2.5', '-1e3', 'x'];
const BOOLEANS = ['true', 'false', 'yes', 'no', 'on', 'off', '1', '0', 'maybe'];
const IDS = ['@a', '@b', '@c', 'x'];
const DATABASE_TABLES = [...SCHEMA.tables.keys()];
const COMMON_TABLES = ['Bridge', 'Port', 'Interface', 'Open_vSwitch', 'QoS', 'Queue', 'Mirror'];
const OPERATORS = [
  '=',
  '!=',
  '<',
  '>',
  '<=',
  '>=',
  '{=}',
  '{!=}',
  '{<}',
  '{>}',
  '{<=}',
  '{>=}',
  '{in}',
  '{not-in}',
  '~',
  '',
];

export class RandomCommands {
  #state: number;
  /** Percentage of places where something wrong stands. */
  readonly #faults: number;

  constructor(seed: number, faults: number) {
    this.#state = seed * 2654435761 + 1;
    this.#faults = faults;
  }

  next(): string[] {
    const count = this.#chance(70) ? 1 : 1 + this.#below(4);
    const line: string[] = [];
    if (this.#chance(8)) line.push(this.#pick(GLOBAL_OPTIONS));
    for (let i = 0; i < count; i++) line.push('--', ...this.#command());
    return line;
  }

  #command(): string[] {
    const name = this.#chance(this.#faults) ? this.#pick(ALL) : this.#pick(USUAL);
    const args = this.#wrong(ARGUMENTS[name]?.(this) ?? []);
    return [...this.#options(name), name, ...args];
  }

  #options(name: string): string[] {
    const known = COMMANDS.get(name)?.options ?? [];
    const options = known.filter(() => this.#chance(25));
    if (this.#chance(this.#faults / 4)) options.push(this.#pick(['--may-exist', '--id=', '--foo']));
    return options.map((option) =>
      option.endsWith('=') ? option + this.#optionValue(option) : option,
    );
  }

  #optionValue(option: string): string {
    if (option === '--id=') return this.#pick(IDS);
    if (option === '--columns=')
      return this.#pick(['name', '_uuid,name', 'ext', 'other_config,type', '']);
    return this.#pick(['100', '0', 'x']);
  }

  #wrong(args: string[]): string[] {
    if (!this.#chance(this.#faults)) return args;
    const at = this.#below(args.length + 1);
    const kind = this.#below(4);
    if (kind === 0) return args.filter((_argument, i) => i !== at);
    if (kind === 1) return [...args.slice(0, at), this.#pick(ODD), ...args.slice(at)];
    if (kind === 2) return args.map((argument, i) => (i === at ? this.#pick(ODD) : argument));
    return args.map((argument, i) => (i === at ? this.#damaged(argument) : argument));
  }

  #damaged(text: string): string {
    const at = this.#below(text.length + 1);
    return (
      text.slice(0, at) +
      this.#pick(['"', '\\', ',', '=', ':', '[', '}', ' ', '']) +
      text.slice(at + this.#below(2))
    );
  }

  bridge = (): string => this.#pick(BRIDGES);
  port = (): string => this.#pick(PORTS);
  interface = (): string => this.#pick(INTERFACES);
  vlan = (): string => this.#pick(this.#chance(80) ? VLANS.slice(0, 2) : VLANS);
  target = (): string => this.#pick(TARGETS);
  independent = (): string => this.#pick(['Queue', 'QoS', 'Mirror', 'Controller', 'Flow_Table']);
  word = (): string => this.#pick(STRINGS);
  number = (): string => this.#pick(INTEGERS);

  some(make: () => string, least = 0): string[] {
    return Array.from({ length: least + this.#below(3) }, make);
  }

  maybe(make: () => string): string[] {
    return this.#chance(40) ? [make()] : [];
  }

  /** TABLE RECORD ... */
  record(more: (table: TableSchema) => string[]): string[] {
    const table = this.table();
    return [this.#spelled(table.name), this.#recordOf(table), ...more(table)];
  }

  /** TABLE ... */
  inTable(more: (table: TableSchema) => string[]): string[] {
    const table = this.table();
    return [this.#spelled(table.name), ...more(table)];
  }

  table(): TableSchema {
    const name = this.#pick(this.#chance(85) ? COMMON_TABLES : DATABASE_TABLES);
    return SCHEMA.tables.get(name) as TableSchema;
  }

  setting(table: TableSchema): string {
    const column = this.column(table);
    const { key, value } = column.type;
    const name = this.#spelled(column.name);
    if (value !== undefined && this.#chance(50)) {
      return `${name}:${this.#atom(key)}=${this.#atom(value)}`;
    }
    if (value === undefined && this.#chance(3)) return `${name}:a=${this.#atom(key)}`;
    return `${name}=${this.datum(column)}`;
  }

  query(table: TableSchema): string {
    const column = this.column(table);
    const { key, value } = column.type;
    const operator = this.#pick(OPERATORS);
    const name = this.#spelled(column.name);
    if (value !== undefined && this.#chance(60)) {
      return `${name}:${this.#atom(key)}${operator}${this.#atom(value)}`;
    }
    return `${name}${operator}${this.datum(column)}`;
  }

  columnName(table: TableSchema): string {
    const column = this.column(table);
    if (this.#chance(5)) return this.#pick(['_uuid', '-uuid', '_version']);
    const key =
      column.type.value !== undefined && this.#chance(40) ? `:${this.#atom(column.type.key)}` : '';
    return this.#spelled(column.name) + key;
  }

  plainColumn(table: TableSchema): string {
    return this.#spelled(this.column(table).name);
  }

  member(table: TableSchema, name: string): string {
    const folded = name.toLowerCase();
    const column = [...table.columns.values()].find((each) => each.name.toLowerCase() === folded);
    if (column === undefined) return this.#pick(STRINGS);
    const { key, value } = column.type;
    const atom = this.#atom(key);
    return value !== undefined && this.#chance(80) ? `${atom}=${this.#atom(value)}` : atom;
  }

  column(table: TableSchema): ColumnSchema {
    const stored = [...table.columns.values()].filter(({ index }) => index >= 0);
    const simple = stored.filter(
      ({ type }) => type.key.type !== 'uuid' && type.value?.type !== 'uuid',
    );
    return this.#pick(this.#chance(80) && simple.length > 0 ? simple : stored);
  }

  datum({ type }: ColumnSchema): string {
    const { key, value, max } = type;
    const size = max === 1 ? (this.#chance(92) ? 1 : 2) : this.#below(4);
    const members = Array.from({ length: size }, () =>
      value === undefined ? this.#atom(key) : `${this.#atom(key)}=${this.#atom(value)}`,
    );
    const text = members.join(this.#pick([',', ',', ',', ' ', ', ', ',,']));
    const [open, close] = value === undefined ? ['[', ']'] : ['{', '}'];
    return size === 0 || this.#chance(15) ? open + text + close : text;
  }

  #atom(base: BaseType): string {
    if (base.enum !== undefined && this.#chance(90)) return String(this.#pick(base.enum));
    switch (base.type) {
      case 'integer':
        return this.#pick(this.#chance(90) ? INTEGERS.slice(1, 5) : INTEGERS);
      case 'real':
        return this.#pick(REALS);
      case 'boolean':
        return this.#pick(this.#chance(90) ? BOOLEANS.slice(0, 4) : BOOLEANS);
      case 'string':
        return this.#pick(this.#chance(85) ? STRINGS.slice(0, 4) : STRINGS);
      case 'uuid':
        return this.#pick(IDS);
    }
  }

  #recordOf({ name }: TableSchema): string {
    if (this.#chance(this.#faults)) return this.#pick(['nope', '.', '', 'abcd', '@a']);
    if (name === 'Bridge') return this.#pick(['br0', 'br1']);
    if (name === 'Port') return this.port();
    if (name === 'Interface') return this.interface();
    if (name === 'Open_vSwitch') return '.';
    if (name === 'SSL') return '.';
    if (name === 'QoS') return this.port();
    if (name === 'Mirror') return this.#pick(['a', 'b']);
    if (name === 'Manager') return this.target();
    return this.#pick(['br0', 'br1', '1', 'a']);
  }

  #spelled(name: string): string {
    const kind = this.#below(10);
    if (kind === 0) return name.toLowerCase();
    if (kind === 1) return name.replaceAll('_', '-');
    if (kind === 2 && this.#chance(50)) return name.slice(0, 1 + this.#below(name.length));
    return kind === 3 ? name.toUpperCase() : name;
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#below(all.length)];
  }

  #chance(percent: number): boolean {
    return this.#below(1000) < percent * 10;
  }

  /** A linear congruential generator's upper bits. */
  #below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
}

const GLOBAL_OPTIONS = [
  '--oneline',
  '--dry-run',
  '--format=table',
  '--format=csv',
  '--format=json',
  '--format=html',
  '--data=bare',
  '--data=json',
  '--bare',
  '--no-headings',
  '--pretty',
  '--max-column-width=9',
];

const ODD = ['', '-', '=', ':', '"', 'a=b', '[]', '{}', '@a', '--x', 'name', '.', ','];

type Make = (random: RandomCommands) => string[];

const ARGUMENTS: Readonly<Record<string, Make>> = {
  'add-br': (r) => [r.bridge(), ...r.maybe(r.bridge).flatMap((parent) => [parent, r.vlan()])],
  'del-br': (r) => [r.bridge()],
  'br-exists': (r) => [r.bridge()],
  'br-to-vlan': (r) => [r.bridge()],
  'br-to-parent': (r) => [r.bridge()],
  'br-set-external-id': (r) => [r.bridge(), r.word(), ...r.maybe(r.word)],
  'br-get-external-id': (r) => [r.bridge(), ...r.maybe(r.word)],
  'list-ports': (r) => [r.bridge()],
  'list-ifaces': (r) => [r.bridge()],
  'add-port': (r) => [r.bridge(), r.port(), ...r.maybe(() => r.setting(PORT))],
  'add-bond': (r) => [
    r.bridge(),
    r.port(),
    ...r.some(r.interface, 2),
    ...r.maybe(() => r.setting(PORT)),
  ],
  'add-bond-iface': (r) => [r.port(), r.interface()],
  'del-bond-iface': (r) => [...r.maybe(r.port), r.interface()],
  'del-port': (r) => [...r.maybe(r.bridge), r.port()],
  'port-to-br': (r) => [r.port()],
  'iface-to-br': (r) => [r.interface()],
  'get-controller': (r) => [r.bridge()],
  'del-controller': (r) => [r.bridge()],
  'set-controller': (r) => [r.bridge(), ...r.some(r.target, 1)],
  'get-fail-mode': (r) => [r.bridge()],
  'del-fail-mode': (r) => [r.bridge()],
  'set-fail-mode': (r) => [
    r.bridge(),
    ...r
      .maybe(() => 'secure')
      .concat('standalone')
      .slice(0, 1),
  ],
  'set-manager': (r) => r.some(r.target, 1),
  'set-ssl': (r) => [r.word(), r.word(), r.word()],
  'add-aa-mapping': (r) => [r.bridge(), r.number(), r.number()],
  'get-aa-mapping': (r) => [r.bridge()],
  list: (r) => r.inTable(() => r.maybe(r.port)),
  find: (r) => r.inTable((table) => r.some(() => r.query(table))),
  get: (r) => r.record((table) => r.some(() => r.columnName(table))),
  set: (r) => r.record((table) => r.some(() => r.setting(table), 1)),
  add: (r) =>
    r.record((table) => {
      const column = r.plainColumn(table);
      return [column, ...r.some(() => r.member(table, column), 1)];
    }),
  remove: (r) =>
    r.record((table) => {
      const column = r.plainColumn(table);
      return [column, ...r.some(() => r.member(table, column), 1)];
    }),
  clear: (r) => r.record((table) => r.some(() => r.plainColumn(table), 1)),
  create: (r) => r.inTable((table) => r.some(() => r.setting(table), 1)),
  // Where stock forgets only half of a record, what other commands then see of it is chance.
  destroy: (r) => [r.independent(), ...r.maybe(r.port)],
  comment: (r) => r.some(r.word),
};

/** Stock's del-aa-mapping deletes more than it is told to. */
const ALL = [...COMMANDS.keys()].filter((name) => name !== 'del-aa-mapping');

const PORT = SCHEMA.tables.get('Port') as TableSchema;

const USUAL = [
  ...Object.keys(ARGUMENTS),
  ...['add-br', 'add-br', 'add-port', 'add-port', 'add-bond', 'set', 'set', 'set', 'get', 'create'],
  ...['list-br', 'get-manager', 'del-manager', 'get-ssl', 'del-ssl', 'show', 'init', 'emer-reset'],
];
