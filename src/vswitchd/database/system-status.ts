/**
 * What the row of table Open_vSwitch, and those of table Datapath, tell about
 * the switch as a whole.
 *
 * `system_type` and `system_version` are for whoever starts the switch to say;
 * stock's ovs-ctl takes them from the distribution, and so do we where nobody
 * has said them.
 */
import { readFileSync } from 'node:fs';
import { INTERFACE_TYPES } from '../../config/value.ts';
import { OVS_VERSION } from '../../lib/version.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { type Cells, map, scalar, stringSet } from './cells.ts';
import { readCell } from './columns.ts';

/** @param datapathTypes what a bridge's may be */
export function systemCells(root: Row, datapathTypes: readonly string[]): Cells {
  return {
    ovs_version: scalar(OVS_VERSION),
    db_version: scalar('8.3.1'),
    datapath_types: stringSet(datapathTypes),
    iface_types: stringSet(INTERFACE_TYPES),
    dpdk_initialized: scalar(false),
    dpdk_version: scalar('none'),
    ...distributionCells(root),
  };
}

export const capabilityCells = (): Cells => ({ capabilities: CAPABILITIES });

/** Open vSwitch's names; those of what the datapath does not do yet are false. */
const CAPABILITIES = map({
  check_pkt_len: 'false',
  clone: 'false',
  ct_clear: 'false',
  ct_eventmask: 'false',
  ct_label: 'false',
  ct_mark: 'false',
  ct_orig_tuple: 'false',
  ct_orig_tuple6: 'false',
  ct_state: 'false',
  ct_state_nat: 'false',
  ct_timeout: 'false',
  ct_zero_snat: 'false',
  ct_zone: 'false',
  explicit_drop_action: 'true',
  lb_output_action: 'false',
  masked_set_action: 'true',
  max_hash_alg: '0',
  max_mpls_depth: '0',
  max_vlan_headers: '2',
  nd_ext: 'false',
  recirc: 'false',
  sample_nesting: 'false',
  tnl_push_pop: 'false',
  trunc: 'true',
  ufid: 'true',
});

function distributionCells(root: Row): Cells {
  const { id = 'unknown', version = 'unknown' } = distribution();
  const isSaid = (column: 'system_type' | 'system_version') =>
    readCell('Open_vSwitch', root, column) !== undefined;
  return {
    ...(isSaid('system_type') ? {} : { system_type: scalar(id) }),
    ...(isSaid('system_version') ? {} : { system_version: scalar(version) }),
  };
}

/** os-release(5) */
function distribution(): { id?: string; version?: string } {
  known ??= readDistribution();
  return known;
}

let known: { id?: string; version?: string } | undefined;

function readDistribution(): { id?: string; version?: string } {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    const value = (key: string) =>
      new RegExp(`^${key}=["']?([^"'\\n]*)`, 'm').exec(text)?.[1] || undefined;
    return { id: value('ID'), version: value('VERSION_ID') };
  } catch {
    return {};
  }
}
