/** The tables Datapath, CT_Zone and CT_Timeout_Policy. */
import { integerIn, map, one, oneOf, optional, reference, string } from './cell-type.ts';
import { column, externalIds, table } from './table-definition.ts';

export const datapath = table(
  'What bridges of one type forward with.',
  {},
  {
    datapath_version: column(one(string), 'Its version; `<built-in>` if part of the switch.'),
    ct_zones: column(
      map(integerIn(0, 65535), reference('CT_Zone')),
      'Settings of connection tracking zones, by number.',
    ),
    capabilities: column(map(string, string), 'What it can do.'),
    external_ids: externalIds,
  },
);

export const ctZone = table(
  'Settings of a connection tracking zone.',
  {},
  {
    timeout_policy: column(optional(reference('CT_Timeout_Policy')), 'Its timeouts.'),
    external_ids: externalIds,
  },
);

export const ctTimeoutPolicy = table(
  'Timeouts of tracked connections.',
  {},
  {
    timeouts: column(
      map(
        oneOf(
          'tcp_syn_sent',
          'tcp_syn_recv',
          'tcp_established',
          'tcp_fin_wait',
          'tcp_close_wait',
          'tcp_last_ack',
          'tcp_time_wait',
          'tcp_close',
          'tcp_syn_sent2',
          'tcp_retransmit',
          'tcp_unack',
          'udp_first',
          'udp_single',
          'udp_multiple',
          'icmp_first',
          'icmp_reply',
        ),
        integerIn(0, 4294967295),
      ),
      'Seconds until a connection in that state is forgotten.',
    ),
    external_ids: externalIds,
  },
);
