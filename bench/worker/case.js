/**
 * One case of the worker bench, in a process of its own so that no other case
 * has shaped its machine code: prints ns a packet by stage, as JSON.
 *
 *   node case.js FLOWS shared|own SECONDS
 *
 * `shared`: all flows hit one megaflow, as under NORMAL. `own`: each has a
 * megaflow of its own. `turn` is the whole loop without the stand-in for I/O.
 * The three stages are measured alone, over one burst that stays in the nearest
 * cache; `rest` is what the turn takes beside them: slots, counters, and memory
 * further away.
 */

import { VNET_SIZE } from '../../dist/datapath/burst.js';
import { DatapathCore } from '../../dist/datapath/core.js';
import { Forwarder } from '../../dist/datapath/forwarder.js';
import { PortNumbers } from '../../dist/datapath/port-numbers.js';
import { PORT_OPEN } from '../../dist/datapath/shared-state.js';
import { header, OUTPUT } from '../../dist/dpif/actions.js';
import { Extractor } from '../../dist/flow/extract.js';
import * as key from '../../dist/flow/key.js';
import { KIND_TAP } from '../../dist/native.js';
import { FrameSource, frame, IN_PORT, OUT_PORT } from './frame-source.js';

const SLOTS = 512;
const MAX_FLOWS = 1 << 21;
/** Turns between looks at the clock. */
const BATCH = 64;
const PREFETCHED = 64;
const WARM_SHARE = 0.5;

const [flows, kind, seconds] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const core = new DatapathCore(1, MAX_FLOWS, SLOTS);
openPorts();
installFlows();
const source = new FrameSource(core.shared.workers[0].arena, SLOTS, flows);
const forwarder = new Forwarder({ shared: core.shared, worker: 0, io: source, spin: Infinity });
console.log(JSON.stringify(measure()));

/** @returns {Record<string, number>} ns a packet, and shares */
function measure() {
  const turn = nsPerPacket(() => {
    const before = source.count;
    forwarder.turn();
    return source.count - before;
  });
  const io = nsPerPacket(() => source.turn());
  const [stats] = core.cacheStats();
  const hits = { microflow: stats.microflowHits, megaflow: stats.megaflowHits, miss: stats.misses };
  const shares = Object.entries(hits).map(([name, n]) => [`${name} %`, (100 * n) / stats.packets]);
  const parts = stages();
  const all = parts.extract + parts.classify + parts.execute;
  return {
    ...parts,
    'all three': all,
    rest: turn - io - all,
    turn: turn - io,
    ...Object.fromEntries(shares),
  };
}

/** Each stage alone, over the burst that the last turn left behind. */
function stages() {
  const { burst, tx } = forwarder;
  const extractor = new Extractor(forwarder.arena.bytes);
  const size = frame().length;
  const n = PREFETCHED;
  const addresses = nsPerPacket(() => newAddresses(burst.keys, n));
  const extract = nsPerPacket(() => {
    for (let i = 0; i < n; i++) {
      const at = burst.at[i] + VNET_SIZE;
      extractor.extract(at, size, IN_PORT, burst.keys, i * key.KEY_WORDS);
    }
    return n;
  });
  const classify = nsPerPacket(() => {
    newAddresses(burst.keys, n);
    forwarder.classify(0, n);
    return n;
  });
  const execute = nsPerPacket(() => {
    forwarder.execute(0, n);
    tx.sent();
    return n;
  });
  return { extract, classify: classify - addresses, execute };
}

/**
 * @param {Int32Array} keys
 * @param {number} n
 */
function newAddresses(keys, n) {
  for (let i = 0; i < n; i++) keys[i * key.KEY_WORDS + key.NW_SRC] = source.nextAddress();
  return n;
}

/**
 * @param {() => number} step does some packets' worth of work and says how many
 * @returns {number}
 */
function nsPerPacket(step) {
  run(step, seconds * WARM_SHARE);
  return run(step, seconds);
}

/**
 * @param {() => number} step
 * @param {number} duration seconds
 */
function run(step, duration) {
  const began = performance.now();
  const end = began + duration * 1000;
  let packets = 0;
  let now = began;
  while (now < end) {
    for (let i = 0; i < BATCH; i++) packets += step();
    now = performance.now();
  }
  return ((now - began) * 1e6) / packets;
}

function openPorts() {
  const ports = new PortNumbers(core);
  for (const portNo of [IN_PORT, OUT_PORT]) {
    const name = `port${ports.take(`port${portNo}`)}`;
    const device = { ifindex: 0, adminUp: true, linkUp: true, mtu: 1500, mac: '02:00:00:00:00:00' };
    const access = { state: PORT_OPEN, kind: KIND_TAP, offloads: 0, txFd: 0, rxFds: [0] };
    ports.open({ portNo, spec: { name, type: 'tap' }, ...device }, access);
  }
}

function installFlows() {
  const bytes = frame();
  const words = new Int32Array(key.KEY_WORDS);
  new Extractor(bytes).extract(0, bytes.length, IN_PORT, words, 0);
  const actions = Int32Array.of(header(OUTPUT, 2), OUT_PORT);
  const mask = kind === 'own' ? fiveTupleMask() : macMask();
  const count = kind === 'own' ? flows : 1;
  for (let flow = 0; flow < count; flow++) {
    words[key.NW_SRC] = 0x0a000000 | flow;
    if (core.flowPut(words, mask, actions) === undefined)
      throw new Error(`no room for flow ${flow}`);
  }
}

/** What NORMAL looks at. */
function macMask() {
  const mask = new Int32Array(key.KEY_WORDS);
  const words = [key.IN_PORT, key.RECIRC_ID, key.MAC_0, key.MAC_1, key.MAC_2, key.VLAN_0];
  for (const word of words) mask[word] = -1;
  mask[key.SHAPE] = key.FRAG_MASK;
  mask[key.PROTO] = 0xffff << key.ETH_TYPE_SHIFT;
  return mask;
}

function fiveTupleMask() {
  const mask = macMask();
  for (const word of [key.NW_SRC, key.NW_DST, key.TP]) mask[word] = -1;
  mask[key.PROTO] |= 0xff << key.NW_PROTO_SHIFT;
  return mask;
}
