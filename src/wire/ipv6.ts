/**
 * IPv6 (RFC 8200) and the walk over its extension headers. Offsets are from the
 * IPv6 header.
 */
import { formatIpv6, parseIpv6 } from './address.ts';
import { i32, setU16, setU32, setWide, u16, wide } from './bytes.ts';

// Offsets.
export const PAYLOAD_LENGTH = 4;
export const NEXT_HEADER = 6;
export const HOP_LIMIT = 7;
export const SRC = 8;
export const DST = 24;

/** Header length. */
export const SIZE = 40;

export const LABEL_MASK = 0xfffff;

/** Next-header numbers of extension headers. */
export const EXT_HOP_BY_HOP = 0;
export const EXT_ROUTING = 43;
export const EXT_FRAGMENT = 44;
export const EXT_AUTHENTICATION = 51;
const EXT_DESTINATION = 60;
/** Bytes of the shortest extension header, and of every fragment header. */
export const EXT_SIZE = 8;
/** The offset in the 16-bit word two bytes into a fragment header, in units of bytes. */
export const FRAGMENT_OFFSET_MASK = 0xfff8;

/** Whether [o, end) holds a whole IPv6 header and the payload it announces. */
export const check = (b: Uint8Array, o: number, end: number): boolean =>
  o + SIZE <= end && o + SIZE + payloadLength(b, o) <= end;

// Getters.
export const trafficClass = (b: Uint8Array, o: number): number => (u16(b, o) >>> 4) & 0xff;
export const label = (b: Uint8Array, o: number): number => i32(b, o) & LABEL_MASK;
/** Bytes after this header. */
export const payloadLength = (b: Uint8Array, o: number): number => u16(b, o + PAYLOAD_LENGTH);
export const nextHeader = (b: Uint8Array, o: number): number => b[o + NEXT_HEADER];
export const hopLimit = (b: Uint8Array, o: number): number => b[o + HOP_LIMIT];

/** Whether a next-header number is one that the walk steps over. */
export const isExtension = (next: number): boolean =>
  next === EXT_HOP_BY_HOP ||
  next === EXT_ROUTING ||
  next === EXT_DESTINATION ||
  next === EXT_AUTHENTICATION ||
  next === EXT_FRAGMENT;

/** Bytes of the extension header of kind `next` at `o`, of which EXT_SIZE are known to be there. */
export function extensionSize(b: Uint8Array, o: number, next: number): number {
  if (next === EXT_FRAGMENT) return EXT_SIZE;
  // An authentication header counts in words (RFC 4302), the others in units of 8 bytes.
  return next === EXT_AUTHENTICATION ? (b[o + 1] + 2) * 4 : (b[o + 1] + 1) * 8;
}

// Setters.
function setTrafficClass(b: Uint8Array, o: number, value: number): void {
  setU16(b, o, (u16(b, o) & 0xf00f) | (value << 4));
}
function setLabel(b: Uint8Array, o: number, value: number): void {
  setU32(b, o, (i32(b, o) & ~LABEL_MASK) | (value & LABEL_MASK));
}
export function setPayloadLength(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + PAYLOAD_LENGTH, value);
}
function setHopLimit(b: Uint8Array, o: number, value: number): void {
  b[o + HOP_LIMIT] = value;
}

/** One extension header to emit. `size` (bytes) and `fill` make up its body. */
interface Ipv6Extension {
  type: number;
  /** A multiple of 8 (of 4 for an authentication header); 8 by default, and always for a fragment. */
  size?: number;
  /** The word with offset (in units of 8 bytes, times 8) and M bit of a fragment header. */
  fragment?: number;
  fragmentId?: number;
}

export interface Ipv6Header {
  /** fd00::1 and fd00::2 by default. */
  src?: string;
  dst?: string;
  trafficClass?: number;
  label?: number;
  hopLimit?: number;
  /** The upper layer's. */
  proto?: number;
  extensions?: readonly Ipv6Extension[];
  /** Bytes after the fixed header; what `emit` is told by default. */
  payloadLength?: number;
}

/** @returns the offset after the header and its extensions */
export function emit(b: Uint8Array, o: number, header: Ipv6Header, payloadSize: number): number {
  const extensions = header.extensions ?? [];
  const proto = header.proto ?? 59;
  const size = extensionsSize(extensions);
  setU32(b, o, 0x60000000);
  setTrafficClass(b, o, header.trafficClass ?? 0);
  setLabel(b, o, header.label ?? 0);
  setPayloadLength(b, o, header.payloadLength ?? size + payloadSize);
  b[o + NEXT_HEADER] = extensions[0]?.type ?? proto;
  setHopLimit(b, o, header.hopLimit ?? 64);
  setWide(b, o + SRC, 16, parseIpv6(header.src ?? 'fd00::1') ?? 0n);
  setWide(b, o + DST, 16, parseIpv6(header.dst ?? 'fd00::2') ?? 0n);
  let at = o + SIZE;
  for (const [i, extension] of extensions.entries()) {
    emitExtension(b, at, extension, extensions[i + 1]?.type ?? proto);
    at += extension.size ?? EXT_SIZE;
  }
  return at;
}

/** Bytes that a list of extension headers takes. */
export const extensionsSize = (extensions: readonly Ipv6Extension[]): number =>
  extensions.reduce((size, extension) => size + (extension.size ?? EXT_SIZE), 0);

export const print = (b: Uint8Array, o: number): string =>
  `ipv6 ${formatIpv6(wide(b, o + SRC, 16))} > ${formatIpv6(wide(b, o + DST, 16))} ` +
  `next ${nextHeader(b, o)} hlim ${hopLimit(b, o)} length ${payloadLength(b, o)}`;

function emitExtension(b: Uint8Array, o: number, extension: Ipv6Extension, next: number): void {
  const size = extension.size ?? EXT_SIZE;
  b[o] = next;
  if (extension.type === EXT_FRAGMENT) {
    b[o + 1] = 0;
    setU16(b, o + 2, extension.fragment ?? 0);
    setU32(b, o + 4, extension.fragmentId ?? 0);
  } else {
    b[o + 1] = extension.type === EXT_AUTHENTICATION ? size / 4 - 2 : size / 8 - 1;
    // PadN over the whole body, which is what hop-by-hop and destination options want.
    b[o + 2] = 1;
    b[o + 3] = size - 4;
  }
}
