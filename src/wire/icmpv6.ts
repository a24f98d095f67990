/**
 * ICMPv6 (RFC 4443) and neighbour discovery's messages and options (RFC 4861).
 * Offsets are from the ICMPv6 header.
 */
import { parseIpv6, parseMac } from './address.ts';
import { setU16, setU32, setWide } from './bytes.ts';
import { finish, sum } from './checksum.ts';

// Offsets.
const TYPE = 0;
const CODE = 1;
export const CHECK = 2;
/** Of neighbour discovery: flags and reserved bits, then the target, then options. */
export const ND_RESERVED = 4;
export const ND_TARGET = 8;
export const ND_OPTIONS = 24;

/** Header length: type, code and checksum, which is all that every ICMPv6 message has. */
const SIZE = 4;
/** Header length with the four bytes that echo and neighbour discovery go on with. */
export const SIZE_WITH_REST = 8;
/** With the target, which ends where options begin. */
export const ND_SIZE = ND_TARGET + 16;

const ECHO_REQUEST = 128;
export const NEIGHBOR_SOLICIT = 135;
export const NEIGHBOR_ADVERT = 136;

/** ND options: type, length in units of 8 bytes, then a MAC address in those two. */
export const OPTION_SIZE = 8;
export const OPTION_SOURCE_LINK = 1;
export const OPTION_TARGET_LINK = 2;

/** Whether [o, end) holds an ICMPv6 header. */
export const check = (_b: Uint8Array, o: number, end: number): boolean => o + SIZE <= end;

// Getters.
export const type = (b: Uint8Array, o: number): number => b[o + TYPE];
export const code = (b: Uint8Array, o: number): number => b[o + CODE];
export const isNd = (b: Uint8Array, o: number): boolean =>
  code(b, o) === 0 && (type(b, o) === NEIGHBOR_SOLICIT || type(b, o) === NEIGHBOR_ADVERT);
/** Of the ND option at `o`. */
export const optionType = (b: Uint8Array, o: number): number => b[o];
/** Of the ND option at `o`, bytes. 0 is malformed. */
export const optionSize = (b: Uint8Array, o: number): number => b[o + 1] * 8;

// Setters.
function setCheck16(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + CHECK, value);
}
/** @param pseudo the pseudo-header's sum, see checksum.ts; `end` is the message's */
export function fillChecksum(b: Uint8Array, o: number, end: number, pseudo: number): void {
  setCheck16(b, o, 0);
  setCheck16(b, o, finish(pseudo + sum(b, o, end)));
}

export interface Icmpv6Header {
  /** An echo request by default. */
  type?: number;
  code?: number;
  /** The four bytes after the checksum. */
  rest?: number;
  /** What neighbour discovery goes on with. */
  nd?: { target: string; options?: readonly NdOption[] };
}
interface NdOption {
  type: number;
  mac: string;
}

/** Bytes that `emit` will write. */
export const emitSize = (header: Icmpv6Header): number =>
  header.nd ? ND_SIZE + (header.nd.options?.length ?? 0) * OPTION_SIZE : SIZE_WITH_REST;

/** The checksum is left 0. @returns the offset after the header (and the ND options) */
export function emit(b: Uint8Array, o: number, header: Icmpv6Header): number {
  b[o + TYPE] = header.type ?? ECHO_REQUEST;
  b[o + CODE] = header.code ?? 0;
  setCheck16(b, o, 0);
  setU32(b, o + ND_RESERVED, header.rest ?? 0);
  if (header.nd) emitNd(b, o, header.nd);
  return o + emitSize(header);
}

export const print = (b: Uint8Array, o: number): string =>
  `icmpv6 type ${type(b, o)} code ${code(b, o)}`;

function emitNd(b: Uint8Array, o: number, nd: NonNullable<Icmpv6Header['nd']>): void {
  setWide(b, o + ND_TARGET, 16, parseIpv6(nd.target) ?? 0n);
  for (const [i, option] of (nd.options ?? []).entries()) {
    const at = o + ND_OPTIONS + i * OPTION_SIZE;
    b[at] = option.type;
    b[at + 1] = 1;
    setWide(b, at + 2, 6, parseMac(option.mac) ?? 0n);
  }
}
