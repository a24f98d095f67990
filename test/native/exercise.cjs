/*
 * Exercises every function of an addon given by its path: for runs under a
 * sanitizer, where vitest would be too slow. Whether results are right, the
 * .test.ts files check; here it counts that nothing crashes or leaks.
 */
'use strict';
const { execFileSync } = require('node:child_process');
const { readdirSync, writeFileSync, openSync, closeSync } = require('node:fs');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

const path = isMainThread ? process.argv[2] : require('node:worker_threads').workerData;
const addon = require(path);
class CodedError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}
addon.setErrorClass(CodedError);

const IO_WORDS = 7440;
const IO_FREE = 1040;
const IO_TX = 1296;
const SLOT = 66048 + 512;
const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'ignore'] });
const openFds = () => readdirSync('/proc/self/fd').length;

function attempt(action) {
  try {
    return action();
  } catch (error) {
    if (typeof error.code !== 'string') throw error;
    return undefined;
  }
}

/* A small generator with a fixed seed: a failure can be repeated. */
let state = 12345;
const random = (n) => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % n;
};

function junk() {
  const values = [
    undefined,
    null,
    true,
    -1,
    1e6,
    2 ** 31,
    NaN,
    1.5,
    '',
    'tf-none',
    'x'.repeat(5000),
  ];
  values.push([], [1e9], ['10.0.0.1/24'], {}, { name: 'a/b' }, { name: 'tf-none', offloads: 99 });
  values.push({ mtu: 1, mac: 'x' }, { addresses: [{}] }, () => {}, Symbol('s'), 10n);
  values.push(
    new Uint8Array(8),
    new Int32Array(IO_WORDS),
    new Float64Array(2),
    'plain',
    'io_uring',
  );
  return values[random(values.length)];
}

function fuzz() {
  const names = Object.keys(addon).filter(
    (n) => !['setErrorClass', 'openEvent', 'openLinkEvents'].includes(n),
  );
  for (let i = 0; i < 4000; i++) {
    const args = Array.from({ length: random(6) }, junk);
    attempt(() => addon[names[random(names.length)]](...args));
  }
}

/* Two TAPs on a bridge in a namespace, a packet socket on a veth to it. */
function traffic(backend, netns, serial) {
  const names = ['a', 'b', 'o', 'i'].map((c) => `tfx${process.pid.toString(36)}${serial}${c}`);
  const ns = addon.openNetns(`/run/netns/${netns}`);
  const fds = [];
  for (const name of names.slice(0, 2)) {
    fds.push(addon.openTap({ name, offloads: 15 }).fd);
    addon.setLinkTxQueueLen(name, 1000);
    addon.moveLink(name, ns);
    addon.configureInNetns(ns, name, { up: true, mtu: 1400, mac: `02:00:00:00:00:0${fds.length}` });
    addon.linkInfoInNetns(ns, name);
    ip('-n', netns, 'link', 'set', name, 'master', 'br0');
  }
  ip('link', 'add', names[2], 'type', 'veth', 'peer', 'name', names[3], 'netns', netns);
  writeFileSync(`/proc/sys/net/ipv6/conf/${names[2]}/disable_ipv6`, '1');
  ip('-n', netns, 'link', 'set', names[3], 'master', 'br0', 'up');
  addon.setLinkUp(names[2], true);
  addon.linkInfo(names[2]);
  addon.linkAddresses(names[2]);
  fds.push(addon.openPacket(names[2]).fd);

  addon.tapInfo(fds[0]);
  addon.closeFd(addon.tapNetns(fds[0]));
  attempt(() => addon.tapInfo(ns));
  attempt(() => addon.tapNetns(ns));
  addon.linkDriver(names[2]);
  const adopted = addon.adoptTap(fds[0]);
  addon.closeFd(adopted.fd);
  const arena = new Uint8Array(new SharedArrayBuffer(80 * SLOT));
  const io = new Int32Array(new SharedArrayBuffer(IO_WORDS * 4));
  const event = addon.openEvent();
  const engine = addon.ioOpen(backend, arena, io, event);
  for (const [i, fd] of fds.entries()) addon.ioSetPort(engine, i + 1, i === 2 ? 2 : 1, fd, fd);
  let received = 0;
  for (let turn = 0; turn < 400; turn++) {
    io[0] = 64;
    for (let i = 0; i < 64; i++) io[IO_FREE + i] = i * SLOT + 232;
    io[1] = turn < 300 ? 30 : 0;
    io[6] = 64;
    for (let i = 0; i < io[1]; i++) {
      const at = (64 + (i % 16)) * SLOT + 232;
      const tagged = i % 2 === 1;
      arena.fill(0, at, at + 100);
      arena.fill(0xff, at + 10, at + 16);
      arena.set(
        [2, 0, 0, 0, 0, 9, tagged ? 0x81 : 0x88, tagged ? 0 : 0xb5, 0, 42, 0x88, 0xb5],
        at + 16,
      );
      io.set(
        [1 + (i % 3), at, 70, i % 5 === 0 ? at + 80 : 0, i % 5 === 0 ? 20 : 0, -1],
        IO_TX + i * 6,
      );
    }
    if (turn % 50 === 0) addon.signalEvent(event);
    received += addon.ioTurn(engine, turn >= 300 ? 1 : 0, -1);
    if (turn === 350) addon.ioDelPort(engine, 2);
  }
  if (received < 1000) throw new Error(`only ${received} frames came through ${backend}`);
  for (let turn = 0; turn < 2000; turn++) {
    for (let i = 0; i < 300; i++)
      io[random(IO_WORDS)] = random(2) ? random(2 ** 24) - 100 : random(70);
    addon.ioTurn(engine, 0, -1);
  }
  ip('-n', netns, 'link', 'del', names[0]);
  for (let turn = 0; turn < 20; turn++) addon.ioTurn(engine, 1, -1);
  addon.ioClose(engine);
  attempt(() => addon.ioClose(engine));
  ip('link', 'del', names[2]);
  for (const fd of [...fds, event, ns]) addon.closeFd(fd);
  attempt(() => addon.closeFd(event));
}

