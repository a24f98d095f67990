/**
 * Random transactions over a small schema that has every kind of column,
 * reference and constraint. UUIDs come from a small pool, so that operations
 * meet rows that others made, and both servers give rows the same UUIDs.
 */
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { Random } from '../../ofproto/random-pipeline.ts';

const map = (key: Json, value: Json): JsonObject => ({ key, value, min: 0, max: 'unlimited' });
const some = (key: Json, max: Json = 'unlimited'): JsonObject => ({ key, min: 0, max });
const strong = (refTable: string): JsonObject => ({ type: 'uuid', refTable });
const weak = (refTable: string): JsonObject => ({ type: 'uuid', refTable, refType: 'weak' });

/** The columns of table All that are not about other tables. */
const PLAIN: Record<string, Json> = {
  i: 'integer',
  ir: { key: { type: 'integer', minInteger: -5, maxInteger: 10 } },
  imin: { key: { type: 'integer', minInteger: -5 } },
  io: some('integer', 1),
  is: some('integer', 3),
  is1: { key: 'integer', min: 1, max: 2 },
  ie: { key: { type: 'integer', enum: ['set', [0, 1, 4]] } },
  r: 'real',
  rr: { key: { type: 'real', minReal: -1.5, maxReal: 2.5 } },
  rmax: some({ type: 'real', maxReal: 1e6 }, 1),
  rs: some('real'),
  b: 'boolean',
  bo: some('boolean', 1),
  s: 'string',
  se: some({ type: 'string', enum: ['set', ['a', 'b-1', 'true', 'x y']] }, 1),
  sl: some({ type: 'string', minLength: 2, maxLength: 3 }),
  ss: some('string', 4),
  ms: map('string', 'string'),
  mi: map('integer', { type: 'integer', maxInteger: 9 }),
  mr: { key: 'string', value: 'real', min: 0, max: 1 },
  u: 'uuid',
  us: some('uuid'),
};

const FIXED: Record<string, Json> = {
  name: { type: 'string' },
  imm: { type: 'string', mutable: false },
  eph: { type: some('integer', 1), ephemeral: true },
};

const REFERRING: Record<string, Json> = {
  child: some(strong('Child'), 1),
  children: some(strong('Child')),
  byName: map('string', strong('Child')),
  friends: some(weak('Child')),
  friend: some(weak('All'), 1),
  peers: map('string', weak('All')),
  tags: map(weak('Child'), strong('Leaf')),
};

const types = (columns: Record<string, Json>): Record<string, Json> =>
  Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, { type }]));

export const SCHEMA: JsonObject = {
  name: 'Test',
  version: '1.2.3',
  cksum: '1 2',
  tables: {
    All: {
      isRoot: true,
      maxRows: 12,
      indexes: [['name'], ['i', 'ss'], ['name', 'friend', 'ms']],
      columns: { ...FIXED, ...types(PLAIN), ...types(REFERRING) },
    },
    Child: {
      maxRows: 14,
      columns: { ...types({ name: 'string', next: some(strong('Child'), 1), i: 'integer' }) },
    },
    Leaf: { columns: types({ n: 'integer', up: some(weak('All')) }) },
    Need: {
      isRoot: true,
      columns: types({
        who: { key: weak('Child') },
        i: 'integer',
        many: { key: weak('All'), min: 1, max: 3 },
      }),
    },
  },
};

export const TABLES: readonly string[] = ['All', 'Child', 'Leaf', 'Need'];

const COLUMNS: Record<string, Record<string, Json>> = {
  All: { name: 'string', imm: 'string', eph: some('integer', 1), ...PLAIN, ...REFERRING },
  Child: { name: 'string', next: some(strong('Child'), 1), i: 'integer' },
  Leaf: { n: 'integer', up: some(weak('All')) },
  Need: { who: weak('Child'), i: 'integer', many: { key: weak('All'), min: 1, max: 3 } },
};

const INTEGERS = [0, 1, 2, 3, 4, 9, 10, 11, -1, -5, -6, 7, Number.MAX_SAFE_INTEGER];
const REALS = [0, 1, -1.5, 2.5, 2.75, 0.1, 1e6, 1e-7, -3];
const STRINGS = ['', 'a', 'ab', 'abc', 'b-1', 'x y', 'true', 'Ä', 'z\n"', 'long string', 'é€', '7'];
const FUNCTIONS = ['==', '!=', '<', '<=', '>', '>=', 'includes', 'excludes'];
const MUTATORS = ['+=', '-=', '*=', '/=', '%=', 'insert', 'delete'];

export class RandomTransactions {
  readonly #random: Random;
  /** How many of a hundred values are meant to be wrong. */
  readonly #faults: number;

  constructor(seed: number, faults: number) {
    this.#random = new Random(seed);
    this.#faults = faults;
  }

