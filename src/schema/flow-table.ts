/** The table Flow_Table. */
import { integerFrom, oneOf, optional, set, string } from './cell-type.ts';
import { column, externalIds, table } from './table-definition.ts';

export const flowTable = table(
  'Settings of one of the flow tables of a bridge.',
  {},
  {
    name: column(optional(string), 'Name that controllers are told.'),
    flow_limit: column(optional(integerFrom(0)), 'Most flows that it may hold.'),
    overflow_policy: column(
      optional(oneOf('refuse', 'evict')),
      'At the limit: refuse a new flow, or evict another for it.',
    ),
    groups: column(
      set(string),
      'Fields that sort flows into groups, so that the largest group gives one up first.',
    ),
    prefixes: column(
      set(string, { max: 3 }),
      'Address fields whose prefixes are tracked, to make megaflows wider.',
    ),
    external_ids: externalIds,
  },
);