async function events() {
  const fd = addon.openEvent();
  let calls = 0;
  const watch = addon.watchEvent(fd, () => calls++);
  addon.signalEvent(fd);
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (calls !== 1) throw new Error(`a watch called back ${calls} times`);
  addon.unwatchEvent(watch);
  attempt(() => addon.unwatchEvent(watch));
  addon.watchEvent(fd, () => {});
  if (isMainThread) addon.closeFd(fd);
  await linkEvents();
}

async function linkEvents() {
  const route = addon.openLinkEvents();
  let seen = 0;
  const watch = addon.watchEvent(route, () => {
    for (let some = addon.readLinkEvents(route); some !== undefined; ) {
      seen += some?.length ?? 0;
      some = addon.readLinkEvents(route);
    }
  });
  const { fd } = addon.openTap({ name: 'tfev%d' });
  await addon.closeFdLater(fd);
  attempt(() => addon.closeFdLater(fd));
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (seen < 2) throw new Error(`${seen} link events`);
  addon.unwatchEvent(watch);
  addon.closeFd(route);
}

function settings() {
  const file = openSync('/proc/self/comm', 'r+');
  attempt(() => addon.lockFile(file));
  attempt(() => addon.openDatagram('/nowhere'));
  closeSync(file);
  addon.setAffinity(addon.allowedCpus());
  const name = `tfq${process.pid.toString(36)}`;
  const queues = [0, 1].map(() => addon.openTap({ name, multiQueue: true }).fd);
  addon.setTapQueue(queues[1], false);
  addon.setTapQueue(queues[1], true);
  addon.setLinkMac(name, '02:00:00:00:00:99');
  addon.setLinkMtu(name, 1300);
  for (const fd of queues) addon.closeFd(fd);
}

async function inWorker() {
  const worker = new Worker(__filename, { workerData: path });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
}

async function main() {
  if (!isMainThread) {
    fuzz();
    await events();
    addon.ioOpen('plain', new Uint8Array(99), new Int32Array(IO_WORDS), addon.openEvent());
    parentPort.postMessage('done');
    return;
  }
  const backends = addon.probeIoUring() ? ['plain', 'io_uring'] : ['plain'];
  const netns = `tfx${process.pid.toString(36)}`;
  ip('netns', 'add', netns);
  ip('-n', netns, 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
  ip('-n', netns, 'link', 'set', 'br0', 'up');
  try {
    await inWorker();
    const before = openFds();
    for (let round = 0; round < 2; round++) {
      fuzz();
      settings();
      for (const backend of backends)
        traffic(backend, netns, `${backends.indexOf(backend)}${round}`);
      await inWorker();
    }
    const after = openFds();
    if (after !== before) throw new Error(`${after - before} descriptors leaked`);
    await events();
  } finally {
    ip('netns', 'del', netns);
  }
  process.exit(0);
}

main();
