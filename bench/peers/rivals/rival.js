/**
 * What every rival is: a name, and how to start it on a topology.
 *
 * A rival makes its devices in the switch's namespace, moves them with
 * `topology.attach()`, and answers with the processes that forward.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { start, waitFor } from '../processes.js';
import { inNamespace } from '../topology.js';

/**
 * @typedef {object} SwitchConfig what a measurement asks of the switch
 * @property {number} ports
 * @property {number} mtu
 * @property {'normal' | 'five-tuple'} rules
 * @property {number} workers threads that forward, where a rival has such a notion
 *
 * @typedef {object} Stage
 * @property {import('../topology.js').Topology} topology
 * @property {SwitchConfig} config
 * @property {number} cpu the one the switch is pinned to
 * @property {string} directory empty, for sockets and databases; the session removes it
 *
 * @typedef {object} Running
 * @property {number[]} pids processes that forward; empty if the kernel does
 * @property {() => Promise<void>} stop
 * @property {() => Promise<number>} [drops] packets the switch says it dropped, in total
 * @property {() => Promise<CacheLevels>} [caches] packets by the level that knew their flow, in total
 *
 * @typedef {Record<string, number>} CacheLevels by name; `miss` is what went to the slow path
 *
 * @typedef {object} Rival
 * @property {string} name as `--rivals` takes it
 * @property {string} title as tables show it
 * @property {() => string | undefined} missing what has to be installed or built first
 * @property {(config: SwitchConfig) => boolean} supports
 * @property {(stage: Stage) => Promise<Running>} start
 */

/** Flow table limits for the row with a million flows, the same for each switch that has them. */
export const FLOW_LIMIT = 2_000_000;
/** A flow of a million sees a packet every few seconds; the default of 10 s would expire it. */
export const MAX_IDLE_MS = 60_000;

/**
 * The first of these programs that PATH does not have.
 * @param {string[]} names
 */
export function firstMissing(names) {
  const missing = names.find((name) => !onPath(name));
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/**
 * Starts a part of the switch, pinned.
 * @param {Stage} stage
 * @param {string[]} argv
 * @param {{ env?: Record<string, string>, netns?: string }} [options]
 */
export function startPinned({ topology, cpu }, argv, { env, netns = topology.switchNs } = {}) {
  return start(inNamespace(netns, cpu, argv), { env });
}

/**
 * Waits until every port's device exists.
 * @param {Stage} stage
 * @param {import('../processes.js').Program} program that makes them
 * @param {string} [netns] where it makes them
 */
export async function waitForDevices({ topology }, program, netns = topology.switchNs) {
  for (const { name } of topology.ports) {
    await waitFor(`device ${name}`, () => topology.deviceExists(name, netns), { program });
  }
}

/** @param {string} name */
function onPath(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => executable(join(folder, name)));
}

/** @param {string} path */
function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
