/**
 * Warming up: before a worker serves its ports, it runs a forwarder of its own
 * over frames in memory, so that V8 has compiled the packet path when the first
 * real frame comes. Without, a quiet switch interprets it for long, and the
 * compiler takes the CPU from frames that wait (docs/adr/0008).
 *
 * The traffic is of many kinds, so that what V8 assumes of it stays true later:
 * IPv4 and IPv6, TCP and UDP, tagged and not, fragments, one flow and many, hits of both
 * caches, misses and their answers, bursts of all sizes.
 */
import { ActionList, OUTPUT } from '../dpif/actions.ts';
import type { Upcall } from '../dpif/dpif.ts';
import * as key from '../flow/key.ts';
import {
  IO_FREE,
  IO_FREE_COUNT,
  IO_FREE_USED,
  IO_NOW,
  IO_RX,
  KIND_TAP,
  RX_STRIDE,
} from '../native.ts';
import { buildFrame, type FrameRecord } from '../wire/frame.ts';
import * as icmpv6 from '../wire/icmpv6.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import { VNET_SIZE } from './burst.ts';
import { DatapathCore } from './core.ts';
import { Forwarder } from './forwarder.ts';
import { type IoBinding, NativeIo } from './native-io.ts';
import { PortNumbers } from './port-numbers.ts';
import { PORT_OPEN } from './shared-state.ts';

/** With each of the two bindings. */
const RUNS = 750;
const TURNS = 2;
const LARGEST_BURST = 32;
const SLOTS = 256;
const MAX_FLOWS = 4096;
const PORTS = 2;

/** Takes about 0.1 s, and leaves machine code behind, and garbage. */
export function warmUp(): void {
  for (const binding of new Rehearsal().bindings) {
    const core = newCore();
    // Cloned as a worker's own is on its way here: V8 tells such an object from one made in place.
    const shared = structuredClone(core.shared);
    const io = new NativeIo('', shared.workers[0].arena, -1, -1, binding);
    const forwarder = new Forwarder({ shared, worker: 0, io, spin: 0 });
    for (let run = 0; run < RUNS; run++) {
      forwarder.run(TURNS);
      core.drain(0, () => false);
    }
  }
}

function newCore(): DatapathCore {
  const core = new DatapathCore(1, MAX_FLOWS, SLOTS);
  openPorts(core);
  core.setUpcallHandler((upcall) => answer(core, upcall));
  return core;
}

function openPorts(core: DatapathCore): void {
  const ports = new PortNumbers(core);
  for (let p = 0; p < PORTS; p++) {
    const name = `port${p}`;
    const link = { ifindex: 0, adminUp: true, linkUp: true, mtu: 1500, mac: '02:00:00:00:00:00' };
    const access = { state: PORT_OPEN, kind: KIND_TAP, offloads: 0, txFd: 0, rxFds: [0] };
    ports.open({ portNo: ports.take(name), spec: { name, type: 'tap' }, ...link }, access);
  }
}

/** To the other port; a megaflow as NORMAL makes it, or, for some, one that looks at the 5-tuple. */
function answer(core: DatapathCore, upcall: Upcall): void {
  const actions = new ActionList();
  actions.push(OUTPUT, (upcall.portNo % PORTS) + 1);
  upcall.execute(actions.words, actions.length);
  const isOwn = (upcall.key[key.MAC_2] & 1) !== 0;
  core.flowPut(upcall.key, isOwn ? FIVE_TUPLE : MACS, actions.toArray());
}

/** Odd source addresses: a megaflow for each 5-tuple; even ones: one for a pair of addresses. */
const SENDERS = ['02:00:00:00:00:01', '02:00:00:00:00:04'];
const FLOWS_EACH = 40;
/** Version 2, as hosts send it when an interface comes up. */
const MLD_REPORT = 143;

const FRAMES: FrameRecord[] = SENDERS.flatMap((src) =>
  Array.from({ length: FLOWS_EACH }, (_, i) => kinds(src, 1024 + i)).flat(),
);

