/** The table Port. */
import {
  boolean,
  integer,
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

export const port = table(
  'A port of a bridge: one interface, or several as a bond.',
  { indexes: [['name']] },
  {
    name: immutable(one(string), 'Its name; with one interface, that of the interface too.'),
    interfaces: column(
      set(reference('Interface'), { min: 1 }),
      'Its interfaces; two or more make it a bond.',
    ),
    trunks: column(
      set(integerIn(0, 4095), { max: 4096 }),
      'VLANs that a trunk port carries; empty carries all.',
    ),
    cvlans: column(
      set(integerIn(0, 4095), { max: 4096 }),
      'Customer VLANs that a `dot1q-tunnel` port carries; empty carries all.',
    ),
    tag: column(
      optional(integerIn(0, 4095)),
      'VLAN of an access port, native VLAN of a native port, service VLAN of a tunnel port.',
    ),
    vlan_mode: column(
      optional(oneOf('trunk', 'access', 'native-tagged', 'native-untagged', 'dot1q-tunnel')),
      'How the port treats VLANs; unset: `access` with a `tag`, else `trunk`.',
    ),
    qos: column(optional(reference('QoS')), 'How what it sends is shaped.'),
    mac: column(optional(string), "Address taken into account when the bridge's own is chosen."),
    bond_mode: column(
      optional(oneOf('balance-tcp', 'balance-slb', 'active-backup')),
      'How a bond spreads traffic over its interfaces.',
    ),
    lacp: column(
      optional(oneOf('active', 'passive', 'off')),
      'Whether LACP is spoken, and who begins.',
    ),
    bond_updelay: column(
      one(integer),
      'Milliseconds that a link must be up before the bond uses it.',
    ),
    bond_downdelay: column(
      one(integer),
      'Milliseconds that a link must be down before the bond gives it up.',
    ),
    bond_active_slave: column(optional(string), 'MAC address of the interface that a bond uses.'),
    bond_fake_iface: column(
      one(boolean),
      'Makes an internal interface named as the bond, for old software.',
    ),
    fake_bridge: column(one(boolean), 'Stands for a bridge of its own within one VLAN.'),
    status: ephemeral(map(string, string), 'State of the port in the spanning tree.'),
    rstp_status: ephemeral(map(string, string), 'State of the port in the rapid spanning tree.'),
    rstp_statistics: ephemeral(
      map(string, integer),
      'Counters of the port in the rapid spanning tree.',
    ),
    statistics: ephemeral(map(string, integer), 'Counters of the port in the spanning tree.'),
    protected: column(one(boolean), 'Two protected ports do not reach each other.'),
    other_config: column(map(string, string), 'Settings of the port.'),
    external_ids: externalIds,
  },
);
