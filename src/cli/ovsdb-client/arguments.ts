/** The command line of ovsdb-client: what its options say, in the terms of who acts on it. */
import { directories } from '../../daemon/directories.ts';
import type { OptionSpec, ParsedOption } from '../../daemon/getopt.ts';
import { type DaemonArguments, parseDaemonArguments } from '../../daemon/options.ts';
import type { Vlog } from '../../daemon/vlog.ts';
import { TapflowError } from '../../lib/error.ts';
import {
  readTlsFiles,
  TLS_OPTIONS,
  type TlsNames,
  takeTlsOption,
} from '../ovs-program/tls-options.ts';
import { TABLE_OPTIONS, tableStyle, takeTableOption } from '../ovs-table/style.ts';
import type { ClientOptions } from './command.ts';
import type { ServerOptions } from './server.ts';

export const PROGRAM = 'ovsdb-client';

/** Modules of the log that -v may name. */
export const MODULES: readonly string[] = [
  ...['ovsdb_client', 'fatal_signal', 'daemon', 'daemon_unix', 'jsonrpc', 'ovsdb_error'],
  ...['reconnect', 'stream', 'stream_ssl', 'stream_fd', 'stream_tcp', 'stream_unix', 'socket_util'],
  ...['timeval', 'unixctl', 'util', 'poll_loop', 'dirs', 'lockfile', 'ovsdb_log', 'ovsdb_file'],
];

export interface Arguments {
  daemon: DaemonArguments;
  client: ClientOptions;
  server: ServerOptions;
  timeout: string | undefined;
  /** The option that asks for a text in place of a command. */
  shows: 'help' | 'version' | undefined;
}

/**
 * @param vlog gets the levels that -v asks for
 * @throws TapflowError USAGE
 */
export function parseArguments(argv: readonly string[], vlog: Vlog): Arguments {
  const daemon = parseDaemonArguments(PROGRAM, argv, OPTIONS);
  for (const spec of daemon.log.verbose) setLevels(vlog, spec);
  const style = tableStyle('table');
  const tls: TlsNames = {};
  const own = daemon.own.filter(
    (option) => !takeTableOption(style, option) && !takeTlsOption(tls, option),
  );
  const find = (name: string): ParsedOption | undefined =>
    own.findLast((each) => each.name === name);
  const shows = own.find(({ name }) => name === 'help' || name === 'version')?.name;
  return {
    daemon,
    client: {
      style,
      timestamp: find('timestamp') !== undefined,
      isChangeAware: find('no-db-change-aware') === undefined,
      force: find('force') !== undefined,
    },
    server: {
      runDir: directories().run,
      tls: () => readTlsFiles(tls, vlog.module('stream_ssl')),
      inform: (text) => vlog.module('ovsdb_client').info(text),
      pretty: style.pretty,
    },
    timeout: find('timeout')?.value,
    shows: shows === 'help' || shows === 'version' ? shows : undefined,
  };
}

const OPTIONS: readonly OptionSpec[] = [
  ...TABLE_OPTIONS,
  ...TLS_OPTIONS,
  { name: 'help', short: 'h', argument: 'none' },
  { name: 'version', short: 'V', argument: 'none' },
  { name: 'timeout', short: 't', argument: 'required' },
  { name: 'timestamp', argument: 'none' },
  { name: 'force', argument: 'none' },
  { name: 'leader-only', argument: 'none' },
  { name: 'no-leader-only', argument: 'none' },
  { name: 'no-db-change-aware', argument: 'none' },
];

function setLevels(vlog: Vlog, spec: string): void {
  try {
    vlog.set(spec);
  } catch (cause) {
    throw new TapflowError('USAGE', `processing "${spec}": ${(cause as Error).message}`, { cause });
  }
}
