/**
 * VLANs in NORMAL: which VLAN a frame belongs to when it comes in, and which
 * tag it carries when it goes out (ovs-vswitchd.conf.db(5), Port table).
 *
 * A frame's first tag decides; an inner one is carried along. A tag is a word
 * as in flow/key.ts: TPID << 16 | TCI, with the CFI bit set where present.
 */
import { VLAN_CFI, VLAN_PCP_SHIFT, VLAN_VID_MASK } from '../flow/key.ts';
import { ETH_TYPE_VLAN } from './flow-facts.ts';
import type { OfPort } from './ports.ts';

export const VLAN_PCP_MASK = 0x7 << VLAN_PCP_SHIFT;

/** Whether a port accepts frames whose tag has this VLAN ID (0: untagged or priority-tagged). */
export function admitsVid(port: OfPort, vid: number): boolean {
  switch (port.vlanMode) {
    case 'access':
      return vid === 0;
    case 'trunk':
      return trunksVlan(port, vid);
    case 'native-tagged':
    case 'native-untagged':
      return vid === 0 || trunksVlan(port, vid);
  }
}

/** The VLAN that a frame admitted with this VLAN ID belongs to. */
export function inputVlan(port: OfPort, vid: number): number {
  if (port.vlanMode === 'access') return port.tag;
  if (port.vlanMode === 'trunk' || vid !== 0) return vid;
  return port.tag;
}

/** Whether frames of a VLAN go out of a port. */
export function carriesVlan(port: OfPort, vlan: number): boolean {
  return port.vlanMode === 'access' ? vlan === port.tag : trunksVlan(port, vlan);
}

/**
 * The first tag of a frame of `vlan` on its way out, 0 for none.
 *
 * @param tag the frame's first tag as it came in: its priority stays, and a
 *   trunk's tag keeps its TPID
 */
export function outputTag(port: OfPort, vlan: number, tag: number): number {
  const priority = tag & VLAN_PCP_MASK;
  const isTagged = showsVlan(port, vlan);
  const tci = isTagged ? vlan | priority : port.priorityTags === 'never' ? 0 : priority;
  if (tci === 0 && !(isTagged && keepsNullTag(port, tag))) return 0;
  const type = isTagged && (tag & VLAN_CFI) !== 0 ? tag >>> 16 : ETH_TYPE_VLAN;
  return (type << 16) | VLAN_CFI | tci;
}

/** Whether the priority that a frame came in with decides if it goes out with a tag at all. */
export function priorityDecides(port: OfPort, vlan: number): boolean {
  return showsVlan(port, vlan) ? vlan === 0 : port.priorityTags !== 'never';
}

function showsVlan(port: OfPort, vlan: number): boolean {
  if (port.vlanMode === 'access') return false;
  return !(port.vlanMode === 'native-untagged' && vlan === port.tag);
}

/** A tag that says neither VLAN nor priority is kept only where it came in and is asked for. */
function keepsNullTag(port: OfPort, tag: number): boolean {
  return port.priorityTags === 'always' && (tag & VLAN_CFI) !== 0;
}

function trunksVlan(port: OfPort, vlan: number): boolean {
  // Untagged frames are the native VLAN's: nothing is left to be VLAN 0.
  if (vlan === 0 && port.vlanMode !== 'trunk' && port.tag !== 0) return false;
  return port.trunks === undefined || port.trunks.has(vlan & VLAN_VID_MASK);
}
