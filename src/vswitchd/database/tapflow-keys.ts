/**
 * What a topology file can say and the schema has no column for, as keys of
 * other_config columns. The database is told all of the file by them, and who
 * configures the switch by `ovs-vsctl` may use them as well:
 *
 *   Interface other_config:tapflow:netns       namespace that a tap or internal device is put in
 *   Interface other_config:tapflow:addresses   its addresses, "10.0.0.1/24", with commas between
 *   Bridge    other_config:tapflow:flows       the bridge's flows, one a line
 *   Bridge    other_config:tapflow:local-port  "none": the bridge has no device of its own
 *
 * And one of Open vSwitch's, which a topology file has as `mac` of the local port:
 *
 *   Bridge    other_config:hwaddr              the bridge's address
 */

export const NETNS = 'tapflow:netns';
export const ADDRESSES = 'tapflow:addresses';
export const FLOWS = 'tapflow:flows';
export const LOCAL_PORT_KEY = 'tapflow:local-port';
export const HWADDR = 'hwaddr';

/** `none` of LOCAL_PORT_KEY. */
export const NO_LOCAL_PORT = 'none';

export type TextMap = Readonly<Record<string, string>>;

/** The map without these keys. */
export function without(map: TextMap, ...keys: readonly string[]): TextMap {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));
}

/** "a,b" as a list; nothing as an empty one. */
export function listOf(text: string | undefined, separator: string): string[] {
  return text === undefined || text === '' ? [] : text.split(separator);
}
