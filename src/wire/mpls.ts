/** MPLS label stack entries (RFC 3032). Offsets are from an entry. */
import { i32, setU32 } from './bytes.ts';
import { TYPE_MPLS, TYPE_MPLS_MULTICAST } from './ethernet.ts';

/** Entry length. */
export const SIZE = 4;

// An entry is one word: label, traffic class, bottom of stack, TTL.
const LABEL_SHIFT = 12;
const TC_SHIFT = 9;
export const BOTTOM = 0x100;

/** Whether an Ethernet type announces a label stack. */
export const isMpls = (type: number): boolean => type === TYPE_MPLS || type === TYPE_MPLS_MULTICAST;

/** Whether [o, end) holds an entry. */
export const check = (_b: Uint8Array, o: number, end: number): boolean => o + SIZE <= end;

// Getters.
export const lse = (b: Uint8Array, o: number): number => i32(b, o);
export const isBottom = (b: Uint8Array, o: number): boolean => (lse(b, o) & BOTTOM) !== 0;

export interface MplsEntry {
  label: number;
  tc?: number;
  /** 64 by default. */
  ttl?: number;
  /** Whether it is the last; by default where it stands decides. */
  bottom?: boolean;
}

/** @param last whether no entry follows. @returns the offset after the entry */
export function emit(b: Uint8Array, o: number, entry: MplsEntry, last: boolean): number {
  const bottom = (entry.bottom ?? last) ? BOTTOM : 0;
  const tc = (entry.tc ?? 0) << TC_SHIFT;
  setU32(b, o, (entry.label << LABEL_SHIFT) | tc | bottom | (entry.ttl ?? 64));
  return o + SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `mpls ${lse(b, o) >>> LABEL_SHIFT} ttl ${lse(b, o) & 0xff}`;
