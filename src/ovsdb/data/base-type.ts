/**
 * Base types: an atomic type with the constraints that a schema may put on it
 * (RFC 7047 3.2, <base-type>), and the check of an atom against them.
 */
import { formatNumber } from '../../lib/json-number.ts';
import { type Atom, type AtomicType, atomToText } from './atom.ts';
import { constraintViolation, type OvsdbError } from './ovsdb-error.ts';

/** An absent bound does not bind; members are named as in the schema. */
export interface BaseType {
  readonly type: AtomicType;
  /** In the order of sets. With it, there are no other constraints. */
  readonly enum?: readonly Atom[];
  readonly minInteger?: number | bigint;
  readonly maxInteger?: number | bigint;
  readonly minReal?: number;
  readonly maxReal?: number;
  /** In characters, not bytes. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** The table whose rows a uuid refers to. */
  readonly refTable?: string;
  /** Present together with refTable. */
  readonly refType?: 'strong' | 'weak';
}

/** @throws OvsdbError "constraint violation" */
export function checkAtom(atom: Atom, base: BaseType): void {
  if (base.enum !== undefined && !base.enum.includes(atom)) throw notInEnum(atom, base);
  if (base.type === 'integer') checkRange(atom, base.minInteger, base.maxInteger);
  if (base.type === 'real') checkRange(atom, base.minReal, base.maxReal);
  if (base.type === 'string') checkLength(atom, base);
}

function notInEnum(atom: Atom, base: BaseType): OvsdbError {
  const choices = (base.enum ?? []).map((choice) => atomToText(choice, base.type)).join(', ');
  const actual = atomToText(atom, base.type);
  return constraintViolation(`${actual} is not one of the allowed values ([${choices}])`);
}

type Bound = number | bigint | undefined;

function checkRange(atom: Atom, min: Bound, max: Bound): void {
  if (typeof atom !== 'number' && typeof atom !== 'bigint') return;
  if ((min === undefined || atom >= min) && (max === undefined || atom <= max)) return;
  throw constraintViolation(`${formatNumber(atom)} is ${rangeText(min, max)}`);
}

function rangeText(min: Bound, max: Bound): string {
  if (min === undefined) return `greater than maximum allowed value ${boundText(max)}`;
  if (max === undefined) return `less than minimum allowed value ${boundText(min)}`;
  return `not in the valid range ${boundText(min)} to ${boundText(max)} (inclusive)`;
}

const boundText = (bound: Bound): string => (bound === undefined ? '' : formatNumber(bound));

function checkLength(atom: Atom, { minLength = 0, maxLength = Infinity }: BaseType): void {
  if (minLength === 0 && maxLength === Infinity) return;
  const length = characters(String(atom));
  if (length >= minLength && length <= maxLength) return;
  const bound =
    length < minLength
      ? `less than minimum allowed length ${minLength}`
      : `greater than maximum allowed length ${maxLength}`;
  throw constraintViolation(`"${atom}" length ${length} is ${bound}`);
}

/** A pair of surrogates is one. */
function characters(text: string): number {
  let count = 0;
  for (const _character of text) count++;
  return count;
}
