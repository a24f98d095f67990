/** ICMP for IPv4 (RFC 792). Offsets are from the ICMP header. */

import { setU16, setU32 } from './bytes.ts';
import { checksum } from './checksum.ts';

// Offsets.
const TYPE = 0;
const CODE = 1;
export const CHECK = 2;
const REST = 4;

/** Header length. */
export const SIZE = 8;

const ECHO_REQUEST = 8;

/** Whether [o, end) holds an ICMP header. */
export const check = (_b: Uint8Array, o: number, end: number): boolean => o + SIZE <= end;

// Getters.
export const type = (b: Uint8Array, o: number): number => b[o + TYPE];
export const code = (b: Uint8Array, o: number): number => b[o + CODE];

// Setters.
function setCheck16(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + CHECK, value);
}
export function fillChecksum(b: Uint8Array, o: number, end: number): void {
  setCheck16(b, o, 0);
  setCheck16(b, o, checksum(b, o, end));
}

export interface IcmpHeader {
  /** An echo request by default. */
  type?: number;
  code?: number;
  /** The four bytes after the checksum: for echo, identifier << 16 | sequence number. */
  rest?: number;
}

/** The checksum is left 0. @returns the offset after the header */
export function emit(b: Uint8Array, o: number, header: IcmpHeader): number {
  b[o + TYPE] = header.type ?? ECHO_REQUEST;
  b[o + CODE] = header.code ?? 0;
  setCheck16(b, o, 0);
  setU32(b, o + REST, header.rest ?? 0);
  return o + SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `icmp type ${type(b, o)} code ${code(b, o)}`;
