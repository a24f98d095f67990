/** The tables Controller, Manager and SSL: who steers the switch, and how both know each other. */
import {
  boolean,
  integer,
  integerFrom,
  integerIn,
  map,
  one,
  oneOf,
  optional,
  string,
} from './cell-type.ts';
import { column, ephemeral, externalIds, table } from './table-definition.ts';

const maxBackoff = column(
  optional(integerFrom(1000)),
  'Most milliseconds between attempts to connect.',
);

const inactivityProbe = column(
  optional(integer),
  'Milliseconds of silence before a probe is sent; 0 sends none.',
);

const connectionMode = column(
  optional(oneOf('in-band', 'out-of-band')),
  'Whether the connection runs over the bridges themselves or over a network of its own.',
);

export const controller = table(
  'An OpenFlow controller of a bridge.',
  {},
  {
    type: column(
      optional(oneOf('primary', 'service')),
      'Whether it steers the bridge, or only looks in; unset: the first if we connect to it.',
    ),
    target: column(one(string), 'Where it is, or where it is waited for.'),
    max_backoff: maxBackoff,
    inactivity_probe: inactivityProbe,
    connection_mode: connectionMode,
    local_ip: column(optional(string), 'Address that the local port is to have.'),
    local_netmask: column(optional(string), 'Netmask that goes with `local_ip`.'),
    local_gateway: column(optional(string), 'Gateway that goes with `local_ip`.'),
    enable_async_messages: column(
      optional(boolean),
      'Whether it gets messages that it did not ask for, until it says which.',
    ),
    controller_queue_size: column(
      optional(integerIn(1, 512)),
      'Most packets that wait to be sent to it; unset: 100.',
    ),
    controller_rate_limit: column(
      optional(integerFrom(100)),
      'Most packets a second that are sent to it; unset: no limit.',
    ),
    controller_burst_limit: column(
      optional(integerFrom(25)),
      'Most packets that wait for the rate limit; unset: a quarter of it.',
    ),
    other_config: column(map(string, string), 'Settings of the connection.'),
    external_ids: externalIds,
    is_connected: ephemeral(one(boolean), 'Whether the connection stands.'),
    role: ephemeral(
      optional(oneOf('other', 'master', 'slave')),
      'How much it may do: all, all and alone, or read only.',
    ),
    status: ephemeral(map(string, string), 'State of the connection, its last error and times.'),
  },
);

export const manager = table(
  'A connection of the database server.',
  { indexes: [['target']] },
  {
    target: column(one(string), 'Where the client is, or where clients are waited for.'),
    max_backoff: maxBackoff,
    inactivity_probe: inactivityProbe,
    connection_mode: connectionMode,
    other_config: column(map(string, string), 'Settings of the connection.'),
    external_ids: externalIds,
    is_connected: ephemeral(one(boolean), 'Whether a connection stands.'),
    status: ephemeral(map(string, string), 'State of the connection, its last error and times.'),
  },
);

export const ssl = table(
  'Key and certificates for TLS, as files in PEM form.',
  { maxRows: 1 },
  {
    private_key: column(one(string), 'File with the private key of the switch.'),
    certificate: column(one(string), 'File with the certificate of that key.'),
    ca_cert: column(one(string), 'File with the certificate that others are checked with.'),
    bootstrap_ca_cert: column(
      one(boolean),
      'Takes `ca_cert` from the first connection, trusting it unseen.',
    ),
    external_ids: externalIds,
  },
);
