/**
 * The demo's traffic: a small program that `ip netns exec` runs inside a
 * namespace. It prints one JSON value when done; the servers print a line when
 * they listen, and go on until they are killed.
 */
import { createSocket } from 'node:dgram';
import net from 'node:net';

const MODES: Record<string, (args: string[]) => void> = {
  ready: ([address]) => waitForAddress(address),
  'udp-answer': ([port]) => answerUdp(Number(port)),
  'udp-ask': ([host, port, count]) => askUdp(host, Number(port), Number(count)),
  'tcp-receive': ([port]) => receiveTcp(Number(port)),
  'tcp-send': ([host, port, ms]) => sendTcp(host, Number(port), Number(ms)),
};

const print = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

/** Until the address can be bound to, a fresh interface may not be usable yet. */
function waitForAddress(address: string): void {
  const server = net.createServer();
  server.on('error', () => setTimeout(() => waitForAddress(address), 20));
  server.listen(0, address, () => {
    server.close();
    print(true);
  });
}

function answerUdp(port: number): void {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => socket.send(message, from.port, from.address));
  socket.bind(port, () => print('listening'));
}

/** One question is on its way at a time; one without an answer is given up after this long. */
const ANSWER_MS = 200;
/** After so many without an answer in a row the rest is not asked any more slowly. */
const GIVE_UP_MS = 10;

function askUdp(host: string, port: number, count: number): void {
  const socket = createSocket('udp4');
  const times: number[] = [];
  let asked = 0;
  let sentAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const ask = () => {
    clearTimeout(timer);
    if (asked === count) {
      socket.close();
      times.sort((a, b) => a - b);
      print({ asked, answered: times.length, rttMs: times[times.length >> 1] });
      return;
    }
    asked++;
    sentAt = performance.now();
    socket.send(String(asked), port, host);
    timer = setTimeout(ask, times.length === 0 && asked > 3 ? GIVE_UP_MS : ANSWER_MS);
  };
  socket.on('message', (message) => {
    if (String(message) !== String(asked)) return;
    times.push(performance.now() - sentAt);
    ask();
  });
  socket.bind(0, ask);
}

/** Answers with the number of bytes received once the sender has ended. */
function receiveTcp(port: number): void {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.on('end', () => socket.end(String(bytes)));
  });
  server.listen(port, () => print('listening'));
}

function sendTcp(host: string, port: number, ms: number): void {
  const block = Buffer.alloc(1 << 20);
  const socket = net.connect(port, host);
  let bytes = '';
  let startedAt = 0;
  const fill = () => {
    while (performance.now() - startedAt < ms) if (!socket.write(block)) return;
    socket.end();
  };
  socket.on('connect', () => {
    startedAt = performance.now();
    fill();
  });
  socket.on('drain', fill);
  socket.on('data', (chunk) => {
    bytes += String(chunk);
  });
  socket.on('close', () =>
    print({ bytes: Number(bytes), seconds: (performance.now() - startedAt) / 1000 }),
  );
  socket.on('error', () => socket.destroy());
}

const [mode, ...args] = process.argv.slice(2);
MODES[mode](args);
