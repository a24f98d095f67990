/**
 * What the kernel knows of processes and interfaces, read from /proc.
 *
 * Interfaces are read through a process that lives in their namespace
 * (`/proc/PID/net/dev`), so that a sample starts no program.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * @typedef {object} InterfaceCounters as the interface's own namespace sees them: rx is what the switch wrote
 * @property {number} rxBytes
 * @property {number} rxPackets
 * @property {number} rxDropped
 * @property {number} txPackets
 * @property {number} txDropped frames that found the device's queue full
 */

/**
 * User and system time of whole processes, their ended threads included.
 * @param {number[]} pids
 * @returns {number} seconds
 */
export function cpuSeconds(pids) {
  return (
    sum(pids, (pid) => parseStatTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'))) / TICKS_PER_SECOND
  );
}

/**
 * utime + stime of a `/proc/PID/stat` line. The program's name, the second
 * field, may contain blanks and brackets.
 * @param {string} stat
 * @public for tests
 */
export function parseStatTicks(stat) {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/**
 * What each thread has done so far: time on a CPU, to the nanosecond, since idle
 * processes use less than the ticks of cpuSeconds show; and how often it went to
 * sleep, which is how often it was woken.
 * @param {number[]} pids
 * @returns {Activity} by thread
 *
 * @typedef {Map<string, { seconds: number, wakeups: number }>} Activity
 */
export function activity(pids) {
  return new Map(threads(pids).map((task) => [task, threadActivity(task)]));
}

/**
 * What happened in between. Threads that have ended are left out.
 * @param {Activity} before
 * @param {Activity} after
 */
export function activityBetween(before, after) {
  const none = { seconds: 0, wakeups: 0 };
  const changes = [...after].map(([task, { seconds, wakeups }]) => {
    const past = before.get(task) ?? none;
    return { seconds: seconds - past.seconds, wakeups: wakeups - past.wakeups };
  });
  return { seconds: sum(changes, (c) => c.seconds), wakeups: sum(changes, (c) => c.wakeups) };
}

/** @param {string} task */
function threadActivity(task) {
  const nanoseconds = Number(readFileSync(`${task}/schedstat`, 'utf8').split(' ')[0]);
  const wakeups = statusValue(`${task}/status`, 'voluntary_ctxt_switches');
  return { seconds: nanoseconds / 1e9, wakeups };
}

/**
 * @param {number[]} pids
 * @returns {number} bytes
 */
export function residentBytes(pids) {
  return sum(pids, (pid) => statusValue(`/proc/${pid}/status`, 'VmRSS')) * 1024;
}

/**
 * @param {number} pid of a process in the interface's namespace
 * @param {string} name
 * @returns {InterfaceCounters}
 */
export function interfaceCounters(pid, name) {
  return parseNetDev(readFileSync(`/proc/${pid}/net/dev`, 'utf8'), name);
}

/**
 * @param {number} pid of a process in the namespace
 * @returns {string[]}
 */
export function interfaceNames(pid) {
  const lines = readFileSync(`/proc/${pid}/net/dev`, 'utf8').split('\n').slice(2);
  return lines.map((line) => line.slice(0, line.indexOf(':')).trim());
}

/**
 * @param {string} text of /proc/net/dev
 * @param {string} name
 * @returns {InterfaceCounters}
 * @public for tests
 */
export function parseNetDev(text, name) {
  const line = text.split('\n').find((l) => l.trimStart().startsWith(`${name}:`));
  if (line === undefined) throw new Error(`interface ${name} is not in its namespace any more`);
  const n = line
    .slice(line.indexOf(':') + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  return { rxBytes: n[0], rxPackets: n[1], rxDropped: n[3], txPackets: n[9], txDropped: n[11] };
}

/**
 * Processes in a network namespace.
 * @param {string} namespace as `readlink /proc/PID/ns/net` names it
 * @returns {number[]}
 */
export function processesIn(namespace) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => namespaceOf(pid) === namespace);
}

/** @param {number} pid */
function namespaceOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}

/** @param {number[]} pids */
function threads(pids) {
  return pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((tid) => `/proc/${pid}/task/${tid}`),
  );
}

/**
 * @param {string} path
 * @param {string} key
 */
function statusValue(path, key) {
  const match = new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(readFileSync(path, 'utf8'));
  return match === null ? 0 : Number(match[1]);
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => number} value
 */
function sum(items, value) {
  return items.reduce((total, item) => total + value(item), 0);
}
