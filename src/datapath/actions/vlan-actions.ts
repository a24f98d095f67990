/**
 * PUSH_VLAN and POP_VLAN: the addresses and the virtio-net header before them
 * move by a tag's size into the headroom, or back; nothing behind them moves.
 * What the virtio-net header says of offsets moves along.
 */

import { DROP_BAD_ACTION, DROP_NO_BUFFER, DROP_NONE } from '../../dpif/drops.ts';
import { setU32 } from '../../wire/bytes.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as vlan from '../../wire/vlan.ts';
import * as vnet from '../../wire/vnet.ts';
import { SLOT_CAPACITY, VNET_SIZE } from '../burst.ts';
import type { Packets } from './packets.ts';

/** Tags before the Ethernet type, bytes; MAX_TAGS tags at most are looked at. */
export function tagsSize(p: Packets, i: number): number {
  const start = p.ethernet(i) + ethernet.ADDRESSES_SIZE;
  const most = Math.min(p.burst.size[i] - VNET_SIZE - ethernet.SIZE, MAX_TAGS * vlan.SIZE);
  let size = 0;
  while (size < most && vlan.isTpid(ethernet.type(p.bytes, start - ethernet.TYPE + size))) {
    size += vlan.SIZE;
  }
  return Math.min(size, most);
}

/** @param tag TPID << 16 | TCI */
export function pushVlan(p: Packets, i: number, tag: number): number {
  const { bytes, burst } = p;
  const tags = tagsSize(p, i);
  if (tags === MAX_TAGS * vlan.SIZE) return DROP_BAD_ACTION;
  if (p.frameSize(i) + VNET_SIZE + vlan.SIZE > SLOT_CAPACITY) return DROP_BAD_ACTION;
  if (!p.own(i, ethernet.SIZE)) return DROP_NO_BUFFER;
  const from = burst.at[i];
  const to = from - vlan.SIZE;
  for (let o = 0; o < MOVED; o++) bytes[to + o] = bytes[from + o];
  setU32(bytes, to + MOVED, tag);
  burst.size[i] += vlan.SIZE;
  shift(p, i, to, vlan.SIZE);
  return DROP_NONE;
}

/** A frame without a tag stays as it is. */
export function popVlan(p: Packets, i: number): number {
  const { bytes, burst } = p;
  if (tagsSize(p, i) === 0) return DROP_NONE;
  if (!p.own(i, ethernet.SIZE + vlan.SIZE)) return DROP_NO_BUFFER;
  const from = burst.at[i];
  const to = from + vlan.SIZE;
  for (let o = MOVED - 1; o >= 0; o--) bytes[to + o] = bytes[from + o];
  burst.size[i] -= vlan.SIZE;
  shift(p, i, to, -vlan.SIZE);
  return DROP_NONE;
}

/**
 * So many tags bound how far pushes can walk into a slot's headroom, and no
 * table of flows has use for more.
 */
const MAX_TAGS = 8;
const MOVED = VNET_SIZE + ethernet.ADDRESSES_SIZE;

/** Everything behind the addresses is now `by` bytes further from the Ethernet header. */
function shift(p: Packets, i: number, at: number, by: number): void {
  const { bytes, burst } = p;
  burst.at[i] = at;
  if (burst.l3[i] > 0) burst.l3[i] += by;
  if (burst.l4[i] > 0) burst.l4[i] += by;
  const csumStart = vnet.csumStart(bytes, at);
  if ((vnet.flags(bytes, at) & vnet.F_NEEDS_CSUM) !== 0)
    vnet.setCsumStart(bytes, at, csumStart + by);
  const hdrLen = vnet.hdrLen(bytes, at);
  if (hdrLen > ethernet.ADDRESSES_SIZE - by) vnet.setHdrLen(bytes, at, hdrLen + by);
}
