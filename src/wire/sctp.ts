/** SCTP's common header (RFC 9260). Offsets are from it. */

import { i32, setU16, u16 } from './bytes.ts';
import { CRC32C_INIT, crc32cAdd, crc32cFinish } from './checksum.ts';

// Offsets.
const SRC_PORT = 0;
const DST_PORT = 2;
export const CHECK = 8;

/** Header length. */
export const SIZE = 12;

/** Whether [o, end) holds a common header. */
export const check = (_b: Uint8Array, o: number, end: number): boolean => o + SIZE <= end;

// Getters.
export const srcPort = (b: Uint8Array, o: number): number => u16(b, o + SRC_PORT);
export const dstPort = (b: Uint8Array, o: number): number => u16(b, o + DST_PORT);
export const check32 = (b: Uint8Array, o: number): number => i32(b, o + CHECK);

// Setters. None but `fillChecksum` touches the checksum.
function setSrcPort(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + SRC_PORT, value);
}
function setDstPort(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + DST_PORT, value);
}
/** CRC32c over the packet [o, end), its own field taken as 0; stored little-endian. */
export function fillChecksum(b: Uint8Array, o: number, end: number): void {
  b.fill(0, o + CHECK, o + CHECK + 4);
  const crc = crc32cFinish(crc32cAdd(CRC32C_INIT, b, o, end));
  b[o + CHECK] = crc;
  b[o + CHECK + 1] = crc >>> 8;
  b[o + CHECK + 2] = crc >>> 16;
  b[o + CHECK + 3] = crc >>> 24;
}

export interface SctpHeader {
  srcPort?: number;
  dstPort?: number;
}

/** The checksum is left 0. @returns the offset after the header */
export function emit(b: Uint8Array, o: number, header: SctpHeader): number {
  b.fill(0, o, o + SIZE);
  setSrcPort(b, o, header.srcPort ?? 0);
  setDstPort(b, o, header.dstPort ?? 0);
  return o + SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `sctp ${srcPort(b, o)} > ${dstPort(b, o)}`;
