/**
 * One field's value as text, both ways: what stands after `field=` in a match
 * and between `set_field:` and `->`. Numbers are decimal, 0x hexadecimal or
 * 0 octal; a mask follows a slash.
 */
import {
  formatIpv4,
  formatIpv6,
  formatMac,
  parseIpv4,
  parseIpv6,
  parseMac,
} from '../wire/address.ts';
import type { Field, FieldFormat } from './fields.ts';
import {
  CT_STATE_NAMES,
  type FlagNames,
  formatFlags,
  formatMaskedFlags,
  parseFlags,
  TCP_FLAG_NAMES,
  TUN_FLAG_NAMES,
} from './flags.ts';
import { FRAG_ANY, FRAG_LATER } from './key.ts';
import { exactMask } from './match.ts';
import { formatPort, type PortNames, parsePort } from './ports.ts';

/** A value, and a mask of the same bits. */
export interface FieldValue {
  value: bigint;
  mask: bigint;
}

/**
 * Value bits outside the mask come out as 0.
 *
 * @returns what was wrong, as the end of a sentence ("is not an IPv4 address"), if it was
 */
export function parseFieldValue(
  field: Field,
  text: string,
  ports?: PortNames,
): FieldValue | string {
  if (text === '*') return { value: 0n, mask: 0n };
  const parsed = PARSERS[field.format](field, text, ports);
  if (typeof parsed === 'string') return parsed;
  const exact = exactMask(field);
  if ((parsed.value & ~exact) !== 0n || (parsed.mask & ~exact) !== 0n) {
    return field.lowZeros > 0
      ? `is not a multiple of ${1 << field.lowZeros} of ${field.bits} bits`
      : `is too large for ${field.bits} bits`;
  }
  if (!field.maskable && parsed.mask !== exact && parsed.mask !== 0n) {
    return 'has a mask, but this field can only be matched whole: leave the mask out';
  }
  return { value: parsed.value & parsed.mask, mask: parsed.mask };
}

/** With a mask that is exact: the value alone. */
export function formatFieldValue(
  field: Field,
  value: bigint,
  mask: bigint,
  ports?: PortNames,
): string {
  return FORMATTERS[field.format](value, mask, mask === exactMask(field), ports);
}

type Parser = (field: Field, text: string, ports?: PortNames) => FieldValue | string;

const PARSERS: Readonly<Record<FieldFormat, Parser>> = {
  decimal: parseInteger,
  hexadecimal: parseInteger,
  ethernet: (field, text) => parseAddress(field, text, parseMac, 'Ethernet'),
  ipv4: (field, text) => parseAddress(field, text, (part) => toBigint(parseIpv4(part)), 'IPv4'),
  ipv6: (field, text) => parseAddress(field, text, parseIpv6, 'IPv6'),
  port(field, text, ports) {
    const port = parsePort(text, ports);
    if (port === undefined) return 'is not a port: give its number, or a name this bridge knows';
    return exactly(field, BigInt(port));
  },
  'packet type': parsePacketType,
  frag: parseFrag,
  'tcp flags': (field, text) => parseFlagField(field, text, TCP_FLAG_NAMES),
  'ct state': (field, text) => parseFlagField(field, text, CT_STATE_NAMES),
  'tunnel flags': (field, text) => parseFlagField(field, text, TUN_FLAG_NAMES),
};

type Formatter = (value: bigint, mask: bigint, exact: boolean, ports?: PortNames) => string;

const FORMATTERS: Readonly<Record<FieldFormat, Formatter>> = {
  decimal: (value, mask, exact) =>
    exact ? `${value}` : `0x${value.toString(16)}/0x${mask.toString(16)}`,
  hexadecimal: (value, mask, exact) => (exact ? hex(value) : `${hex(value)}/${hex(mask)}`),
  ethernet: (value, mask, exact) =>
    exact ? formatMac(value) : `${formatMac(value)}/${formatMac(mask)}`,
  ipv4: (value, mask, exact) =>
    formatIpv4(Number(value)) +
    (exact ? '' : `/${prefixLength(mask, 32) ?? formatIpv4(Number(mask))}`),
  ipv6: (value, mask, exact) =>
    formatIpv6(value) + (exact ? '' : `/${prefixLength(mask, 128) ?? formatIpv6(mask)}`),
  port: (value, _mask, _exact, ports) => formatPort(Number(value), ports),
  'packet type': (value) => `(${value >> 16n},${hex(value & 0xffffn)})`,
  frag: formatFrag,
  'tcp flags': (value, mask, exact) => formatFlagField(value, mask, exact, TCP_FLAG_NAMES),
  'ct state': (value, mask, exact) => formatFlagField(value, mask, exact, CT_STATE_NAMES),
  'tunnel flags': (value, mask) => formatFlagField(value, mask, false, TUN_FLAG_NAMES),
};

