/** The table Interface. */
import {
  boolean,
  integer,
  integerFrom,
  integerIn,
  map,
  one,
  oneOf,
  optional,
  set,
  string,
} from './cell-type.ts';
import { column, ephemeral, externalIds, immutable, table } from './table-definition.ts';

export const networkInterface = table(
  'A network device, or a tunnel, that a port sends and receives through.',
  { indexes: [['name']] },
  {
    name: immutable(one(string), 'Its name; that of the device on the host, where there is one.'),
    type: column(one(string), 'What it is; empty is `system`, an existing device of the host.'),
    options: column(map(string, string), 'Settings that its type has.'),
    ingress_policing_rate: column(
      one(integerFrom(0)),
      'Most kbps that are taken in from it; 0 sets no limit.',
    ),
    ingress_policing_burst: column(
      one(integerFrom(0)),
      'Burst, in kb, that the limit in kbps allows; 0 is the default of 8000.',
    ),
    ingress_policing_kpkts_rate: column(
      one(integerFrom(0)),
      'Most thousands of packets a second that are taken in from it; 0 sets no limit.',
    ),
    ingress_policing_kpkts_burst: column(
      one(integerFrom(0)),
      'Burst, in thousands of packets, that the limit in packets allows; 0 is the default of 16.',
    ),
    mac_in_use: ephemeral(optional(string), 'Its MAC address.'),
    mac: column(optional(string), 'MAC address that an internal interface is to have.'),
    ifindex: ephemeral(
      optional(integerIn(0, 4294967295)),
      'Its index on the host; 0 if it has none.',
    ),
    external_ids: externalIds,
    ofport: column(
      optional(integer),
      'Its OpenFlow port number, given by the switch; -1 if it could not be added.',
    ),
    ofport_request: column(
      optional(integerIn(1, 65279)),
      'The OpenFlow port number that it is to get, if free.',
    ),
    bfd: column(map(string, string), 'Settings of bidirectional forwarding detection.'),
    bfd_status: ephemeral(map(string, string), 'State of bidirectional forwarding detection.'),
    cfm_mpid: column(
      optional(integer),
      'Its maintenance point id; set, connectivity fault management runs.',
    ),
    cfm_remote_mpids: ephemeral(set(integer), 'Maintenance points that are heard.'),
    cfm_flap_count: column(optional(integer), 'How often `cfm_fault` has changed.'),
    cfm_fault: ephemeral(optional(boolean), 'Whether the far end is out of reach.'),
    cfm_fault_status: ephemeral(set(string), 'Why `cfm_fault` is set.'),
    cfm_remote_opstate: ephemeral(
      optional(oneOf('up', 'down')),
      'What the far end says about itself, in extended mode.',
    ),
    cfm_health: ephemeral(
      optional(integerIn(0, 100)),
      'Percentage of the expected heartbeats that arrived.',
    ),
    lacp_current: ephemeral(optional(boolean), 'Whether its LACP partner was heard lately.'),
    lldp: column(map(string, string), 'Settings of LLDP.'),
    other_config: column(map(string, string), 'Settings of the interface.'),
    statistics: ephemeral(map(string, integer), 'Its packets, bytes, drops and errors.'),
    status: ephemeral(map(string, string), 'What its driver or tunnel tells about itself.'),
    admin_state: ephemeral(optional(oneOf('up', 'down')), 'Whether the device is set up.'),
    link_state: ephemeral(optional(oneOf('up', 'down')), 'Whether the device has a carrier.'),
    link_resets: ephemeral(optional(integer), 'How often `link_state` was seen to change.'),
    link_speed: ephemeral(optional(integer), 'Speed of the link in bits a second.'),
    duplex: ephemeral(optional(oneOf('half', 'full')), 'Duplex mode of the link.'),
    mtu: ephemeral(optional(integer), 'Its MTU, the Ethernet header not counted.'),
    mtu_request: column(optional(integerFrom(1)), 'The MTU that it is to have.'),
    error: column(optional(string), 'Why it could not be set up.'),
  },
);
