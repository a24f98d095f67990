/**
 * A bridge's own address and its OpenFlow datapath id, chosen as Open vSwitch
 * does (ovs-vswitchd.conf.db(5), Bridge other_config:hwaddr and datapath-id):
 *
 *   the address   hwaddr; else the lowest of the devices that existed before
 *                 the bridge, unless made up locally; else one from the row's UUID
 *   the id        datapath-id; else made from the address
 */
import { stationAddress } from '../../config/names.ts';
import type { PortInfo } from '../../dpif/dpif.ts';
import { type Cells, optional, scalar } from './cells.ts';
import { HWADDR, type TextMap } from './tapflow-keys.ts';

/** @param ports the bridge's that are open */
export function bridgeAddress(
  uuid: string,
  otherConfig: TextMap,
  ports: readonly PortInfo[],
): string {
  const wanted = stationAddress(otherConfig[HWADDR] ?? '');
  if (wanted !== undefined) return wanted;
  const addresses = ports.filter(({ spec }) => spec.type === 'system').map(({ mac }) => mac);
  const [lowest] = addresses.filter((mac) => !isLocal(mac)).sort();
  return lowest ?? addressFromUuid(uuid);
}

/** @param address of its local port */
export function bridgeCells(otherConfig: TextMap, address: string): Cells {
  const id = otherConfig['datapath-id'];
  return {
    datapath_id: optional(datapathId(id) ?? `0000${address.replaceAll(':', '')}`),
    datapath_version: scalar('<built-in>'),
  };
}

/** 16 digits, or a number that is written with 0x. */
function datapathId(text = ''): string | undefined {
  const digits = /^(?:0x([\da-f]{1,16})|([\da-f]{16}))$/i.exec(text);
  const id = (digits?.[1] ?? digits?.[2])?.toLowerCase().padStart(16, '0');
  return id === '0'.repeat(16) ? undefined : id;
}

const isLocal = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 2) !== 0;

/** The same after a restart: the first six bytes as a little-endian machine has them, marked local. */
function addressFromUuid(uuid: string): string {
  const [first, , third] = uuid.split('-');
  const bytes = Buffer.from(first + third, 'hex');
  const picked = [bytes[3], bytes[2], bytes[1], bytes[0], bytes[5], bytes[4]];
  picked[0] = (picked[0] & ~1) | 2;
  return picked.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