const exactly = (field: Field, value: bigint): FieldValue => ({ value, mask: exactMask(field) });

const toBigint = (value: number | undefined): bigint | undefined =>
  value === undefined ? undefined : BigInt(value);

/** As printf's %#x: 0 goes without the prefix. */
const hex = (value: bigint): string => (value === 0n ? '0' : `0x${value.toString(16)}`);

function parseInteger(field: Field, text: string): FieldValue | string {
  const [valueText, maskText, ...rest] = text.split('/');
  const value = integer(valueText);
  if (value === undefined || rest.length > 0) return 'is not a number';
  if (maskText === undefined) return exactly(field, value);
  const mask = integer(maskText);
  return mask === undefined ? 'has a mask that is not a number' : { value, mask };
}

function integer(text: string): bigint | undefined {
  if (/^(0x[0-9a-f]+|0|[1-9]\d*)$/i.test(text)) return BigInt(text);
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : undefined;
}

function parseAddress(
  field: Field,
  text: string,
  parse: (text: string) => bigint | undefined,
  kind: string,
): FieldValue | string {
  const [valueText, maskText, ...rest] = text.split('/');
  const value = parse(valueText);
  if (value === undefined || rest.length > 0) return `is not an ${kind} address`;
  if (maskText === undefined) return exactly(field, value);
  const isPrefix = kind !== 'Ethernet' && /^\d+$/.test(maskText);
  if (isPrefix && Number(maskText) > field.bits) {
    return `has a prefix length above ${field.bits}`;
  }
  const mask = isPrefix ? prefixMask(Number(maskText), field.bits) : parse(maskText);
  if (mask === undefined) return `has a mask that is not an ${kind} address`;
  return { value, mask };
}

const prefixMask = (length: number, bits: number): bigint =>
  ((1n << BigInt(length)) - 1n) << BigInt(bits - length);

/** @returns undefined if the mask is no prefix */
function prefixLength(mask: bigint, bits: number): number | undefined {
  const ones = mask.toString(2).replace(/0+$/, '').length;
  const length = mask === 0n ? 0 : mask.toString(2).length === bits ? ones : -1;
  return length >= 0 && prefixMask(length, bits) === mask ? length : undefined;
}

function parsePacketType(field: Field, text: string): FieldValue | string {
  const numbers = /^\(([^,]+),([^,]+)\)$/.exec(text)?.slice(1).map(integer) ?? [];
  const [ns, type] = numbers;
  if (ns === undefined || type === undefined || ns > 0xffffn || type > 0xffffn) {
    return 'is not a packet type: write (NAMESPACE,TYPE)';
  }
  return exactly(field, (ns << 16n) | type);
}

/** The words of `ip_frag`, each with value and mask. */
const FRAGS: Readonly<Record<string, readonly [value: number, mask: number]>> = {
  no: [0, FRAG_ANY | FRAG_LATER],
  yes: [FRAG_ANY, FRAG_ANY],
  first: [FRAG_ANY, FRAG_ANY | FRAG_LATER],
  later: [FRAG_ANY | FRAG_LATER, FRAG_ANY | FRAG_LATER],
  not_later: [0, FRAG_LATER],
};

function parseFrag(_field: Field, text: string): FieldValue | string {
  const known = Object.hasOwn(FRAGS, text) ? FRAGS[text] : undefined;
  if (known === undefined) return `is not one of ${Object.keys(FRAGS).join(', ')}`;
  return { value: BigInt(known[0]), mask: BigInt(known[1]) };
}

function formatFrag(value: bigint, mask: bigint): string {
  const any = (Number(value) & FRAG_ANY) !== 0;
  const later = (Number(value) & FRAG_LATER) !== 0;
  if (Number(mask) === FRAG_ANY) return any ? 'yes' : 'no';
  if (Number(mask) === FRAG_LATER) return later ? 'later' : 'not_later';
  if (any) return later ? 'later' : 'first';
  return later ? '<error>' : 'no';
}

function parseFlagField(field: Field, text: string, names: FlagNames): FieldValue | string {
  if (/^\d/.test(text)) return parseInteger(field, text);
  const flags = parseFlags(text, names);
  if (flags === undefined) return `is not a list of flags: ${names.join(' ')}`;
  return { value: BigInt(flags.value), mask: BigInt(flags.mask) };
}

const formatFlagField = (value: bigint, mask: bigint, exact: boolean, names: FlagNames): string =>
  exact ? formatFlags(Number(value), names) : formatMaskedFlags(Number(value), Number(mask), names);
