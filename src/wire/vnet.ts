/**
 * The virtio-net header: 10 bytes before each frame of a TAP or packet socket,
 * saying what checksum and segmentation work is still to do. Unlike everything
 * else in this folder it is little-endian (virtio 1.2, section 5.1.6; TAP and
 * PACKET_VNET_HDR use the machine's order, and tapflow runs on little-endian
 * machines only).
 */

// Offsets.
const FLAGS = 0;
const GSO_TYPE = 1;
const HDR_LEN = 2;
const GSO_SIZE = 4;
const CSUM_START = 6;
const CSUM_OFFSET = 8;

/** Header length. */
const SIZE = 10;

/** `flags`: a checksum is to be computed from csum_start on and stored at csum_start + csum_offset. */
export const F_NEEDS_CSUM = 1;

/** `gso_type`: not a super-frame. */
export const GSO_NONE = 0;
export const GSO_TCPV4 = 1;
export const GSO_TCPV6 = 4;
/** UDP segmentation offload: datagrams of gso_size. */
export const GSO_UDP_L4 = 5;
/** Ored to a TCP type: the first segment only keeps CWR. */
export const GSO_ECN = 0x80;

// Getters.
export const flags = (b: Uint8Array, o: number): number => b[o + FLAGS];
export const gsoType = (b: Uint8Array, o: number): number => b[o + GSO_TYPE];
/** Bytes of all headers of a super-frame; a hint only. */
export const hdrLen = (b: Uint8Array, o: number): number => le16(b, o + HDR_LEN);
/** Bytes of payload in each segment. */
export const gsoSize = (b: Uint8Array, o: number): number => le16(b, o + GSO_SIZE);
/** From the Ethernet header. */
export const csumStart = (b: Uint8Array, o: number): number => le16(b, o + CSUM_START);
/** From csum_start. */
export const csumOffset = (b: Uint8Array, o: number): number => le16(b, o + CSUM_OFFSET);

// Setters.
export function setFlags(b: Uint8Array, o: number, value: number): void {
  b[o + FLAGS] = value;
}
export function setGsoType(b: Uint8Array, o: number, value: number): void {
  b[o + GSO_TYPE] = value;
}
export function setHdrLen(b: Uint8Array, o: number, value: number): void {
  setLe16(b, o + HDR_LEN, value);
}
export function setGsoSize(b: Uint8Array, o: number, value: number): void {
  setLe16(b, o + GSO_SIZE, value);
}
export function setCsumStart(b: Uint8Array, o: number, value: number): void {
  setLe16(b, o + CSUM_START, value);
}
export function setCsumOffset(b: Uint8Array, o: number, value: number): void {
  setLe16(b, o + CSUM_OFFSET, value);
}
/** Nothing left to do: no checksum, no segmentation. */
export function clear(b: Uint8Array, o: number): void {
  b.fill(0, o, o + SIZE);
}

interface VnetHeader {
  flags?: number;
  gsoType?: number;
  hdrLen?: number;
  gsoSize?: number;
  csumStart?: number;
  csumOffset?: number;
}

/** Fields left out are 0. @returns the offset after the header */
export function emit(b: Uint8Array, o: number, header: VnetHeader): number {
  setFlags(b, o, header.flags ?? 0);
  setGsoType(b, o, header.gsoType ?? GSO_NONE);
  setHdrLen(b, o, header.hdrLen ?? 0);
  setGsoSize(b, o, header.gsoSize ?? 0);
  setCsumStart(b, o, header.csumStart ?? 0);
  setCsumOffset(b, o, header.csumOffset ?? 0);
  return o + SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `vnet flags ${flags(b, o)} gso ${gsoType(b, o)} size ${gsoSize(b, o)} hdr ${hdrLen(b, o)} ` +
  `csum ${csumStart(b, o)}+${csumOffset(b, o)}`;

const le16 = (b: Uint8Array, o: number): number => b[o] | (b[o + 1] << 8);

function setLe16(b: Uint8Array, o: number, value: number): void {
  b[o] = value;
  b[o + 1] = value >>> 8;
}
