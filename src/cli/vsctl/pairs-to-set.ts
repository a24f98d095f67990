/**
 * Keys of maps that the last command sets. As stock sends them, they are
 * mutations behind the column's other changes: a key that the column has when
 * it is named gets its value whatever happens to the column in the same
 * command; one that it does not have is added, unless the column gets it yet.
 */
import type { Atom } from '../../ovsdb/data/atom.ts';
import { type Datum, sortMap } from '../../ovsdb/data/datum.ts';
import type { ColumnSchema } from '../../ovsdb/data/schema.ts';
import type { Attempt } from './attempt.ts';

interface Pair {
  readonly value: Atom;
  readonly replaces: boolean;
}

interface Column {
  readonly table: string;
  readonly uuid: string;
  readonly schema: ColumnSchema;
  readonly pairs: Map<Atom, Pair>;
}

export class PairsToSet {
  readonly #columns = new Map<string, Column>();

  /** @param pair just one */
  add(attempt: Attempt, table: string, uuid: string, schema: ColumnSchema, pair: Datum): void {
    const name = `${table} ${uuid} ${schema.name}`;
    const column = this.#columns.get(name) ?? { table, uuid, schema, pairs: new Map() };
    this.#columns.set(name, column);
    const [[key], [value] = []] = [pair.keys, pair.values];
    column.pairs.set(key, { value, replaces: keysOf(attempt, column).includes(key) });
  }

  apply(attempt: Attempt): void {
    for (const column of this.#columns.values()) {
      const { table, uuid, schema } = column;
      const present = keysOf(attempt, column);
      const pairs = [...column.pairs]
        .filter(([key, { replaces }]) => replaces || !present.includes(key))
        .map(([key, { value }]): [Atom, Atom] => [key, value]);
      const datum = sortMap(pairs, schema.type.key.type);
      attempt.edit.mutate(table, uuid, schema.name, 'insert', datum);
    }
  }
}

const keysOf = (attempt: Attempt, { table, uuid, schema }: Column): readonly Atom[] =>
  attempt.read(attempt.row(table, uuid), schema.name).keys;
