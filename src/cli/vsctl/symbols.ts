/**
 * The names that `--id=@NAME` gives to rows, for the commands of one run. A
 * name may be used before the command that gives it.
 */
import { randomUUID } from 'node:crypto';
import type { BaseType } from '../../ovsdb/data/base-type.ts';
import { VsctlError } from './failure.ts';

export interface RowSymbol {
  readonly name: string;
  uuid: string;
  /** Whether a command has said which row it is. */
  isCreated: boolean;
  /** Whether something keeps the row alive. */
  isStronglyReferenced: boolean;
  isWeaklyReferenced: boolean;
}

export class RowSymbols {
  readonly #symbols = new Map<string, RowSymbol>();

  has(name: string): boolean {
    return this.#symbols.has(name);
  }

  /** For a value of that type. */
  refer(name: string, { refType }: BaseType): RowSymbol {
    const symbol = this.#get(name);
    if (refType === 'strong') symbol.isStronglyReferenced = true;
    if (refType === 'weak') symbol.isWeaklyReferenced = true;
    return symbol;
  }

  /** @throws VsctlError */
  create(name: string): RowSymbol {
    if (!name.startsWith('@')) throw new VsctlError(`row id "${name}" does not begin with "@"`);
    const symbol = this.#get(name);
    if (symbol.isCreated) {
      throw new VsctlError(`row id "${name}" may only be specified on one --id option`);
    }
    symbol.isCreated = true;
    return symbol;
  }

  /** @throws VsctlError if a name was used that nobody gave */
  check(warn: (message: string) => void): void {
    const symbols = [...this.#symbols.values()];
    const missing = symbols.find(({ isCreated }) => !isCreated);
    if (missing !== undefined) throw neverCreated(missing);
    for (const symbol of symbols) if (!symbol.isStronglyReferenced) warn(willVanish(symbol));
  }

  #get(name: string): RowSymbol {
    const known = this.#symbols.get(name);
    if (known !== undefined) return known;
    const symbol: RowSymbol = {
      name,
      uuid: randomUUID(),
      isCreated: false,
      isStronglyReferenced: false,
      isWeaklyReferenced: false,
    };
    this.#symbols.set(name, symbol);
    return symbol;
  }
}

function neverCreated({ name }: RowSymbol): VsctlError {
  return new VsctlError(
    `row id "${name}" is referenced but never created (e.g. with "-- --id=${name} create ...")`,
  );
}

function willVanish({ name, isWeaklyReferenced }: RowSymbol): string {
  const reference = isWeaklyReferenced ? 'only a weak reference' : 'no reference';
  return `row id "${name}" was created but ${reference} to it was inserted, so it will not actually appear in the database`;
}
