/**
 * strftime(3) in the C locale, as glibc has it, with Open vSwitch's extension:
 * a run of `#` in the result becomes digits of the fraction of the second,
 * which is known to the millisecond (further digits are 0).
 *
 * Of the modifiers, E and O change nothing in the C locale; the flags _ - 0 ^ #
 * and a width are honoured. The one approximation is %Z in local time, whose
 * abbreviation is the one that ICU knows in English.
 */

/** @param utc else the time zone of the process */
export function strftime(format: string, date: Date, utc: boolean): string {
  const time = broken(date, utc);
  const millis = String(date.getUTCMilliseconds()).padStart(3, '0');
  return expand(format, time).replace(/#+/g, (run) =>
    millis.slice(0, run.length).padEnd(run.length, '0'),
  );
}

/** A Date whose UTC fields are those to print. */
interface Broken {
  at: Date;
  epoch: number;
  /** East of UTC. */
  zoneMinutes: number;
  zone: () => string;
}

function broken(date: Date, utc: boolean): Broken {
  const epoch = Math.floor(date.getTime() / 1000);
  if (utc) return { at: date, epoch, zoneMinutes: 0, zone: () => 'GMT' };
  const zoneMinutes = -date.getTimezoneOffset();
  const at = new Date(date.getTime() + zoneMinutes * 60_000);
  return { at, epoch, zoneMinutes, zone: () => zoneName(date) };
}

function zoneName(date: Date): string {
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

const CONVERSION = /%([_\-0^#]*)(\d*)[EO]?(.)/gsu;

function expand(format: string, time: Broken): string {
  return format.replace(CONVERSION, (whole, flags: string, width: string, letter: string) =>
    finish(convert(letter, time), flags, Math.min(Number(width), MAX_WIDTH), whole),
  );
}

/** Nobody means more; a log pattern comes from outside. */
const MAX_WIDTH = 1024;

interface Piece {
  text: string;
  digits: number;
  pad: '0' | ' ';
}

function convert(letter: string, time: Broken): Piece | undefined {
  if (letter in NUMBERS) {
    const [value, digits, pad] = NUMBERS[letter];
    return { text: String(value(time)), digits, pad };
  }
  const text = COMPOUNDS[letter] ? expand(COMPOUNDS[letter], time) : TEXTS[letter]?.(time);
  return text === undefined ? undefined : { text, digits: 0, pad: ' ' };
}

function finish(piece: Piece | undefined, flags: string, width: number, whole: string): string {
  if (piece === undefined) return whole;
  const padding = flags.match(/[_\-0]/g)?.at(-1);
  const text = cased(piece.text, flags);
  if (padding === '-') return text;
  const pad = padding === undefined ? piece.pad : padding === '0' ? '0' : ' ';
  return text.padStart(Math.max(piece.digits, width), pad);
}

function cased(text: string, flags: string): string {
  if (flags.includes('^')) return text.toUpperCase();
  if (!flags.includes('#')) return text;
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];

const DAY_MS = 86_400_000;
const yearOf = ({ at }: Broken): number => at.getUTCFullYear();
const hour12 = ({ at }: Broken): number => at.getUTCHours() % 12 || 12;
const yearDay = ({ at }: Broken): number =>
  Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0)) / DAY_MS);
/** 1 is Monday, 7 Sunday. */
const isoDay = ({ at }: Broken): number => at.getUTCDay() || 7;
/** ISO 8601: a week belongs to the year that its Thursday is in. */
const isoThursday = (time: Broken): Date =>
  new Date(time.at.getTime() + (4 - isoDay(time)) * DAY_MS);
const isoYear = (time: Broken): number => isoThursday(time).getUTCFullYear();
const isoWeek = (time: Broken): number =>
  1 + Math.floor((isoThursday(time).getTime() - Date.UTC(isoYear(time), 0)) / (7 * DAY_MS));

const NUMBERS: Readonly<
  Record<string, readonly [value: (time: Broken) => number, digits: number, pad: '0' | ' ']>
> = {
  C: [(time) => Math.floor(yearOf(time) / 100), 2, '0'],
  d: [({ at }) => at.getUTCDate(), 2, '0'],
  e: [({ at }) => at.getUTCDate(), 2, ' '],
  g: [(time) => isoYear(time) % 100, 2, '0'],
  G: [isoYear, 1, '0'],
  H: [({ at }) => at.getUTCHours(), 2, '0'],
  I: [hour12, 2, '0'],
  j: [(time) => yearDay(time) + 1, 3, '0'],
  k: [({ at }) => at.getUTCHours(), 2, ' '],
  l: [hour12, 2, ' '],
  m: [({ at }) => at.getUTCMonth() + 1, 2, '0'],
  M: [({ at }) => at.getUTCMinutes(), 2, '0'],
  s: [({ epoch }) => epoch, 1, '0'],
  S: [({ at }) => at.getUTCSeconds(), 2, '0'],
  u: [isoDay, 1, '0'],
  U: [(time) => Math.floor((yearDay(time) + 7 - time.at.getUTCDay()) / 7), 2, '0'],
  V: [isoWeek, 2, '0'],
  w: [({ at }) => at.getUTCDay(), 1, '0'],
  W: [(time) => Math.floor((yearDay(time) + 8 - isoDay(time)) / 7), 2, '0'],
  y: [(time) => yearOf(time) % 100, 2, '0'],
  Y: [yearOf, 1, '0'],
};

const TEXTS: Readonly<Record<string, (time: Broken) => string>> = {
  a: ({ at }) => DAYS[at.getUTCDay()].slice(0, 3),
  A: ({ at }) => DAYS[at.getUTCDay()],
  b: ({ at }) => MONTHS[at.getUTCMonth()].slice(0, 3),
  B: ({ at }) => MONTHS[at.getUTCMonth()],
  h: ({ at }) => MONTHS[at.getUTCMonth()].slice(0, 3),
  n: () => '\n',
  p: ({ at }) => (at.getUTCHours() < 12 ? 'AM' : 'PM'),
  P: ({ at }) => (at.getUTCHours() < 12 ? 'am' : 'pm'),
  t: () => '\t',
  z: zoneOffset,
  Z: ({ zone }) => zone(),
  '%': () => '%',
};

/** What these stand for, in the C locale. */
const COMPOUNDS: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

function zoneOffset({ zoneMinutes }: Broken): string {
  const size = Math.abs(zoneMinutes);
  const digits = Math.floor(size / 60) * 100 + (size % 60);
  return `${zoneMinutes < 0 ? '-' : '+'}${String(digits).padStart(4, '0')}`;
}
