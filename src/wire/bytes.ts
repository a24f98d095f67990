/**
 * Big-endian numbers in a Uint8Array: the reads and writes that every protocol
 * module of this folder is made of.
 *
 * They compose bytes instead of going through a DataView, so that a caller
 * needs one view of a buffer only. Out-of-range offsets are the caller's bug:
 * every module checks a header's length once, before any accessor.
 */

export const u16 = (b: Uint8Array, o: number): number => (b[o] << 8) | b[o + 1];

/** As a flow key holds it: a signed 32-bit number. `>>> 0` makes it unsigned. */
export const i32 = (b: Uint8Array, o: number): number =>
  (b[o] << 24) | (b[o + 1] << 16) | (b[o + 2] << 8) | b[o + 3];

export function setU16(b: Uint8Array, o: number, value: number): void {
  b[o] = value >>> 8;
  b[o + 1] = value;
}

/** Takes signed and unsigned numbers alike. */
export function setU32(b: Uint8Array, o: number, value: number): void {
  b[o] = value >>> 24;
  b[o + 1] = value >>> 16;
  b[o + 2] = value >>> 8;
  b[o + 3] = value;
}

/** Writes the low `size` bytes of a wide number (a MAC or IPv6 address). Not for the packet path. */
export function setWide(b: Uint8Array, o: number, size: number, value: bigint): void {
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    b[o + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** Reads `size` bytes as one wide number. Not for the packet path. */
export function wide(b: Uint8Array, o: number, size: number): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(b[o + i]);
  return value;
}
