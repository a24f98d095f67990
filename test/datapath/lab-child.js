/**
 * The far ends of a lab's TAPs: a child process in the lab's namespace that
 * sends numbered frames and checks what it receives (lab.ts is the parent).
 * Plain JavaScript: it runs outside vitest.
 */
import {
  IO_BUDGET,
  IO_FREE,
  IO_FREE_COUNT,
  IO_MAX_RX,
  IO_RX,
  IO_TX,
  IO_TX_COUNT,
  IO_WORDS,
  KIND_PACKET,
  native,
  RX_STRIDE,
} from '../../dist/native.js';

const SLOT = 1 << 17;
const VNET = 10;
const ETHER_TYPE = 0x88b5;
const SIZE = VNET + 64;
const arena = new Uint8Array((IO_MAX_RX + 1) * SLOT);
const view = new DataView(arena.buffer);
const block = new Int32Array(IO_WORDS);
const handle = native().ioOpen('plain', arena, block, native().openEvent());
block[IO_BUDGET] = 64;
for (let i = 0; i < IO_MAX_RX; i++) block[IO_FREE + i] = i * SLOT + 256;

/** By host: its socket, and what has arrived there. */
const hosts = new Map();

const commands = {
  open({ host, device }) {
    native().setLinkUp(device, true);
    const { fd } = native().openPacket(device);
    native().ioSetPort(handle, host, KIND_PACKET, fd, fd);
    const old = hosts.get(host);
    hosts.set(host, { received: 0, misdelivered: 0, outOfOrder: 0, last: new Map(), ...old, fd });
  },
  close({ host }) {
    native().ioDelPort(handle, host);
    native().closeFd(hosts.get(host).fd);
  },
  send({ frames }) {
    for (const frame of frames) send(frame);
  },
  report() {
    return [...hosts].map(([host, { received, misdelivered, outOfOrder }]) => ({
      host,
      received,
      misdelivered,
      outOfOrder,
    }));
  },
};

process.on('message', ({ id, command, ...rest }) => {
  receive();
  process.send({ id, result: commands[command](rest) });
});
process.on('disconnect', () => process.exit());
setInterval(receive, 1);

function send({ from, to, flow, sequence }) {
  const at = IO_MAX_RX * SLOT + 256;
  arena.fill(0, at, at + SIZE);
  arena.set([2, 0, flow >>> 16, flow >>> 8, flow, to], at + VNET);
  arena.set([2, 1, flow >>> 16, flow >>> 8, flow, from], at + VNET + 6);
  view.setUint16(at + VNET + 12, ETHER_TYPE);
  view.setUint32(at + VNET + 14, sequence);
  block.set([from, at, SIZE, 0, 0, 0], IO_TX);
  block[IO_TX_COUNT] = 1;
  block[IO_FREE_COUNT] = 0;
  native().ioTurn(handle, 0, -1);
  block[IO_TX_COUNT] = 0;
}

function receive() {
  for (let got = 1; got > 0; ) {
    block[IO_FREE_COUNT] = IO_MAX_RX;
    got = native().ioTurn(handle, 0, -1);
    for (let i = 0; i < got; i++) {
      check(
        hosts.get(block[IO_RX + i * RX_STRIDE]),
        block[IO_RX + i * RX_STRIDE],
        block[IO_RX + i * RX_STRIDE + 1],
      );
    }
  }
}

function check(state, host, at) {
  const o = at + VNET;
  if (view.getUint16(o + 12) !== ETHER_TYPE) return;
  if (arena[o + 5] !== host) state.misdelivered++;
  const flow = (arena[o + 2] << 16) | (arena[o + 3] << 8) | arena[o + 4];
  const from = arena[o + 11];
  const sequence = view.getUint32(o + 14);
  const key = `${from} ${flow}`;
  if (sequence <= (state.last.get(key) ?? -1)) state.outOfOrder++;
  state.last.set(key, sequence);
  state.received++;
}
