/** The table Mirror. */
import {
  boolean,
  integer,
  integerIn,
  map,
  one,
  optional,
  set,
  string,
  weakReference,
} from './cell-type.ts';
import { column, ephemeral, externalIds, table } from './table-definition.ts';

export const mirror = table(
  'A port mirror: copies chosen packets to a port or a VLAN.',
  {},
  {
    name: column(one(string), 'Its name, for people.'),
    select_all: column(one(boolean), 'Copies the packets of all ports.'),
    select_src_port: column(set(weakReference('Port')), 'Ports whose arriving packets are copied.'),
    select_dst_port: column(set(weakReference('Port')), 'Ports whose leaving packets are copied.'),
    select_vlan: column(
      set(integerIn(0, 4095), { max: 4096 }),
      'VLANs whose packets are copied; empty copies those of all.',
    ),
    output_port: column(
      optional(weakReference('Port')),
      'Port that gets the copies, and nothing else.',
    ),
    output_vlan: column(optional(integerIn(1, 4095)), 'VLAN that gets the copies.'),
    snaplen: column(
      optional(integerIn(14, 65535)),
      'Bytes of each packet that are copied; unset: all.',
    ),
    statistics: ephemeral(map(string, integer), 'Packets and bytes copied.'),
    external_ids: externalIds,
  },
);