function kinds(src: string, srcPort: number): FrameRecord[] {
  const eth = { src };
  const v4 = { eth, ipv4: {} };
  const v6 = { eth, ipv6: {} };
  return [
    { ...v4, udp: { srcPort } },
    { ...v4, tcp: { srcPort }, payload: 600 },
    { ...v4, tcp: { srcPort }, vlans: [{ vid: 10 }] },
    { ...v4, icmp: {} },
    { ...v6, tcp: { srcPort }, payload: 200 },
    { ...v6, udp: { srcPort } },
    { ...v6, icmpv6: {} },
    { ...v6, icmpv6: { type: icmpv6.NEIGHBOR_SOLICIT, nd: { target: 'fd00::2' } } },
    { eth, ipv6: { extensions: [{ type: ipv6.EXT_HOP_BY_HOP }] }, icmpv6: { type: MLD_REPORT } },
    { eth, ipv6: { extensions: [{ type: ipv6.EXT_FRAGMENT, fragment: 1 }] }, udp: { srcPort } },
    { eth, ipv4: { fragment: ipv4.MORE_FRAGMENTS }, udp: { srcPort } },
    { eth, arp: {} },
  ];
}

const MACS = macMask();
const FIVE_TUPLE = fiveTupleMask();

function macMask(): Int32Array {
  const mask = new Int32Array(key.KEY_WORDS);
  const words = [key.IN_PORT, key.RECIRC_ID, key.MAC_0, key.MAC_1, key.MAC_2, key.VLAN_0];
  for (const word of words) mask[word] = -1;
  mask[key.SHAPE] = key.FRAG_MASK;
  mask[key.PROTO] = 0xffff << key.ETH_TYPE_SHIFT;
  return mask;
}

function fiveTupleMask(): Int32Array {
  const mask = MACS.slice();
  for (const word of [key.NW_SRC, key.NW_DST, key.TP]) mask[word] = -1;
  mask[key.PROTO] |= 0xff << key.NW_PROTO_SHIFT;
  return mask;
}

/**
 * What native-io.ts calls in place of the addon: it always has frames, and
 * sends nowhere. Two kinds, so that V8 takes neither the handle nor the
 * function for the only one: it would compile all anew for the addon's.
 */
class Rehearsal {
  readonly bindings: readonly IoBinding[] = [
    {
      ...CALLS,
      ioOpen: (_, arena, block) => this.#open({}, arena, block),
      ioTurn: () => this.#turn(),
    },
    {
      ...CALLS,
      ioOpen: (_, arena, block) => this.#open([], arena, block),
      ioTurn: (_) => this.#turn(),
    },
  ];
  readonly #frames = FRAMES.map((frame) => buildFrame({ ...frame, minSize: 60 }));
  #arena: Uint8Array = new Uint8Array();
  #block: Int32Array = new Int32Array();
  #now: Float64Array = new Float64Array();
  #turns = 0;
  #next = 0;

  #open(handle: object, arena: Uint8Array, block: Int32Array): object {
    this.#arena = arena;
    this.#block = block;
    this.#now = new Float64Array(block.buffer, IO_NOW * 4, 1);
    return handle;
  }

  #turn(): number {
    const block = this.#block;
    const n = Math.min(this.#turns++ % LARGEST_BURST, block[IO_FREE_COUNT]);
    for (let i = 0; i < n; i++) {
      const frame = this.#frames[this.#next++ % this.#frames.length];
      const at = block[IO_FREE + i];
      this.#arena.fill(0, at, at + VNET_SIZE);
      this.#arena.set(frame, at + VNET_SIZE);
      const rx = IO_RX + i * RX_STRIDE;
      block[rx] = 1 + (this.#turns % PORTS);
      block[rx + 1] = at;
      block[rx + 2] = frame.length + VNET_SIZE;
    }
    block[IO_FREE_USED] = n;
    this.#now[0] = this.#turns + 0.5;
    return n;
  }
}

const CALLS = { ioSetPort: () => {}, ioDelPort: () => {}, ioClose: () => {} };
