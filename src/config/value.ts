/**
 * The configuration as one plain value: what a switch is to be, whoever says so
 * (a YAML topology, later the Open_vSwitch database).
 *
 * Names and meanings are those of ovs-vswitchd.conf.db(5); `netns` and
 * `addresses` are additions of the topology file. Defaults are filled in, so
 * that two values are equal when they mean the same. Lists without an order of
 * their own (bridges, ports, interfaces) may come in any order.
 */

export interface Config {
  readonly bridges: readonly BridgeConfig[];
  /** other_config of the Open_vSwitch table: flow-limit, max-idle ... */
  readonly otherConfig: Readonly<Record<string, string>>;
}

export interface BridgeConfig {
  /** Unique among all bridges, ports and interfaces, except for the port that is the bridge's own. */
  readonly name: string;
  readonly datapathType: string;
  readonly failMode: FailMode;
  readonly otherConfig: Readonly<Record<string, string>>;
  readonly ports: readonly PortConfig[];
  /** Open vSwitch's flow syntax, one flow each. */
  readonly flows: readonly string[];
}

export interface PortConfig {
  readonly name: string;
  /** Access or native VLAN, 0 to 4095. */
  readonly tag?: number;
  /** VLANs carried by a trunk, ascending; empty: all. */
  readonly trunks: readonly number[];
  readonly vlanMode: VlanMode;
  readonly otherConfig: Readonly<Record<string, string>>;
  /** More than one is a bond. */
  readonly interfaces: readonly InterfaceConfig[];
}

export interface InterfaceConfig {
  readonly name: string;
  readonly type: InterfaceType;
  /** OpenFlow port number, 1 to 65279. */
  readonly ofportRequest?: number;
  /** "xx:xx:xx:xx:xx:xx", lower case. */
  readonly mac?: string;
  /** Bytes, 68 to 65535. */
  readonly mtuRequest?: number;
  readonly options: Readonly<Record<string, string>>;
  /** Network namespace that the far end is put in, a name below /run/netns. */
  readonly netns?: string;
  /** Addresses "10.0.0.1/24" of the far end. */
  readonly addresses: readonly string[];
}

export const FAIL_MODES = ['standalone', 'secure'] as const;
export type FailMode = (typeof FAIL_MODES)[number];

export const VLAN_MODES = ['access', 'trunk', 'native-tagged', 'native-untagged'] as const;
export type VlanMode = (typeof VLAN_MODES)[number];

/** `system` is also what an empty type means. */
export const INTERFACE_TYPES = ['system', 'tap', 'internal', 'dummy'] as const;
export type InterfaceType = (typeof INTERFACE_TYPES)[number];

/** The vlan_mode of a port that does not say. */
export function defaultVlanMode(tag: number | undefined): VlanMode {
  return tag === undefined ? 'trunk' : 'access';
}
