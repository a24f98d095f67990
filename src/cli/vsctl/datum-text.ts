/** Datums from the text that users type: ovs-vsctl(8), "Database Values". */
import type { Atom } from '../../ovsdb/data/atom.ts';
import type { BaseType } from '../../ovsdb/data/base-type.ts';
import { type ColumnType, isMap, typeToEnglish } from '../../ovsdb/data/column-type.ts';
import { type Datum, sortMap, sortSet } from '../../ovsdb/data/datum.ts';
import { OvsdbError } from '../../ovsdb/data/ovsdb-error.ts';
import { parseAtomText, parseIntegers } from './atom-text.ts';
import { VsctlError } from './failure.ts';
import type { RowSymbols } from './symbols.ts';
import { isDelimiter, readToken } from './token.ts';

/** @throws VsctlError */
export function parseDatumText(text: string, type: ColumnType, symbols: RowSymbols): Datum {
  const members = new DatumParser(text, type, symbols).parse();
  checkSize(text, members.keys.length, type);
  try {
    return sorted(members, type);
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error;
    const what = isMap(type) ? 'map contains duplicate key' : 'set contains duplicate value';
    throw new VsctlError(`${text}: ${what}`);
  }
}

interface Members {
  readonly keys: Atom[];
  /** Of a map: parallel to the keys. */
  readonly values: Atom[];
}

function sorted({ keys, values }: Members, type: ColumnType): Datum {
  if (!isMap(type)) return sortSet(keys, type.key.type);
  const pairs = keys.map((key, i): [Atom, Atom] => [key, values[i]]);
  return sortMap(pairs, type.key.type);
}

function checkSize(text: string, size: number, type: ColumnType): void {
  const what = isMap(type) ? 'pair(s)' : 'value(s)';
  const specified = `${text}: ${size} ${what} specified but the`;
  if (size < type.min) throw new VsctlError(`${specified} minimum number is ${type.min}`);
  if (size > type.max) throw new VsctlError(`${specified} maximum number is ${type.max}`);
}

/** Members, separated by blanks or one comma, maybe in brackets. */
class DatumParser {
  readonly #text: string;
  readonly #type: ColumnType;
  readonly #symbols: RowSymbols;
  #at = 0;

  constructor(text: string, type: ColumnType, symbols: RowSymbols) {
    this.#text = text;
    this.#type = type;
    this.#symbols = symbols;
  }

  parse(): Members {
    const members: Members = { keys: [], values: [] };
    const close = this.#open();
    while (this.#next !== '' && this.#next !== close) {
      this.#member(members);
      this.#separator();
    }
    if (close !== '') this.#close(close);
    return members;
  }

  /** @returns what closes the brackets, '' if there are none */
  #open(): string {
    const [open, close] = isMap(this.#type) ? ['{', '}'] : ['[', ']'];
    this.#skipSpaces();
    if (this.#next === '') {
      const kind = isMap(this.#type) ? 'map' : 'set';
      throw new VsctlError(`use "${open}${close}" to specify the empty ${kind}`);
    }
    if (this.#next !== open) return '';
    this.#at++;
    this.#skipSpaces();
    return close;
  }

  #close(close: string): void {
    if (this.#next !== close) throw this.#fault(`missing "${close}" at end of data`);
    this.#at++;
    this.#skipSpaces();
    if (this.#next !== '') throw this.#fault(`trailing garbage after "${close}"`);
  }

  #member({ keys, values }: Members): void {
    const { key, value } = this.#type;
    if (isDelimiter(this.#next)) {
      throw this.#fault(`unexpected "${this.#next}" parsing ${typeToEnglish(this.#type)}`);
    }
    if (value === undefined) {
      for (const atom of this.#atoms(key)) keys.push(atom);
    } else {
      const start = this.#at;
      keys.push(this.#atom(key));
      this.#equals(start);
      values.push(this.#atom(value));
    }
  }

  #atoms(base: BaseType): readonly Atom[] {
    if (base.type !== 'integer') return [this.#atom(base)];
    return parseIntegers(this.#token(), base);
  }

  #atom(base: BaseType): Atom {
    return parseAtomText(this.#token(), base, this.#symbols);
  }

  #token(): string {
    const { text, end } = readToken(this.#text, this.#at);
    this.#at = end;
    return text;
  }

  /** @param start of the pair */
  #equals(start: number): void {
    this.#skipSpaces();
    if (this.#next === '=') {
      this.#at++;
      this.#skipSpaces();
    }
    // At the end of the argument stock prints its terminating NUL, and with it the message ends.
    else if (this.#next === '') throw this.#fault('syntax error at "', start);
    else throw this.#fault(`syntax error at "${this.#next}" expecting "="`, start);
  }

  #separator(): void {
    this.#skipSpaces();
    if (this.#next !== ',') return;
    this.#at++;
    this.#skipSpaces();
  }

  /** '' at the end. */
  get #next(): string {
    return this.#text.charAt(this.#at);
  }

  #skipSpaces(): void {
    while (/^\s/.test(this.#next)) this.#at++;
  }

  #fault(what: string, start = 0): VsctlError {
    return new VsctlError(`${this.#text.slice(start)}: ${what}`);
  }
}
