/** TCP (RFC 9293). Offsets are from the TCP header. */

import { i32, setU16, setU32, u16 } from './bytes.ts';
import { finish, sum } from './checksum.ts';

// Offsets.
const SRC_PORT = 0;
const DST_PORT = 2;
const SEQ = 4;
const ACK = 8;
export const OFFSET_FLAGS = 12;
const WINDOW = 14;
export const CHECK = 16;

/** Header length without options. */
export const SIZE = 20;

/** Flags, as the low bits of the word at OFFSET_FLAGS. */
export const FIN = 0x001;
const SYN = 0x002;
export const PSH = 0x008;
export const CWR = 0x080;
export const FLAGS_MASK = 0xfff;

/** Whether [o, end) holds a whole TCP header. */
export const check = (b: Uint8Array, o: number, end: number): boolean =>
  o + SIZE <= end && headerLength(b, o) >= SIZE && o + headerLength(b, o) <= end;

// Getters.
export const srcPort = (b: Uint8Array, o: number): number => u16(b, o + SRC_PORT);
export const dstPort = (b: Uint8Array, o: number): number => u16(b, o + DST_PORT);
export const seq = (b: Uint8Array, o: number): number => i32(b, o + SEQ);
/** Bytes, with options. */
export const headerLength = (b: Uint8Array, o: number): number => (b[o + OFFSET_FLAGS] >>> 4) * 4;
/** Twelve bits: the reserved ones are included, as tcp_flags has them. */
export const flags = (b: Uint8Array, o: number): number => u16(b, o + OFFSET_FLAGS) & FLAGS_MASK;

// Setters. None but `fillChecksum` touches the checksum.
function setSrcPort(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + SRC_PORT, value);
}
function setDstPort(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + DST_PORT, value);
}
export function setSeq(b: Uint8Array, o: number, value: number): void {
  setU32(b, o + SEQ, value);
}
export function setFlags(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + OFFSET_FLAGS, (u16(b, o + OFFSET_FLAGS) & ~FLAGS_MASK) | (value & FLAGS_MASK));
}
function setCheck16(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + CHECK, value);
}
/** @param pseudo the pseudo-header's sum, see checksum.ts; `end` is the segment's */
export function fillChecksum(b: Uint8Array, o: number, end: number, pseudo: number): void {
  setCheck16(b, o, 0);
  setCheck16(b, o, finish(pseudo + sum(b, o, end)));
}

export interface TcpHeader {
  srcPort?: number;
  dstPort?: number;
  seq?: number;
  ack?: number;
  /** SYN by default. */
  flags?: number;
  window?: number;
  /** A multiple of 4 bytes, at most 40. */
  options?: Uint8Array;
}

/** The checksum is left 0. @returns the offset after the header */
export function emit(b: Uint8Array, o: number, header: TcpHeader): number {
  const size = SIZE + (header.options?.length ?? 0);
  setSrcPort(b, o, header.srcPort ?? 0);
  setDstPort(b, o, header.dstPort ?? 0);
  setSeq(b, o, header.seq ?? 0);
  setU32(b, o + ACK, header.ack ?? 0);
  setU16(b, o + OFFSET_FLAGS, ((size / 4) << 12) | (header.flags ?? SYN));
  setU16(b, o + WINDOW, header.window ?? 65535);
  setU32(b, o + CHECK, 0);
  if (header.options) b.set(header.options, o + SIZE);
  return o + size;
}

export const print = (b: Uint8Array, o: number): string =>
  `tcp ${srcPort(b, o)} > ${dstPort(b, o)} flags 0x${flags(b, o).toString(16)} seq ${seq(b, o) >>> 0}`;