  next(): JsonObject[] {
    const count = 1 + this.#random.below(4);
    return Array.from({ length: count }, () => this.#operation());
  }

  #operation(): JsonObject {
    const table = this.#random.pick(['All', 'All', 'All', 'Child', 'Child', 'Leaf', 'Need']);
    const kind = this.#random.below(20);
    if (kind < 8) return this.#insert(table);
    if (kind < 11) return { op: 'update', table, where: this.#where(table), row: this.#row(table) };
    if (kind < 15) return this.#mutate(table);
    if (kind < 17) return { op: 'delete', table, where: this.#where(table) };
    if (kind < 19) return this.#select(table);
    return this.#wait(table);
  }

  #insert(table: string): JsonObject {
    const uuid = this.#uuid(table);
    const name: JsonObject = this.#random.chance(30)
      ? { 'uuid-name': `${table}${this.#random.below(3)}` }
      : {};
    const needed: JsonObject =
      table !== 'Need' || this.#random.chance(20)
        ? {}
        : { who: this.#reference('Child'), many: this.#reference('All') };
    const number = this.#random.below(16);
    const named: JsonObject = table === 'All' ? { name: `name${number}`, i: number } : {};
    return {
      op: 'insert',
      table,
      uuid,
      ...name,
      row: { ...needed, ...named, ...this.#row(table) },
    };
  }

  #mutate(table: string): JsonObject {
    const mutations = Array.from({ length: 1 + this.#random.below(2) }, () => {
      const column = this.#column(table);
      const mutator = this.#random.pick(MUTATORS);
      const type = this.#typeOf(table, column);
      const isKeys = mutator === 'delete' && isObject(type) && 'value' in type;
      const arg =
        isKeys && this.#random.chance(50)
          ? this.#value({ ...type, value: null })
          : this.#value(type);
      return [column, mutator, arg];
    });
    return { op: 'mutate', table, where: this.#where(table), mutations };
  }

  #select(table: string): JsonObject {
    const columns = this.#random.chance(50)
      ? [this.#column(table)]
      : ['_uuid', ...Object.keys(COLUMNS[table])];
    return { op: 'select', table, where: this.#where(table), columns };
  }

  #wait(table: string): JsonObject {
    const until = this.#random.pick(['==', '!=']);
    const column = this.#column(table);
    const rows = [{ [column]: this.#value(this.#typeOf(table, column)) }];
    const where = this.#where(table);
    return { op: 'wait', table, timeout: 0, where, columns: [column], until, rows };
  }

  #where(table: string): Json[] {
    if (this.#random.chance(50)) return [['_uuid', '==', ['uuid', this.#uuid(table)]]];
    if (this.#random.chance(10)) return [this.#random.chance(50)];
    return Array.from({ length: this.#random.below(3) }, () => {
      const column = this.#column(table);
      return [column, this.#random.pick(FUNCTIONS), this.#value(this.#typeOf(table, column))];
    });
  }

  #row(table: string): JsonObject {
    const row: Record<string, Json> = {};
    for (let n = this.#random.below(4); n > 0; n--) {
      const column = this.#column(table);
      // Immutable, so only sometimes.
      if (column === 'imm' && this.#random.chance(80)) continue;
      row[column] = this.#value(this.#typeOf(table, column));
    }
    return row;
  }

  #column(table: string): string {
    return this.#random.pick(Object.keys(COLUMNS[table]));
  }

  #typeOf(table: string, column: string): Json {
    return COLUMNS[table][column];
  }

  #value(type: Json): Json {
    if (this.#random.chance(this.#faults)) return this.#wrong();
    if (!isObject(type) || 'type' in type) return this.#atom(type);
    const { key, value, min = 1, max = 1 } = type;
    if (min === 1 && max === 1 && !value) return this.#atom(key);
    const size = this.#random.chance(70) ? this.#random.below(2) : this.#random.below(4);
    const least = Math.max(size, Number(min));
    const keys = Array.from({ length: max === 1 ? Math.min(least, 1) : least }, () =>
      this.#atom(key),
    );
    return value ? ['map', keys.map((atom) => [atom, this.#atom(value)])] : ['set', keys];
  }

  #atom(type: Json): Json {
    const base: JsonObject = isObject(type) ? type : { type };
    if (Array.isArray(base.enum) && this.#random.chance(80)) return this.#random.pick(base.enum[1]);
    switch (base.type) {
      case 'integer':
        return this.#random.pick(INTEGERS.slice(0, this.#random.chance(80) ? 5 : undefined));
      case 'real':
        return this.#random.pick(REALS.slice(0, this.#random.chance(80) ? 4 : undefined));
      case 'boolean':
        return this.#random.chance(50);
      case 'string':
        return this.#random.pick(STRINGS);
      default:
        return this.#reference(typeof base.refTable === 'string' ? base.refTable : 'All');
    }
  }

  #reference(table: string): Json {
    // A name stands for a row of this table: stock lets a row refer to its own UUID in any.
    if (this.#random.chance(20)) return ['named-uuid', `${table}${this.#random.below(3)}`];
    return ['uuid', this.#uuid(table)];
  }

  #wrong(): Json {
    return this.#random.pick<Json>([
      null,
      1.5,
      'x',
      true,
      [],
      {},
      ['set', []],
      ['set', [1, 1]],
      ['set', 1],
      ['map', []],
      [
        'map',
        [
          ['a', 'b'],
          ['a', 'c'],
        ],
      ],
      ['map', [1]],
      ['uuid', 'x'],
      ['named-uuid', '9'],
      ['uuid', '00000000-0000-0000-0000-000000000000'],
    ]);
  }

  #uuid(table: string): string {
    const digits = (n: number): string => n.toString(16).padStart(12, '0');
    return `0000000${TABLES.indexOf(table)}-1111-4222-8333-${digits(this.#random.below(18))}`;
  }
}

const isObject = (json: Json): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);
