/**
 * Sends and receives packets of any IP protocol, by the `raw-socket` package:
 * what system tests run inside a namespace to have GRE, SCTP or OSPF cross the
 * switch. The package takes its own kernel socket per protocol, and cannot load
 * in a worker thread, hence a process of its own.
 *
 *   node ip-protocol.cjs receive PROTOCOL COUNT   prints "ready", then how many came
 *   node ip-protocol.cjs send PROTOCOL ADDRESS COUNT
 */
const raw = require('raw-socket');

const [mode, protocolText, ...rest] = process.argv.slice(2);
const socket = raw.createSocket({ protocol: Number(protocolText) });

if (mode === 'receive') {
  const wanted = Number(rest[0]);
  let received = 0;
  socket.on('message', () => {
    if (++received === wanted) finish();
  });
  const finish = () => {
    process.stdout.write(`${received}\n`);
    process.exit(0);
  };
  setTimeout(finish, 5000);
  process.stdout.write('ready\n');
} else {
  const [address, countText] = rest;
  const count = Number(countText);
  let sent = 0;
  const send = () => {
    if (sent === count) return socket.close();
    // Some 40 bytes after the IP header; the switch looks into none of these protocols but SCTP.
    socket.send(Buffer.alloc(40, sent++), 0, 40, address, (error) => {
      if (error) throw error;
      send();
    });
  };
  send();
}
