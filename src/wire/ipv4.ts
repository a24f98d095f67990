/**
 * IPv4 (RFC 791). Offsets are from the IPv4 header. After `check` has said yes
 * every accessor is in range.
 */
import { formatIpv4, parseIpv4 } from './address.ts';
import { i32, setU16, setU32, u16 } from './bytes.ts';
import { checksum } from './checksum.ts';

// Offsets.
export const VERSION_IHL = 0;
const TOS = 1;
const TOTAL_LENGTH = 2;
const ID = 4;
export const FRAGMENT = 6;
export const TTL = 8;
const PROTO = 9;
export const CHECK = 10;
export const SRC = 12;
export const DST = 16;

/** Header length without options. */
export const SIZE = 20;

/** A bit of the fragment word. */
export const MORE_FRAGMENTS = 0x2000;
/** In units of 8 bytes. */
export const FRAGMENT_OFFSET_MASK = 0x1fff;

/** Whether [o, end) holds a whole IPv4 header and the packet it announces. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  if (o + SIZE > end) return false;
  const header = headerLength(b, o);
  const total = totalLength(b, o);
  return header >= SIZE && header <= total && o + total <= end;
}

// Getters.
/** Bytes, with options. */
export const headerLength = (b: Uint8Array, o: number): number => (b[o + VERSION_IHL] & 0xf) * 4;
export const tos = (b: Uint8Array, o: number): number => b[o + TOS];
export const totalLength = (b: Uint8Array, o: number): number => u16(b, o + TOTAL_LENGTH);
export const id = (b: Uint8Array, o: number): number => u16(b, o + ID);
/** DF and MF bits and the offset. */
export const fragment = (b: Uint8Array, o: number): number => u16(b, o + FRAGMENT);
export const ttl = (b: Uint8Array, o: number): number => b[o + TTL];
export const proto = (b: Uint8Array, o: number): number => b[o + PROTO];
const src = (b: Uint8Array, o: number): number => i32(b, o + SRC);
const dst = (b: Uint8Array, o: number): number => i32(b, o + DST);

// Setters. None but `fillChecksum` touches the checksum.
function setTos(b: Uint8Array, o: number, value: number): void {
  b[o + TOS] = value;
}
export function setTotalLength(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + TOTAL_LENGTH, value);
}
export function setId(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + ID, value);
}
function setTtl(b: Uint8Array, o: number, value: number): void {
  b[o + TTL] = value;
}
function setCheck16(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + CHECK, value);
}
function setSrc(b: Uint8Array, o: number, value: number): void {
  setU32(b, o + SRC, value);
}
function setDst(b: Uint8Array, o: number, value: number): void {
  setU32(b, o + DST, value);
}
export function fillChecksum(b: Uint8Array, o: number): void {
  setCheck16(b, o, 0);
  setCheck16(b, o, checksum(b, o, o + headerLength(b, o)));
}

export interface Ipv4Header {
  /** Dotted quads; 10.0.0.1 and 10.0.0.2 by default. */
  src?: string;
  dst?: string;
  proto?: number;
  tos?: number;
  /** 64 by default. */
  ttl?: number;
  id?: number;
  /** DF and MF bits and the offset in units of 8 bytes. */
  fragment?: number;
  /** A multiple of 4 bytes, at most 40. */
  options?: Uint8Array;
  /** Header and payload, bytes; what `emit` is told by default. */
  totalLength?: number;
}

/** @returns the offset after the header, checksum filled in */
export function emit(b: Uint8Array, o: number, header: Ipv4Header, payloadSize: number): number {
  const size = SIZE + (header.options?.length ?? 0);
  b[o + VERSION_IHL] = 0x40 | (size / 4);
  setTos(b, o, header.tos ?? 0);
  setTotalLength(b, o, header.totalLength ?? size + payloadSize);
  setId(b, o, header.id ?? 0);
  setU16(b, o + FRAGMENT, header.fragment ?? 0);
  setTtl(b, o, header.ttl ?? 64);
  b[o + PROTO] = header.proto ?? 0;
  setSrc(b, o, parseIpv4(header.src ?? '10.0.0.1') ?? 0);
  setDst(b, o, parseIpv4(header.dst ?? '10.0.0.2') ?? 0);
  if (header.options) b.set(header.options, o + SIZE);
  fillChecksum(b, o);
  return o + size;
}

export const print = (b: Uint8Array, o: number): string =>
  `ipv4 ${formatIpv4(src(b, o))} > ${formatIpv4(dst(b, o))} proto ${proto(b, o)} ` +
  `ttl ${ttl(b, o)} length ${totalLength(b, o)}`;
