/** The tables NetFlow, sFlow, IPFIX and Flow_Sample_Collector_Set: what a bridge tells collectors. */
import {
  boolean,
  integer,
  integerFrom,
  integerIn,
  map,
  one,
  optional,
  reference,
  set,
  string,
} from './cell-type.ts';
import { column, externalIds, table } from './table-definition.ts';

export const netFlow = table(
  'Collectors of NetFlow records.',
  {},
  {
    targets: column(set(string, { min: 1 }), 'Collectors, each as `IP:PORT`.'),
    engine_type: column(optional(integerIn(0, 255)), 'Engine type in the records.'),
    engine_id: column(optional(integerIn(0, 255)), 'Engine id in the records.'),
    add_id_to_interface: column(
      one(boolean),
      'Puts 7 bits of the engine id on top of the interface numbers.',
    ),
    active_timeout: column(
      one(integerFrom(-1)),
      'Seconds between records of a flow that goes on; 0 is the default of 600, -1 sends none.',
    ),
    external_ids: externalIds,
  },
);

export const sFlow = table(
  'Collectors of sFlow samples.',
  {},
  {
    targets: column(set(string, { min: 1 }), 'Collectors, each as `IP:PORT`.'),
    sampling: column(optional(integer), 'One packet in so many is sampled; unset: 400.'),
    polling: column(optional(integer), 'Seconds between the counters sent; unset: 30.'),
    header: column(optional(integer), 'Bytes of a sampled packet that are sent; unset: 128.'),
    agent: column(optional(string), 'Address, or device, that the samples name as their source.'),
    external_ids: externalIds,
  },
);

export const ipfix = table(
  'Collectors of IPFIX records.',
  {},
  {
    targets: column(set(string), 'Collectors, each as `IP:PORT`.'),
    sampling: column(
      optional(integerIn(1, 4294967295)),
      'One packet in so many is sampled, for the whole bridge; unset: 400.',
    ),
    obs_domain_id: column(
      optional(integerIn(0, 4294967295)),
      'Observation domain in the packets, for the whole bridge.',
    ),
    obs_point_id: column(
      optional(integerIn(0, 4294967295)),
      'Observation point in the records, for the whole bridge.',
    ),
    cache_active_timeout: column(
      optional(integerIn(0, 4200)),
      'Seconds that a record is gathered before it is sent; 0 gathers nothing.',
    ),
    cache_max_flows: column(
      optional(integerIn(0, 4294967295)),
      'Most records gathered at a time; 0 gathers nothing.',
    ),
    other_config: column(map(string, string), 'Settings of what is sampled.'),
    external_ids: externalIds,
  },
);

export const flowSampleCollectorSet = table(
  'Collectors that the OpenFlow action `sample` sends to.',
  { isRoot: true, indexes: [['id', 'bridge']] },
  {
    id: column(one(integerIn(0, 4294967295)), 'The `collector_set_id` that the action names.'),
    bridge: column(one(reference('Bridge')), 'The bridge whose flows may use it.'),
    ipfix: column(optional(reference('IPFIX')), 'The collectors.'),
    external_ids: externalIds,
  },
);
