/** IGMP (RFC 2236). Offsets are from the IGMP header. */
import { formatIpv4, parseIpv4 } from './address.ts';
import { i32, setU16, setU32 } from './bytes.ts';
import { checksum } from './checksum.ts';

// Offsets.
const TYPE = 0;
const CODE = 1;
const CHECK = 2;
const GROUP = 4;

/** Header length. */
export const SIZE = 8;

const MEMBERSHIP_REPORT_V2 = 0x16;

/** Whether [o, end) holds an IGMP header. */
export const check = (_b: Uint8Array, o: number, end: number): boolean => o + SIZE <= end;

// Getters.
export const type = (b: Uint8Array, o: number): number => b[o + TYPE];
export const code = (b: Uint8Array, o: number): number => b[o + CODE];
const group = (b: Uint8Array, o: number): number => i32(b, o + GROUP);

// Setters.
export function fillChecksum(b: Uint8Array, o: number, end: number): void {
  setU16(b, o + CHECK, 0);
  setU16(b, o + CHECK, checksum(b, o, end));
}

export interface IgmpHeader {
  /** A version 2 report by default. */
  type?: number;
  code?: number;
  group?: string;
}

/** The checksum is left 0. @returns the offset after the header */
export function emit(b: Uint8Array, o: number, header: IgmpHeader): number {
  b[o + TYPE] = header.type ?? MEMBERSHIP_REPORT_V2;
  b[o + CODE] = header.code ?? 0;
  setU16(b, o + CHECK, 0);
  setU32(b, o + GROUP, parseIpv4(header.group ?? '239.0.0.1') ?? 0);
  return o + SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `igmp type ${type(b, o)} group ${formatIpv4(group(b, o))}`;
