/**
 * Settings of bridges and of the whole switch: other_config's texts checked,
 * with the defaults of ovs-vswitchd.conf.db(5), and handed to the slow path.
 * All are checked before the first is set.
 */
import type { BridgeConfig } from '../config/value.ts';
import { TapflowError } from '../lib/error.ts';
import type { Bridge, SlowPath } from '../ofproto/api.ts';

type OtherConfig = Readonly<Record<string, string>>;

/** The keys of other_config that `setBridge` and `setGlobal` read; others have no effect. */
export const BRIDGE_SETTINGS: readonly string[] = [
  'mac-aging-time',
  'mac-table-size',
  'forward-bpdu',
];
export const GLOBAL_SETTINGS: readonly string[] = ['flow-limit', 'max-idle', 'vlan-limit'];

/** @throws TapflowError BAD_SETTING; nothing has changed then */
export function setBridge(bridge: Bridge, { failMode, otherConfig }: BridgeConfig): void {
  const aging = integer(otherConfig, 'mac-aging-time', 'seconds', 300, 15, 3600);
  const tableSize = integer(otherConfig, 'mac-table-size', 'addresses', 8192, 10, 1_000_000);
  const forwardBpdu = boolean(otherConfig, 'forward-bpdu');
  bridge.setFailMode(failMode);
  bridge.setMacAging(aging);
  bridge.setMacTableSize(tableSize);
  bridge.setForwardBpdu(forwardBpdu);
}

/** @throws TapflowError BAD_SETTING; nothing has changed then */
export function setGlobal(slowPath: SlowPath, otherConfig: OtherConfig): void {
  const flowLimit = integer(otherConfig, 'flow-limit', 'flows', 200_000, 0, 0xffff_ffff);
  const maxIdle = integer(otherConfig, 'max-idle', 'milliseconds', 10_000, 500, 0xffff_ffff);
  const vlanLimit = integer(otherConfig, 'vlan-limit', 'tags', 1, 0, 0xffff_ffff);
  slowPath.setFlowLimit(flowLimit);
  slowPath.setMaxIdle(maxIdle);
  slowPath.setVlanLimit(vlanLimit);
}

function integer(
  otherConfig: OtherConfig,
  key: string,
  unit: string,
  byDefault: number,
  min: number,
  max: number,
): number {
  const text = otherConfig[key] ?? String(byDefault);
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= min && value <= max) return value;
  throw new TapflowError(
    'BAD_SETTING',
    `other_config:${key} is "${text}": a number of ${unit} from ${min} to ${max} was expected`,
  );
}

function boolean(otherConfig: OtherConfig, key: string): boolean {
  const text = otherConfig[key] ?? 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw new TapflowError(
    'BAD_SETTING',
    `other_config:${key} is "${text}": true or false was expected`,
  );
}
