/** The table Open_vSwitch: one row, the root of the configuration. */
import { boolean, integer, map, one, optional, reference, set, string } from './cell-type.ts';
import { column, ephemeral, externalIds, table } from './table-definition.ts';

export const openVswitch = table(
  'The switch as a whole; its one row leads to all others.',
  { isRoot: true, maxRows: 1 },
  {
    datapaths: column(map(string, reference('Datapath')), 'Each type of datapath in use.'),
    bridges: column(set(reference('Bridge')), 'The bridges there are to be.'),
    manager_options: column(
      set(reference('Manager')),
      'Where the database server listens for clients, or connects to them.',
    ),
    ssl: column(optional(reference('SSL')), 'Key and certificates for all TLS connections.'),
    other_config: column(map(string, string), 'Settings for the whole switch.'),
    external_ids: externalIds,
    next_cfg: column(
      one(integer),
      'Incremented by a client that wants to know when its change is in force.',
    ),
    cur_cfg: column(one(integer), 'The `next_cfg` whose configuration is in force.'),
    statistics: ephemeral(
      map(string, string),
      'CPUs, memory, load and file systems of the host, when asked for.',
    ),
    ovs_version: column(optional(string), 'Version of the switch.'),
    db_version: column(optional(string), 'Version of the schema.'),
    system_type: column(optional(string), 'Kind of operating system or hypervisor.'),
    system_version: column(optional(string), 'Version of what `system_type` names.'),
    datapath_types: column(set(string), 'What `datapath_type` of a bridge may be.'),
    iface_types: column(set(string), 'What `type` of an interface may be.'),
    dpdk_initialized: column(one(boolean), 'Whether DPDK is in use.'),
    dpdk_version: column(optional(string), 'Version of DPDK that the switch is linked with.'),
  },
);
