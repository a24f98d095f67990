/** IEEE 802.1Q tags. Offsets are from the tag's TPID, which stands where an Ethernet type would. */
import { setU16, u16 } from './bytes.ts';
import { TYPE_QINQ, TYPE_VLAN } from './ethernet.ts';

// Offsets.
export const TPID = 0;
const TCI = 2;

/** Tag length. */
export const SIZE = 4;

const VID_MASK = 0x0fff;
const PCP_SHIFT = 13;

/** Whether an Ethernet type announces a tag. */
export const isTpid = (type: number): boolean => type === TYPE_VLAN || type === TYPE_QINQ;

// Getters.
export const tci = (b: Uint8Array, o: number): number => u16(b, o + TCI);

// Setters.
function setTpid(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + TPID, value);
}
function setTci(b: Uint8Array, o: number, value: number): void {
  setU16(b, o + TCI, value);
}

export interface VlanTag {
  /** 0x8100 by default. */
  tpid?: number;
  vid: number;
  pcp?: number;
  /** The drop-eligible bit. */
  dei?: boolean;
}

/** @returns the offset after the tag */
export function emit(b: Uint8Array, o: number, tag: VlanTag): number {
  setTpid(b, o, tag.tpid ?? TYPE_VLAN);
  setTci(b, o, ((tag.pcp ?? 0) << PCP_SHIFT) | (tag.dei ? 0x1000 : 0) | tag.vid);
  return o + SIZE;
}

export const print = (b: Uint8Array, o: number): string =>
  `vlan ${tci(b, o) & VID_MASK} pcp ${tci(b, o) >>> PCP_SHIFT}`;
