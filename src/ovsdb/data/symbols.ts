/**
 * The names that a transaction gives to the rows it inserts, and the UUIDs they
 * stand for (RFC 7047 5.1, <named-uuid>). A name may be used before the insert
 * that it belongs to; one that no insert claims refers to a row that is nowhere.
 */
import { randomUUID } from 'node:crypto';

interface NewRow {
  uuid: string;
  isClaimed: boolean;
}

export class Symbols {
  readonly #rows = new Map<string, NewRow>();

  resolve(name: string): string {
    return this.#row(name).uuid;
  }

  /**
   * For the insert with this name.
   * @param uuid the row's, if the insert says it: uses of the name up to here have another
   * @returns the row's UUID; undefined if the name is taken
   */
  claim(name: string, uuid: string | undefined): string | undefined {
    const row = this.#row(name);
    if (row.isClaimed) return undefined;
    row.isClaimed = true;
    row.uuid = uuid ?? row.uuid;
    return row.uuid;
  }

  #row(name: string): NewRow {
    const row = this.#rows.get(name) ?? { uuid: randomUUID(), isClaimed: false };
    this.#rows.set(name, row);
    return row;
  }
}
