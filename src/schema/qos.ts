/** The tables QoS and Queue. */
import { integerIn, map, one, optional, reference, string } from './cell-type.ts';
import { column, externalIds, table } from './table-definition.ts';

export const qos = table(
  'How the traffic that leaves through a port is shaped.',
  { isRoot: true },
  {
    type: column(one(string), 'The kind of shaping.'),
    queues: column(
      map(integerIn(0, 4294967295), reference('Queue')),
      'Its queues, by the number that OpenFlow gives them; 0 is the default.',
    ),
    other_config: column(map(string, string), 'Settings that its type has.'),
    external_ids: externalIds,
  },
);

export const queue = table(
  'One queue of a QoS.',
  { isRoot: true },
  {
    dscp: column(
      optional(integerIn(0, 63)),
      'DSCP that what leaves through the queue is marked with.',
    ),
    other_config: column(map(string, string), 'Settings that the type of its QoS has.'),
    external_ids: externalIds,
  },
);
