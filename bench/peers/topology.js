/**
 * The network of one measurement: a namespace for the switch, one for each of
 * two hosts, and the interfaces that connect them.
 *
 *     ns -a: h1  <-- device -->  [ switch, ns -s ]  <-- device -->  h2 :ns -b
 *
 * A rival makes its devices, named as `ports` says, in the switch's namespace;
 * `attach` moves them to the hosts. A TAP stays with the program that opened
 * it, wherever its interface goes. For veth, the peer's end is what moves.
 * Ports after the second stand idle beside h2.
 *
 * Nothing speaks on these interfaces by itself: IPv6 is off, and the hosts know
 * each other's MAC address.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { interfaceCounters, interfaceNames, processesIn } from './proc.js';
import { run, start, stop } from './processes.js';

/** Frames that a device's queue holds; Linux' default for a TAP, set for every rival alike. */
const QUEUE_LENGTH = 1000;
const PREFIX = `tfbench${process.pid}`;

/**
 * @typedef {object} PortPlan
 * @property {string} name of the interface, in the host's namespace
 * @property {string} netns
 * @property {string} mac
 * @property {string} address IPv4, without prefix length
 *
 * @typedef {object} Topology
 * @property {string} switchNs
 * @property {PortPlan[]} ports
 * @property {number} mtu
 * @property {(from?: string) => Promise<void>} attach moves the devices from where they were made (the switch's
 *   namespace) and configures them
 * @property {() => Promise<void>} configure the same without the move
 * @property {(name: string, netns: string) => boolean} deviceExists
 * @property {(port: number) => import('./proc.js').InterfaceCounters} counters
 * @property {() => Promise<void>} remove
 */

/**
 * @param {{ ports: number, mtu: number }} shape
 * @returns {Promise<Topology>}
 */
export async function createTopology({ ports: count, mtu }) {
  const spaces = { s: `${PREFIX}-s`, a: `${PREFIX}-a`, b: `${PREFIX}-b` };
  for (const netns of Object.values(spaces)) await addNamespace(netns);
  const ports = Array.from({ length: count }, (_, i) => planPort(i, i === 0 ? spaces.a : spaces.b));
  const holders = Object.fromEntries(Object.values(spaces).map((netns) => [netns, hold(netns)]));

  const [a, b] = ports;
  const others = ports.slice(1).flatMap((port) => settings(port, mtu));

  async function configure() {
    await ip(spaces.a, ...settings(a, mtu), neighbour(a, b));
    await ip(spaces.b, ...others, neighbour(b, a));
  }
  return {
    switchNs: spaces.s,
    ports,
    mtu,
    configure,
    async attach(from = spaces.s) {
      const away = ports.filter(({ netns }) => netns !== from);
      await ip(from, ...away.map(({ name, netns }) => `link set ${name} netns ${netns}`));
      await configure();
    },
    deviceExists: (name, netns) => interfaceNames(holders[netns].pid).includes(name),
    counters: (i) => interfaceCounters(holders[ports[i].netns].pid, ports[i].name),
    async remove() {
      for (const holder of Object.values(holders)) await stop(holder);
      for (const netns of Object.values(spaces)) removeNamespace(netns);
    },
  };
}

/**
 * The command that makes one port's address known to another.
 * @param {PortPlan} from
 * @param {PortPlan} to
 */
export function neighbour(from, to) {
  return `neigh replace ${to.address} lladdr ${to.mac} dev ${from.name} nud permanent`;
}

/**
 * Runs `ip` in a namespace.
 * @param {string} netns
 * @param {string[]} lines one command each, without the word `ip`
 */
export async function ip(netns, ...lines) {
  await run(['ip', '-n', netns, '-batch', '-'], { input: lines.join('\n') });
}

/**
 * Runs a script in a namespace. What it writes to may not exist on this kernel:
 * then there is nothing to turn off, and that is no error.
 * @param {string} netns
 * @param {string} script
 */
export async function shell(netns, script) {
  await run([
    'nsenter',
    `--net=/run/netns/${netns}`,
    'sh',
    '-c',
    `exec 2>/dev/null; ${script}; true`,
  ]);
}

/**
 * The command line that runs a program in a namespace on one CPU. Both
 * launchers replace themselves, so the process id is the program's.
 * @param {string} netns
 * @param {number} cpu
 * @param {string[]} argv
 */
export function inNamespace(netns, cpu, argv) {
  return ['nsenter', `--net=/run/netns/${netns}`, 'taskset', '-c', String(cpu), ...argv];
}

/** Processes found in a namespace when it was to be removed: a switch that did not stop all it started. */
export const strays = /** @type {number[]} */ ([]);

/** This run's namespaces that exist now. */
export function namespacesLeft() {
  if (!existsSync('/run/netns')) return [];
  return readdirSync('/run/netns').filter((name) => name.startsWith(`${PREFIX}-`));
}

/**
 * Removes a namespace and ends what still lives in it. The kernel reuses
 * namespace numbers at once, so this looks before the namespace is gone. It
 * works when nothing may be started any more.
 * @param {string} netns
 */
export function removeNamespace(netns) {
  const pids = processesIn(`net:[${statSync(`/run/netns/${netns}`).ino}]`);
  strays.push(...pids);
  for (const pid of pids) killNow(pid);
  execFileSync('ip', ['netns', 'del', netns]);
}

/** @param {number} pid of a process that may just have ended */
function killNow(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** @param {string} netns */
async function addNamespace(netns) {
  await run(['ip', 'netns', 'add', netns]);
  const quiet = ['all', 'default'].map((c) => `echo 1 > /proc/sys/net/ipv6/conf/${c}/disable_ipv6`);
  await shell(netns, `${quiet.join('; ')}; ip link set lo up`);
}

/** A process that keeps the namespace's counters readable. @param {string} netns */
function hold(netns) {
  return start(['nsenter', `--net=/run/netns/${netns}`, 'sleep', '86400']);
}

/**
 * @param {number} i
 * @param {string} netns
 * @returns {PortPlan}
 */
function planPort(i, netns) {
  const n = i + 1;
  return { name: `h${n}`, netns, mac: `02:00:00:00:00:${hex(n)}`, address: `10.99.0.${n}` };
}

/**
 * The commands that configure a port.
 * @param {PortPlan} port
 * @param {number} mtu
 */
function settings({ name, mac, address }, mtu) {
  return [
    `link set ${name} address ${mac} mtu ${mtu} txqueuelen ${QUEUE_LENGTH}`,
    `addr replace ${address}/24 dev ${name}`,
    `link set ${name} up`,
  ];
}

/** @param {number} n */
const hex = (n) => n.toString(16).padStart(2, '0');
