/**
 * Destination addresses that NORMAL does not forward unless the bridge has
 * forward-bpdu set: protocols between neighbouring switches. The list is Open
 * vSwitch's (ovs-vswitchd.conf.db(5), other_config:forward-bpdu).
 */
import type { Mac } from './mac-table.ts';

export function isReservedMulticast(mac: Mac): boolean {
  return (mac >= IEEE_FIRST && mac <= IEEE_LAST) || OTHERS.has(mac) || isCisco(mac);
}

/** IEEE 802.1D and 802.1Q: STP, pause frames, LACP, LLDP, ... */
const IEEE_FIRST = 0x0180_c200_0000;
const IEEE_LAST = 0x0180_c200_000f;

/** Cisco: spanning tree per VLAN and its neighbours, 01:00:0c:cc:cc:c0 to c7. */
function isCisco(mac: Mac): boolean {
  return mac >= 0x0100_0ccc_ccc0 && mac <= 0x0100_0ccc_ccc7;
}

const OTHERS: ReadonlySet<Mac> = new Set([
  // Extreme: discovery, protection switching.
  0x00e0_2b00_0000, 0x00e0_2b00_0004, 0x00e0_2b00_0006,
  // Cisco: ISL; discovery, VTP, DTP, PAgP, UDLD; PVST+; STP uplink fast; CFM.
  0x0100_0c00_0000, 0x0100_0ccc_cccc, 0x0100_0ccc_cccd, 0x0100_0ccd_cdcd,
]);
