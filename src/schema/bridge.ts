/** The tables Bridge and AutoAttach. */
import {
  boolean,
  integerIn,
  map,
  one,
  oneOf,
  optional,
  reference,
  set,
  string,
} from './cell-type.ts';
import { column, ephemeral, externalIds, immutable, table } from './table-definition.ts';

export const bridge = table(
  'A bridge: ports among which flows, or ordinary switching, forward.',
  { indexes: [['name']] },
  {
    name: immutable(one(string), 'Its name, which is that of its local port too.'),
    datapath_type: column(one(string), 'Which datapath forwards for it; empty is the default.'),
    datapath_version: column(one(string), "Version of the datapath; see Datapath's column."),
    datapath_id: ephemeral(optional(string), 'OpenFlow datapath id in use, 16 hex digits.'),
    stp_enable: column(one(boolean), 'Runs the spanning tree protocol of 802.1D-1998.'),
    rstp_enable: column(one(boolean), 'Runs the rapid spanning tree protocol of 802.1D-2004.'),
    mcast_snooping_enable: column(
      one(boolean),
      'Learns from IGMP and MLD which ports want which multicast groups.',
    ),
    ports: column(set(reference('Port')), 'Its ports.'),
    mirrors: column(set(reference('Mirror')), 'Its port mirrors.'),
    netflow: column(optional(reference('NetFlow')), 'Where it sends NetFlow records.'),
    sflow: column(optional(reference('sFlow')), 'Where it sends sFlow samples.'),
    ipfix: column(optional(reference('IPFIX')), 'Where it sends IPFIX records.'),
    controller: column(set(reference('Controller')), 'Its OpenFlow controllers.'),
    protocols: column(
      set(
        oneOf('OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'),
      ),
      'OpenFlow versions it offers to controllers; empty offers all.',
    ),
    fail_mode: column(
      optional(oneOf('standalone', 'secure')),
      'Without a controller: switch like an ordinary bridge, or only by the flows there are.',
    ),
    status: ephemeral(map(string, string), 'State of the spanning tree.'),
    rstp_status: ephemeral(map(string, string), 'State of the rapid spanning tree.'),
    other_config: column(map(string, string), 'Settings of the bridge.'),
    external_ids: externalIds,
    flood_vlans: column(
      set(integerIn(0, 4095), { max: 4096 }),
      'VLANs in which no addresses are learned, so that all is flooded.',
    ),
    flow_tables: column(
      map(integerIn(0, 254), reference('Flow_Table')),
      'Settings of flow tables, by number.',
    ),
    auto_attach: column(optional(reference('AutoAttach')), 'Its Auto Attach settings.'),
  },
);

export const autoAttach = table(
  'How a bridge attaches VLANs to the services of a shortest path bridging network.',
  {},
  {
    system_name: column(one(string), 'Name told to neighbours in LLDP messages.'),
    system_description: column(one(string), 'Description told to neighbours in LLDP messages.'),
    mappings: column(
      map(integerIn(0, 16777215), integerIn(0, 4095)),
      'The VLAN for each service identifier (I-SID).',
    ),
  },
);
