/**
 * The arithmetic of mutations (RFC 7047 5.1, <mutation>) on single atoms:
 * integers as C's int64 does it, but with an error in place of an overflow.
 */
import { type Atom, canonicalInteger } from './atom.ts';
import { OvsdbError } from './ovsdb-error.ts';

export type Operator = '+=' | '-=' | '*=' | '/=' | '%=';

export const OPERATORS: readonly Operator[] = ['+=', '-=', '*=', '/=', '%='];

/**
 * @param atom an integer or a real, `arg` one of the same type
 * @throws OvsdbError "range error", "domain error"
 */
export function calculate(
  operator: Operator,
  type: 'integer' | 'real',
  atom: Atom,
  arg: Atom,
): Atom {
  const isDivision = operator === '/=' || operator === '%=';
  if (isDivision && Number(arg) === 0) throw new OvsdbError('domain error', 'Division by zero.');
  const result = type === 'integer' ? onInteger(operator, atom, arg) : onReal(operator, atom, arg);
  if (result !== undefined) return result;
  throw new OvsdbError('range error', `Result of "${operator}" operation is out of range.`);
}

/** Division of int64s cuts off toward zero, for bigints as in C. */
function onInteger(operator: Operator, atom: Atom, arg: Atom): Atom | undefined {
  const x = BigInt(atom);
  const y = BigInt(arg);
  // C's remainder for these is undefined, and stock refuses it with the quotient.
  if (operator === '%=' && y === -1n && x === INT64_MIN) return undefined;
  const result = INTEGER[operator](x, y);
  return BigInt.asIntN(64, result) === result ? canonicalInteger(result) : undefined;
}

const INT64_MIN = -(2n ** 63n);

const INTEGER: Readonly<Record<Operator, (x: bigint, y: bigint) => bigint>> = {
  '+=': (x, y) => x + y,
  '-=': (x, y) => x - y,
  '*=': (x, y) => x * y,
  '/=': (x, y) => x / y,
  '%=': (x, y) => x % y,
};

function onReal(operator: Operator, atom: Atom, arg: Atom): Atom | undefined {
  const result = REAL[operator](Number(atom), Number(arg));
  return Number.isFinite(result) ? result : undefined;
}

const REAL: Readonly<Record<Operator, (x: number, y: number) => number>> = {
  '+=': (x, y) => x + y,
  '-=': (x, y) => x - y,
  '*=': (x, y) => x * y,
  '/=': (x, y) => x / y,
  '%=': (x, y) => x % y,
};
