/**
 * What a row of table Interface tells about its device: see the columns'
 * descriptions in ovs-vswitchd.conf.db(5).
 *
 * `error` and `ofport` are of the configuration; the rest is of the device as
 * it is at the moment, and is empty where there is none.
 */

import type { PortInfo, PortStats } from '../../dpif/dpif.ts';
import {
  DROP_BAD_ACTION,
  DROP_BAD_OFFLOAD,
  DROP_BY_RULE,
  DROP_MTU,
  DROP_NAMES,
  DROP_TRUNCATED,
  DROP_TX_ERROR,
} from '../../dpif/drops.ts';
import type { LinkDriver } from '../../native.ts';
import type { Datum } from '../../ovsdb/data/datum.ts';
import { type Cells, map, NOTHING, optional, scalar } from './cells.ts';

export interface OpenInterface {
  ofport: number;
  info: PortInfo;
  /** Undefined where there is no driver to ask. */
  driver: LinkDriver | undefined;
  /** How often its link was seen to change. */
  linkResets: number;
  problem: string | undefined;
}

/** Of a device that is in use. */
export function openCells({ ofport, info, driver, linkResets, problem }: OpenInterface): Cells {
  const isThere = info.ifindex !== 0 || info.adminUp;
  const state = (isUp: boolean) => scalar(isUp ? 'up' : 'down');
  return {
    ofport: scalar(ofport),
    error: optional(problem),
    admin_state: state(info.adminUp),
    link_state: state(info.linkUp),
    link_resets: scalar(linkResets),
    mac_in_use: optional(isThere ? info.mac : undefined),
    mtu: optional(isThere ? info.mtu : undefined),
    ifindex: scalar(info.ifindex),
    ...driverCells(driver),
  };
}

/** Of an interface without a device. */
export function closedCells(problem: string | undefined): Cells {
  return { ...CLOSED, error: optional(problem) };
}

export function statisticsCell({
  rxPackets,
  rxBytes,
  txPackets,
  txBytes,
  drops,
}: PortStats): Datum {
  const sum = (reasons: readonly number[]) =>
    reasons.reduce((total, reason) => total + (drops[reason] ?? 0), 0);
  const reasons = [...DROP_NAMES.keys()].filter((reason) => !NO_RX_DROPS.includes(reason));
  return map({
    rx_packets: rxPackets,
    rx_bytes: rxBytes,
    tx_packets: txPackets,
    tx_bytes: txBytes,
    rx_dropped: sum(reasons),
    tx_dropped: sum(TX_DROPS),
    rx_errors: sum([DROP_TRUNCATED, DROP_BAD_OFFLOAD, DROP_BAD_ACTION]),
    tx_errors: sum([DROP_TX_ERROR]),
    ...reasonsOf(drops),
  });
}

/** Those that count against the port where the packet was to leave. */
const TX_DROPS: readonly number[] = [DROP_MTU, DROP_TX_ERROR];
/** What a flow drops is no fault. */
const NO_RX_DROPS: readonly number[] = [...TX_DROPS, DROP_BY_RULE];

/** Our own counters, where there is something to count. */
function reasonsOf(drops: readonly number[]): Record<string, number> {
  const named = drops.map((count, reason) => [`drop_${DROP_NAMES[reason]}`, count] as const);
  return Object.fromEntries(named.filter(([, count]) => count > 0));
}

const NO_MAP: Datum = { keys: [], values: [] };

const CLOSED: Cells = {
  ofport: scalar(-1),
  admin_state: NOTHING,
  link_state: NOTHING,
  link_resets: NOTHING,
  mac_in_use: NOTHING,
  mtu: NOTHING,
  ifindex: NOTHING,
  link_speed: NOTHING,
  duplex: NOTHING,
  status: NO_MAP,
  statistics: NO_MAP,
};

const NO_DRIVER: Cells = { link_speed: NOTHING, duplex: NOTHING, status: NO_MAP };

function driverCells(driver: LinkDriver | undefined): Cells {
  if (driver === undefined) return NO_DRIVER;
  const { speed, duplex } = driver;
  const isKnown = speed !== 0 && speed !== 0xffff && speed !== 0xffff_ffff;
  return {
    link_speed: optional(isKnown ? speed * 1_000_000 : undefined),
    duplex: optional(isKnown ? DUPLEX[duplex] : undefined),
    status: map({
      driver_name: driver.driver,
      driver_version: driver.version,
      firmware_version: driver.firmware,
    }),
  };
}

const DUPLEX: readonly (string | undefined)[] = ['half', 'full'];
