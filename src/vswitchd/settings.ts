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

/** What is wrong with each, if anything: for who goes on without those that are bad. */
export function settingProblems(otherConfig: OtherConfig): ReadonlyMap<string, string> {
  const problems = new Map<string, string>();
  for (const [key, check] of Object.entries(CHECKS)) {
    try {
      check(otherConfig);
    } catch (error) {
      problems.set(key, (error as Error).message);
    }
  }
  return problems;
}

const CHECKS = {
  'mac-aging-time': (config: OtherConfig) =>
    integer(config, 'mac-aging-time', 'seconds', 300, 15, 3600),
  'mac-table-size': (config: OtherConfig) =>
    integer(config, 'mac-table-size', 'addresses', 8192, 10, 1_000_000),
  'forward-bpdu': (config: OtherConfig) => boolean(config, 'forward-bpdu'),
  'flow-limit': (config: OtherConfig) =>
    integer(config, 'flow-limit', 'flows', 200_000, 0, 0xffff_ffff),
  'max-idle': (config: OtherConfig) =>
    integer(config, 'max-idle', 'milliseconds', 10_000, 500, 0xffff_ffff),
  'vlan-limit': (config: OtherConfig) => integer(config, 'vlan-limit', 'tags', 1, 0, 0xffff_ffff),
};

/** @throws TapflowError BAD_SETTING; nothing has changed then */
export function setBridge(bridge: Bridge, { failMode, otherConfig }: BridgeConfig): void {
  const aging = CHECKS['mac-aging-time'](otherConfig);
  const tableSize = CHECKS['mac-table-size'](otherConfig);
  const forwardBpdu = CHECKS['forward-bpdu'](otherConfig);
  bridge.setFailMode(failMode);
  bridge.setMacAging(aging);
  bridge.setMacTableSize(tableSize);
  bridge.setForwardBpdu(forwardBpdu);
}

/** @throws TapflowError BAD_SETTING; nothing has changed then */
export function setGlobal(slowPath: SlowPath, otherConfig: OtherConfig): void {
  const flowLimit = CHECKS['flow-limit'](otherConfig);
  const maxIdle = CHECKS['max-idle'](otherConfig);
  const vlanLimit = CHECKS['vlan-limit'](otherConfig);
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
