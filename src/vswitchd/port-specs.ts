/**
 * From the configuration's words to those of datapath and slow path: what a
 * port is made of, and the defaults Open vSwitch gives it
 * (ovs-vswitchd.conf.db(5)).
 */
import type { InterfaceConfig, PortConfig } from '../config/value.ts';
import type { PortSpec } from '../dpif/dpif.ts';
import { TapflowError } from '../lib/error.ts';
import type { BridgePortSpec } from '../ofproto/api.ts';

/** OFPP_LOCAL: the port that has its bridge's name. */
export const LOCAL_PORT = 65534;

/** @throws TapflowError UNSUPPORTED for a bond */
export function onlyInterface(port: PortConfig): InterfaceConfig {
  const [iface, ...others] = port.interfaces;
  if (iface === undefined || others.length > 0) {
    throw new TapflowError(
      'UNSUPPORTED',
      `port "${port.name}" has ${port.interfaces.length} interfaces: bonds are not supported yet, one was expected`,
    );
  }
  return iface;
}

export function datapathPort(iface: InterfaceConfig): PortSpec {
  const { name, type, mac, mtuRequest, netns, addresses } = iface;
  return { name, type, mac, mtu: mtuRequest, netns, addresses };
}

export type VlanSettings = Pick<
  BridgePortSpec,
  'vlanMode' | 'tag' | 'trunks' | 'priorityTags' | 'flood'
>;

export function vlanSettings(port: PortConfig): VlanSettings {
  return {
    vlanMode: port.vlanMode,
    tag: port.tag,
    trunks: port.trunks,
    priorityTags: priorityTags(port.otherConfig['priority-tags']),
    flood: true,
  };
}

/** The older spelling true means if-nonzero. */
function priorityTags(value: string | undefined): BridgePortSpec['priorityTags'] {
  if (value === 'always') return 'always';
  return value === 'if-nonzero' || value === 'true' ? 'if-nonzero' : 'never';
}

export const wantedOfport = (bridge: string, iface: InterfaceConfig): number | undefined =>
  iface.name === bridge ? LOCAL_PORT : iface.ofportRequest;
