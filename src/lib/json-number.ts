/**
 * Numbers as JSON text, by Open vSwitch's rules: whatever its notation, a
 * number with an integer value in the range of int64 is an integer ("1.0" and
 * "1e3" are), any other is a real.
 *
 * An integer is a number when it is safe, else a bigint; a real is always a
 * number. So a number beyond the safe integers is a real.
 */

/**
 * @param text what stands in the place of a number
 * @returns its value; a string says what is wrong with it
 */
export function parseNumber(text: string): number | bigint | string {
  if (!NUMBER.test(text)) return faultOf(text);
  const value = Number(text);
  if (value === 0) return 0;
  const size = Math.abs(value);
  if (size < SMALLEST_NORMAL || size === Number.POSITIVE_INFINITY)
    return 'number outside valid range';
  if (size <= Number.MAX_SAFE_INTEGER) return value;
  return (size <= INT64_END ? largeInteger(text) : undefined) ?? value;
}

/** @throws RangeError for what JSON has no text for: NaN and the infinities */
export function formatNumber(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  if (!Number.isFinite(value)) throw new RangeError(`JSON cannot express the number ${value}`);
  return formatReal(value);
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INT64_END = 2 ** 63;
/** Below it, doubles lose digits: C's strtod calls it out of range. */
const SMALLEST_NORMAL = 2 ** -1022;

function faultOf(text: string): string {
  const fault = FAULTS.find(([pattern]) => pattern.test(text));
  return fault === undefined ? 'syntax error in number' : fault[1];
}

const FAULTS: readonly (readonly [RegExp, string])[] = [
  [/^-?0\d/, 'leading zeros not allowed'],
  [/^-(?!\d)/, "'-' must be followed by digit"],
  [/^-?\d+\.(?!\d)/, 'decimal point must be followed by digit'],
  [/^-?\d+(?:\.\d+)?[eE][+-]?(?!\d)/, 'exponent must contain at least one digit'],
];

/** @returns undefined for what is no integer, or none of int64 */
function largeInteger(text: string): bigint | undefined {
  const [mantissa, exponent = '0'] = text.toLowerCase().split('e');
  const [whole, fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = trimZeros(whole + fraction);
  const zeros = Number(exponent) + whole.length - digits.end;
  if (zeros < 0) return undefined;
  const size = BigInt(digits.text + '0'.repeat(zeros));
  const value = text.startsWith('-') ? -size : size;
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** Loops, as a pattern like /0+$/ takes quadratic time on what an attacker may send. */
function trimZeros(digits: string): { text: string; end: number } {
  let start = 0;
  let end = digits.length;
  while (digits[start] === '0') start++;
  while (digits[end - 1] === '0') end--;
  return { text: digits.slice(start, end), end };
}

/** DBL_DIG: Open vSwitch prints reals by C's "%.15g". */
const PRECISION = 15;

function formatReal(value: number): string {
  const rounded = round(value);
  const [mantissa, power] = rounded.split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= PRECISION) {
    return `${dropZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return dropZeros(Number(rounded).toFixed(PRECISION - 1 - exponent));
}

/** To 15 digits as C does: what lies in the middle goes to the even neighbour, not away from 0. */
function round(value: number): string {
  const [mantissa, power] = value.toExponential(MORE_THAN_EXACT).split('e');
  const end = mantissa.indexOf('.') + PRECISION;
  const isMiddle = /^50*$/.test(mantissa.slice(end));
  const isEven = '02468'.includes(mantissa[end - 1]);
  if (isMiddle && isEven) return `${mantissa.slice(0, end)}e${power}`;
  return value.toExponential(PRECISION - 1);
}

/** A double that lies in the middle of two numbers of 15 digits has far fewer. */
const MORE_THAN_EXACT = 60;

function dropZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
