/** Atoms from the text that users type: ovs-vsctl(8), "Database Values". */
import { TapflowError } from '../../lib/error.ts';
import { isArray } from '../../lib/json.ts';
import { parseJson } from '../../lib/json-text.ts';
import { type Atom, canonicalInteger, parseUuid } from '../../ovsdb/data/atom.ts';
import { type BaseType, checkAtom } from '../../ovsdb/data/base-type.ts';
import { OvsdbError } from '../../ovsdb/data/ovsdb-error.ts';
import { VsctlError } from './failure.ts';
import type { RowSymbols } from './symbols.ts';

/** @throws VsctlError */
export function parseAtomText(text: string, base: BaseType, symbols: RowSymbols): Atom {
  const atom = parseUnchecked(text, base, symbols);
  check(atom, base);
  return atom;
}

/** One integer, or a range such as 1-5, in full. @throws VsctlError */
export function parseIntegers(text: string, base: BaseType): readonly Atom[] {
  const [, begin, end] = RANGE.exec(text) ?? [];
  const [first, last] = [toInt64(begin), toInt64(end)];
  if (first === undefined || last === undefined) return [checkedInteger(text, base)];
  if (last < first) {
    throw new VsctlError(`"${text}" is not a valid range. Range end cannot be before start.`);
  }
  check(canonicalInteger(first), base);
  check(canonicalInteger(last), base);
  if (last - first >= LARGEST_RANGE) throw tooLarge(first, last);
  const size = Number(last - first) + 1;
  return Array.from({ length: size }, (_, i) => canonicalInteger(first + BigInt(i)));
}

/** As strtoll takes numbers: spaces before, a sign. */
const RANGE = /^\s*([+-]?\d+)-\s*([+-]?\d+)$/;
const LARGEST_RANGE = 4096n;

function checkedInteger(text: string, base: BaseType): Atom {
  const integer = parseInteger(text);
  check(integer, base);
  return integer;
}

function tooLarge(first: bigint, last: bigint): VsctlError {
  return new VsctlError(
    `constraint violation: Range "${first}-${last}" is too big. Maximum allowed size is ${LARGEST_RANGE}.`,
  );
}

function check(atom: Atom, base: BaseType): void {
  try {
    checkAtom(atom, base);
  } catch (error) {
    if (error instanceof OvsdbError) throw new VsctlError(error.message);
    throw error;
  }
}

function parseUnchecked(text: string, base: BaseType, symbols: RowSymbols): Atom {
  switch (base.type) {
    case 'integer':
      return parseInteger(text);
    case 'real':
      return parseReal(text);
    case 'boolean':
      return parseBoolean(text);
    case 'string':
      return parseString(text);
    case 'uuid':
      return parseReference(text, base, symbols);
  }
}

function parseInteger(text: string): Atom {
  const integer = /^\s*[+-]?\d+$/.test(text) ? toInt64(text) : undefined;
  if (integer !== undefined) return canonicalInteger(integer);
  throw new VsctlError(`"${text}" is not a valid integer or range`);
}

function toInt64(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const integer = BigInt(text.trim().replace(/^\+/, ''));
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}

function parseReal(text: string): Atom {
  const real = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)
    ? Number(text)
    : Number.NaN;
  if (Number.isFinite(real)) return real === 0 ? 0 : real;
  throw new VsctlError(`"${text}" is not a valid real number`);
}

function parseBoolean(text: string): Atom {
  if (['true', 'yes', 'on', '1'].includes(text)) return true;
  if (['false', 'no', 'off', '0'].includes(text)) return false;
  throw new VsctlError(`"${text}" is not a valid boolean (use "true" or "false")`);
}

function parseString(text: string): string {
  if (text === '') {
    throw new VsctlError(
      'An empty string is not valid as input; use "" to represent the empty string',
    );
  }
  if (!text.startsWith('"')) return text;
  if (text.length < 2 || !text.endsWith('"')) {
    throw new VsctlError(`${text}: missing quote at end of quoted string`);
  }
  return unquote(text);
}

/** Between the quotes is JSON, but that control characters may stand as they are. */
function unquote(text: string): string {
  const inside = text.slice(1, -1).replace(CONTROL, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  try {
    const json = parseJson(`["${inside}"]`);
    if (isArray(json) && json.length === 1 && typeof json[0] === 'string') return json[0];
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    throw new VsctlError(`${text}: ${error.message.replace(/^line .*?, byte \d+: /, '')}`);
  }
  throw new VsctlError(`${text}: quoted string may not include unescaped "`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f]/g;

function parseReference(text: string, base: BaseType, symbols: RowSymbols): Atom {
  if (text.startsWith('@')) return symbols.refer(text, base).uuid;
  const uuid = parseUuid(text);
  if (uuid === undefined) throw new VsctlError(`"${text}" is not a valid UUID`);
  return uuid;
}
