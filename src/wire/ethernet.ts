/**
 * Ethernet II, 802.3 with LLC, and SNAP (IEEE 802.3, 802.2). Offsets are from
 * the destination address.
 */
import { formatMac, parseMac } from './address.ts';
import { i32, setU16, setWide, u16, wide } from './bytes.ts';

// Offsets.
export const DST = 0;
export const SRC = 6;
export const TYPE = 12;

/** Header length: both addresses and the type. */
export const SIZE = 14;
/** Both addresses: where a VLAN tag is inserted. */
export const ADDRESSES_SIZE = 12;

/** Below this a type is an 802.3 length. */
export const MIN_TYPE = 0x600;
/** dl_type of a frame that has none. */
export const TYPE_NONE = 0x5ff;
export const TYPE_IPV4 = 0x0800;
export const TYPE_ARP = 0x0806;
export const TYPE_RARP = 0x8035;
export const TYPE_VLAN = 0x8100;
export const TYPE_QINQ = 0x88a8;
export const TYPE_IPV6 = 0x86dd;
export const TYPE_MPLS = 0x8847;
export const TYPE_MPLS_MULTICAST = 0x8848;
export const TYPE_NSH = 0x894f;

/** LLC (3 bytes) and SNAP (5 bytes) headers that follow an 802.3 length. */
export const LLC_SNAP_SIZE = 8;
/** DSAP, SSAP and control of SNAP, then the first byte of OUI 00:00:00. */
export const LLC_SNAP_HEAD = 0xaaaa0300 | 0;
const SNAP_TYPE = 6;

/** Whether [o, end) holds an Ethernet header. */
export const check = (_b: Uint8Array, o: number, end: number): boolean => o + SIZE <= end;

// Getters.
export const type = (b: Uint8Array, o: number): number => u16(b, o + TYPE);
/** Whether an LLC/SNAP header stands at `o` that carries an Ethernet type. */
export const isSnapWithType = (b: Uint8Array, o: number): boolean =>
  i32(b, o) === LLC_SNAP_HEAD && u16(b, o + 4) === 0;
export const snapType = (b: Uint8Array, o: number): number => u16(b, o + SNAP_TYPE);

export interface EthernetHeader {
  /** "xx:xx:xx:xx:xx:xx"; 02:00:00:00:00:02 and ...:01 by default. */
  dst?: string;
  src?: string;
}

/** Both addresses; the type is emitted after any VLAN tags. @returns the offset after them */
export function emit(b: Uint8Array, o: number, header: EthernetHeader): number {
  setWide(b, o + DST, 6, parseMac(header.dst ?? '02:00:00:00:00:02') ?? 0n);
  setWide(b, o + SRC, 6, parseMac(header.src ?? '02:00:00:00:00:01') ?? 0n);
  return o + ADDRESSES_SIZE;
}

/** LLC and SNAP headers. @returns the offset after them */
export function emitSnap(b: Uint8Array, o: number, type: number): number {
  b.set([0xaa, 0xaa, 0x03, 0, 0, 0], o);
  setU16(b, o + SNAP_TYPE, type);
  return o + LLC_SNAP_SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `eth ${formatMac(wide(b, o + SRC, 6))} > ${formatMac(wide(b, o + DST, 6))}`;
