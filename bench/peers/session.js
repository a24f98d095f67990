/**
 * One rival running on one topology, and the figures that rows take from it.
 *
 * `open` starts, `close` stops and removes everything again; at most one
 * session exists at a time, so rivals never disturb each other.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds } from './proc.js';
import { stopAll } from './processes.js';
import { createTopology, namespacesLeft, removeNamespace } from './topology.js';

/**
 * @typedef {object} Cpus
 * @property {number} switch every thread of the switch
 * @property {number} traffic generators and receivers
 *
 * @typedef {object} Session
 * @property {import('./rivals/rival.js').Rival} rival
 * @property {import('./rivals/rival.js').SwitchConfig} config
 * @property {import('./topology.js').Topology} topology
 * @property {import('./rivals/rival.js').Running} running
 * @property {Cpus} cpus
 *
 * @typedef {object} Sample counters since the start
 * @property {number} time seconds
 * @property {number} cpu seconds
 * @property {import('./proc.js').InterfaceCounters} sender of the sending host's interface
 * @property {import('./proc.js').InterfaceCounters} receiver of the receiving host's interface
 *
 * @typedef {object} Delta
 * @property {number} seconds
 * @property {number | undefined} cpu seconds of the switch; undefined if it has no process
 * @property {number} packets received
 * @property {number} bytes received
 * @property {number} queueDrops frames that found the sender's device full: the switch was late to read
 * @property {number} receiverDrops
 */

/** @type {string | undefined} */
let directory;

/**
 * @param {import('./rivals/rival.js').Rival} rival
 * @param {import('./rivals/rival.js').SwitchConfig} config
 * @param {Cpus} cpus
 * @returns {Promise<Session>}
 */
export async function open(rival, config, cpus) {
  directory = mkdtempSync(join(tmpdir(), 'tapflow-bench-'));
  const topology = await createTopology(config);
  const running = await rival.start({ topology, config, cpu: cpus.switch, directory });
  return { rival, config, topology, running, cpus };
}

/** @param {Session} session */
export async function close(session) {
  await session.running.stop();
  await session.topology.remove();
  removeDirectory();
}

/** Removes whatever a run has made, however far it got: after an error, and on Ctrl-C. */
export async function cleanUp() {
  await stopAll();
  for (const netns of namespacesLeft()) removeNamespace(netns);
  removeDirectory();
}

/** @param {Session} session @returns {Sample} */
export function sample({ running, topology }) {
  return {
    time: performance.now() / 1000,
    cpu: cpuSeconds(running.pids),
    sender: topology.counters(0),
    receiver: topology.counters(1),
  };
}

/**
 * Counts for some time while traffic flows.
 * @param {Session} session
 * @param {number} seconds
 * @returns {Promise<Delta>}
 */
export async function watch(session, seconds) {
  const before = sample(session);
  await sleep(seconds * 1000);
  return difference(session, before, sample(session));
}

/**
 * @param {Session} session
 * @param {Sample} a
 * @param {Sample} b
 * @returns {Delta}
 */
export function difference({ running }, a, b) {
  return {
    seconds: b.time - a.time,
    cpu: running.pids.length === 0 ? undefined : b.cpu - a.cpu,
    packets: b.receiver.rxPackets - a.receiver.rxPackets,
    bytes: b.receiver.rxBytes - a.receiver.rxBytes,
    queueDrops: b.sender.txDropped - a.sender.txDropped,
    receiverDrops: b.receiver.rxDropped - a.receiver.rxDropped,
  };
}

/** @param {number | undefined} cpu @param {number} amount */
export function cpuPer(cpu, amount) {
  return cpu === undefined ? undefined : cpu / amount;
}

function removeDirectory() {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  directory = undefined;
}
