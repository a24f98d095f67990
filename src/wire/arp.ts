/** ARP and RARP over Ethernet and IPv4 (RFC 826, 903). Offsets are from the ARP header. */
import { formatIpv4, parseIpv4, parseMac } from './address.ts';
import { i32, setU16, setU32, setWide, u16 } from './bytes.ts';

// Offsets.
export const HARDWARE_SIZE = 4;
export const OP = 6;
export const SHA = 8;
export const SPA = 14;
export const THA = 18;
export const TPA = 24;

/** Header length. */
export const SIZE = 28;

/** Hardware type and protocol type, then both address sizes: Ethernet and IPv4. */
export const ETHERNET_IPV4 = 0x00010800;
export const ADDRESS_SIZES = 0x0604;

const REQUEST = 1;

/** Whether [o, end) holds an ARP header for Ethernet and IPv4. */
export const check = (b: Uint8Array, o: number, end: number): boolean =>
  o + SIZE <= end && i32(b, o) === ETHERNET_IPV4 && u16(b, o + HARDWARE_SIZE) === ADDRESS_SIZES;

// Getters.
export const op = (b: Uint8Array, o: number): number => u16(b, o + OP);
const spa = (b: Uint8Array, o: number): number => i32(b, o + SPA);
const tpa = (b: Uint8Array, o: number): number => i32(b, o + TPA);

// Setters.
function setOp(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + OP, value);
}
function setSpa(b: Uint8Array, o: number, value: number): void {
  setU32(b, o + SPA, value);
}
function setTpa(b: Uint8Array, o: number, value: number): void {
  setU32(b, o + TPA, value);
}

export interface ArpHeader {
  /** A request by default. */
  op?: number;
  /** 02:00:00:00:00:01 by default. */
  sha?: string;
  /** 10.0.0.1 by default. */
  spa?: string;
  tha?: string;
  /** 10.0.0.2 by default. */
  tpa?: string;
}

/** @returns the offset after the header */
export function emit(b: Uint8Array, o: number, header: ArpHeader): number {
  setU32(b, o, ETHERNET_IPV4);
  setU16(b, o + HARDWARE_SIZE, ADDRESS_SIZES);
  setOp(b, o, header.op ?? REQUEST);
  setWide(b, o + SHA, 6, parseMac(header.sha ?? '02:00:00:00:00:01') ?? 0n);
  setSpa(b, o, parseIpv4(header.spa ?? '10.0.0.1') ?? 0);
  setWide(b, o + THA, 6, parseMac(header.tha ?? '00:00:00:00:00:00') ?? 0n);
  setTpa(b, o, parseIpv4(header.tpa ?? '10.0.0.2') ?? 0);
  return o + SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `arp op ${op(b, o)} ${formatIpv4(spa(b, o))} asks for ${formatIpv4(tpa(b, o))}`;
