/** UDP (RFC 768). Offsets are from the UDP header. */

import { setU16, u16 } from './bytes.ts';
import { finish, sum } from './checksum.ts';

// Offsets.
const SRC_PORT = 0;
const DST_PORT = 2;
const LENGTH = 4;
export const CHECK = 6;

/** Header length. */
export const SIZE = 8;

/** Whether [o, end) holds a whole UDP header. */
export const check = (_b: Uint8Array, o: number, end: number): boolean => o + SIZE <= end;

// Getters.
export const srcPort = (b: Uint8Array, o: number): number => u16(b, o + SRC_PORT);
export const dstPort = (b: Uint8Array, o: number): number => u16(b, o + DST_PORT);
/** Header and payload, bytes. */
const length = (b: Uint8Array, o: number): number => u16(b, o + LENGTH);

// Setters. None but `fillChecksum` touches the checksum.
function setSrcPort(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + SRC_PORT, value);
}
function setDstPort(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + DST_PORT, value);
}
export function setLength(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + LENGTH, value);
}
function setCheck16(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + CHECK, value);
}
/** @param pseudo the pseudo-header's sum, see checksum.ts; `end` is the datagram's */
export function fillChecksum(b: Uint8Array, o: number, end: number, pseudo: number): void {
  setCheck16(b, o, 0);
  setCheck16(b, o, nonZero(finish(pseudo + sum(b, o, end))));
}
/** A computed 0 is sent as its other form, for 0 means "none". */
export const nonZero = (computed: number): number => (computed === 0 ? 0xffff : computed);

export interface UdpHeader {
  srcPort?: number;
  dstPort?: number;
  /** Header and payload; what `emit` is told by default. */
  length?: number;
  /** Leaves the checksum out. */
  noChecksum?: boolean;
}

/** The checksum is left 0. @returns the offset after the header */
export function emit(b: Uint8Array, o: number, header: UdpHeader, payloadSize: number): number {
  setSrcPort(b, o, header.srcPort ?? 0);
  setDstPort(b, o, header.dstPort ?? 0);
  setLength(b, o, header.length ?? SIZE + payloadSize);
  setCheck16(b, o, 0);
  return o + SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `udp ${srcPort(b, o)} > ${dstPort(b, o)} length ${length(b, o)}`;
