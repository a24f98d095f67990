/** `ovsdb-client` over TCP and TLS, with a stock server, in a network namespace of their own. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { StockServer } from '../ovsdb/replica/stock-server.ts';
import { describeSystem } from '../system/requirements.ts';

const BIN = resolve(import.meta.dirname, '../../compat/bin');
const TLS = resolve(import.meta.dirname, '../ovsdb/rpc/tls');
const SCHEMA = { name: 'A', tables: { B: { columns: { c: { type: 'string' } } } } };

const SCRIPT = `
ip link set lo up
tls="-p $TLS/peer-key.pem -c $TLS/peer-cert.pem -C $TLS/ca.pem"
ovsdb-server --detach --no-chdir --pidfile=$PWD/pid --unixctl=$PWD/ctl -vconsole:off $tls \\
  --remote=ptcp:6640:127.0.0.1 --remote=pssl:6641:127.0.0.1 A.db
trap 'kill $(cat pid)' EXIT
exec 2>&1
for client in /usr/bin $BIN; do
  echo; echo "== $client"
  $client/ovsdb-client list-dbs tcp:127.0.0.1
  $client/ovsdb-client list-dbs tcp:127.0.0.1:6640
  $client/ovsdb-client list-dbs tcp:127.0.0.1:6642
  $client/ovsdb-client $tls list-dbs ssl:127.0.0.1:6641
  $client/ovsdb-client -p $TLS/peer-key.pem -c $TLS/peer-cert.pem -C none list-dbs ssl:127.0.0.1:6641
  $client/ovsdb-client list-dbs ssl:127.0.0.1:6641 | sed 's/^[^|]*Z|/TIME|/'
  $client/ovsdb-client -t 5 list-dbs ptcp:6650:127.0.0.1 &
  sleep 0.3
  ovs-appctl -t $PWD/ctl ovsdb-server/add-remote tcp:127.0.0.1:6650
  wait $!
  ovs-appctl -t $PWD/ctl ovsdb-server/remove-remote tcp:127.0.0.1:6650
done
`;

describeSystem('ovsdb-client on the network', () => {
  it('prints what stock prints', async () => {
    const server = new StockServer([SCHEMA]);
    try {
      writeFileSync(join(server.dir, 'script'), SCRIPT);
      const output = execFileSync('unshare', ['--net', 'sh', 'script'], {
        env: { ...server.env, BIN, TLS },
        cwd: server.dir,
        encoding: 'utf8',
        timeout: 20_000,
      });
      const timeless = output
        .replace(/^\S+Z(?=\|)/gm, 'TIME')
        // That was in 2013.
        .replace(/^.*\|The default OVSDB port number has changed.*\n/m, '');
      const [, stock, ours] = timeless.split(/^== .*$/m);
      expect(ours.trim()).toBe(stock.trim());
      expect(stock.match(/^A\n_Server$/gm)).toHaveLength(5);
    } finally {
      await server.destroy();
    }
  });
});
