/** What `ovsdb-client --help` prints. */
import { directories } from '../../daemon/directories.ts';

export function helpText(): string {
  const { run, log } = directories();
  return `ovsdb-client: a client of OVSDB servers, for the command line
usage: ovsdb-client [OPTIONS] COMMAND [ARG...]

Commands about a server:
  list-dbs [SERVER]                      names of its databases
  transact [SERVER] TRANSACTION          carry out, and show the results as JSON
  query [SERVER] TRANSACTION             the same, but change nothing
  needs-conversion [SERVER] SCHEMA       whether its database has another schema
  wait [SERVER] DATABASE STATE           until it is "added", "connected" or "removed"
  lock|steal|unlock [SERVER] LOCK        and show what becomes of the lock

Commands about a database:
  get-schema [SERVER] [DATABASE]         its schema as JSON
  get-schema-version [SERVER] [DATABASE]
  get-schema-cksum [SERVER] [DATABASE]
  list-tables [SERVER] [DATABASE]
  list-columns [SERVER] [DATABASE] [TABLE]
  dump [SERVER] [DATABASE] [TABLE [COLUMN...]]
                                         its rows
  backup [SERVER] [DATABASE] > FILE      its contents as a database file
  [--force] restore [SERVER] [DATABASE] < FILE
                                         replace its contents
  monitor [SERVER] [DATABASE] ALL
  monitor [SERVER] [DATABASE] TABLE [COLUMN,...]...
                                         its rows, and all that changes
  monitor-cond [SERVER] [DATABASE] CONDITION TABLE [COLUMN,...]...
  monitor-cond-since [SERVER] [DATABASE] [LASTID] CONDITION TABLE [COLUMN,...]...
    Among COLUMNs, !initial, !insert, !delete and !modify turn these off.

SERVER is tcp:HOST[:PORT], ssl:HOST[:PORT] or unix:FILE, or ptcp:[PORT][:HOST],
pssl:[PORT][:HOST] or punix:FILE to wait for a server that connects. The default
is unix:${run}/db.sock, and that of DATABASE is Open_vSwitch.

TLS:
  -p, --private-key=FILE   our private key
  -c, --certificate=FILE   our certificate
  -C, --ca-cert=FILE       the certificate of who signed the server's

Output:
  -f, --format=FORMAT      of tables: table, list, html, csv or json
  -d, --data=FORMAT        of cells: string, bare or json
  --no-headings            tables without their first line
  --pretty                 JSON over many lines
  --bare                   same as --format=list --data=bare --no-headings
  --max-column-width=N     cut off what is wider, in format table
  --timestamp              when a monitor's tables are printed

Daemon, for monitors and locks:
  --detach                 go on in the background
  --monitor                start anew after a crash
  --user=USER[:GROUP]      run as another user
  --no-chdir               stay in this directory
  --pidfile[=FILE]         the default is ${run}/ovsdb-client.pid
  --overwrite-pidfile      even if that process is running

Log:
  -v, --verbose[=SPEC]     set levels
  --log-file[=FILE]        the default is ${log}/ovsdb-client.log
  --syslog-method=METHOD   libc, null, unix:FILE or udp:IP:PORT
  --syslog-target=HOST:PORT

Other:
  -t, --timeout=SECS       end after so many seconds
  -h, --help
  -V, --version
`;
}
