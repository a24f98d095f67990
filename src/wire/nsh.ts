/** The network service header (RFC 8300). Offsets are from it. */
import { i32, setU16, setU32, u16 } from './bytes.ts';

// Offsets.
const BASE = 0;
export const MD_TYPE = 2;
export const NEXT_PROTO = 3;
export const PATH = 4;
export const CONTEXT = 8;

/** Header length without context. */
export const SIZE = 8;
/** Header length with the four context words of MD type 1. */
export const MD1_SIZE = 24;

export const MD_TYPE_1 = 1;
export const MD_TYPE_2 = 2;

/** Whether [o, end) holds the whole header. */
export const check = (b: Uint8Array, o: number, end: number): boolean =>
  o + SIZE <= end && headerLength(b, o) >= SIZE && o + headerLength(b, o) <= end;

// Getters. The first word is version (2 bits), flags (8), TTL (6), length (6 bits, words of 4 bytes).
export const version = (b: Uint8Array, o: number): number => b[o] >>> 6;
/** Eight bits: OAM is 0x20 of the first byte, the rest reserved. */
export const flags = (b: Uint8Array, o: number): number => (u16(b, o) >>> 12) & 0x3;
export const ttl = (b: Uint8Array, o: number): number => (u16(b, o) >>> 6) & 0x3f;
export const headerLength = (b: Uint8Array, o: number): number => (u16(b, o) & 0x3f) * 4;
export const mdType = (b: Uint8Array, o: number): number => b[o + MD_TYPE];
export const nextProto = (b: Uint8Array, o: number): number => b[o + NEXT_PROTO];
/** spi << 8 | si */
export const path = (b: Uint8Array, o: number): number => i32(b, o + PATH);
/** The i-th context word of MD type 1. */
export const context = (b: Uint8Array, o: number, i: number): number => i32(b, o + CONTEXT + 4 * i);

export interface NshHeader {
  version?: number;
  flags?: number;
  /** 63 by default. */
  ttl?: number;
  /** 1 by default. */
  mdType?: number;
  /** What follows: 3 is Ethernet, the default. */
  nextProto?: number;
  spi: number;
  si: number;
  /** The four words of MD type 1. */
  context?: readonly number[];
  /** Header length, bytes: 24 for MD type 1, else 8 by default. */
  size?: number;
}

/** Bytes that `emit` will write. */
export const emitSize = (header: NshHeader): number =>
  header.size ?? ((header.mdType ?? MD_TYPE_1) === MD_TYPE_1 ? MD1_SIZE : SIZE);

/** @returns the offset after the header */
export function emit(b: Uint8Array, o: number, header: NshHeader): number {
  const size = emitSize(header);
  const version = (header.version ?? 0) << 14;
  const flags = (header.flags ?? 0) << 12;
  setU16(b, o + BASE, version | flags | ((header.ttl ?? 63) << 6) | (size / 4));
  b[o + MD_TYPE] = header.mdType ?? MD_TYPE_1;
  b[o + NEXT_PROTO] = header.nextProto ?? 3;
  setU32(b, o + PATH, (header.spi << 8) | header.si);
  const words = (header.context ?? []).slice(0, (size - SIZE) / 4);
  for (const [i, word] of words.entries()) setU32(b, o + CONTEXT + 4 * i, word);
  return o + size;
}

export const print = (b: Uint8Array, o: number): string =>
  `nsh spi ${path(b, o) >>> 8} si ${path(b, o) & 0xff} ttl ${ttl(b, o)}`;
