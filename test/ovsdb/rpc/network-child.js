/**
 * What network.test.ts runs in a network namespace of its own: peers over TCP
 * and TLS on the loopback interface. Prints what came of each as JSON.
 *
 * Arguments: the directory with the PEM files.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { connectStream } from '../../../src/ovsdb/rpc/connect.ts';
import { errorText } from '../../../src/ovsdb/rpc/error-text.ts';
import { listen } from '../../../src/ovsdb/rpc/listen.ts';
import { parseRemote } from '../../../src/ovsdb/rpc/remote.ts';

const pem = (name) => readFileSync(path.join(process.argv[2], name), 'utf8');
const peer = {
  privateKey: pem('peer-key.pem'),
  certificate: pem('peer-cert.pem'),
  caCert: pem('ca.pem'),
};
const stranger = {
  ...peer,
  privateKey: pem('stranger-key.pem'),
  certificate: pem('stranger-cert.pem'),
};

/** What a server that listens says to a client that connects: its name, or why there is none. */
async function meet(passive, active, serverTls, clientTls) {
  const log = [];
  const listener = await listen(parseRemote(passive, '/'), {
    tls: serverTls,
    log: (level, line) => log.push(`${level} ${line.replace(/\d{4,5}/, 'PORT')}`),
    accept: (stream, name) => stream.on('error', () => {}).end(name),
  });
  const remote = parseRemote(`${active}:${listener.boundPort}`, '/');
  const answer = await greet(remote, clientTls);
  listener.close();
  return { answer: answer.replace(/\d{4,5}$/, 'PORT'), log };
}

async function greet(remote, files) {
  try {
    const stream = await connectStream(remote, { tls: () => files });
    let text = '';
    for await (const part of stream) text += part;
    return text;
  } catch (error) {
    return `failed: ${errorText(error)}`;
  }
}

async function replaceTls() {
  const listener = await listen(parseRemote('pssl:0:127.0.0.1', '/'), {
    tls: stranger,
    accept: (stream) => stream.on('error', () => {}).end('hello'),
  });
  const remote = parseRemote(`ssl:127.0.0.1:${listener.boundPort}`, '/');
  const before = await greet(remote, peer);
  listener.replaceTls(peer);
  const after = await greet(remote, peer);
  listener.close();
  return { before, after };
}

async function inUse() {
  const first = await listen(parseRemote('ptcp:6640', '/'), { accept() {} });
  const second = await listen(parseRemote('ptcp:', '/'), { accept() {} }).catch((error) => error);
  first.close();
  return { code: second.code, message: second.message };
}

const none = { ...peer, caCert: 'none' };
const results = {
  ipv4: await meet('ptcp:0:127.0.0.1', 'tcp:127.0.0.1'),
  ipv6: await meet('ptcp:0:[::1]', 'tcp:[::1]'),
  both: await meet('ptcp:0:[::]', 'tcp:127.0.0.1'),
  onlyIpv4: await meet('ptcp:0', 'tcp:[::1]'),
  tls: await meet('pssl:0:127.0.0.1', 'ssl:127.0.0.1', peer, peer),
  strangeServer: await meet('pssl:0:127.0.0.1', 'ssl:127.0.0.1', stranger, peer),
  strangeClient: await meet('pssl:0:127.0.0.1', 'ssl:127.0.0.1', peer, stranger),
  unchecked: await meet('pssl:0:127.0.0.1', 'ssl:127.0.0.1', none, { ...stranger, caCert: 'none' }),
  plainClient: await meet('pssl:0:127.0.0.1', 'ssl:127.0.0.1', peer, {}),
  replaceTls: await replaceTls(),
  inUse: await inUse(),
  unconfigured: await listen(parseRemote('pssl:0', '/'), { accept() {} }).catch(
    ({ message }) => message,
  ),
};
console.log(JSON.stringify(results));
