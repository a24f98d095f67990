/**
 * What the kernel's tracer says about a switch and its pings: who ran when on
 * which CPU, and which of that was in system calls.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from '../peers/processes.js';

const TRACEFS = '/sys/kernel/tracing';
const EVENTS = ['sched/sched_switch', 'sched/sched_waking', 'raw_syscalls'];
const BUFFER_KB = 32768;

/**
 * @typedef {object} Phases us of one ping
 * @property {number} total
 * @property {number} waking until the switch runs
 * @property {number} kernel it is in the kernel
 * @property {number} user it is in its own code
 * @property {number} other it waits for a CPU again
 *
 * @typedef {object} TraceEvent
 * @property {number} pid who did it
 * @property {number} time us
 * @property {string} name
 * @property {string} text
 */

/**
 * @param {() => Promise<unknown>} act
 * @returns {Promise<string[]>} the tracer's lines about what happened meanwhile
 */
export async function trace(act) {
  if (!existsSync(`${TRACEFS}/trace`)) await run(['mount', '-t', 'tracefs', 'none', TRACEFS]);
  set('buffer_size_kb', String(BUFFER_KB));
  set('trace', '');
  for (const event of EVENTS) set(`events/${event}/enable`, '1');
  set('tracing_on', '1');
  try {
    await act();
  } finally {
    set('tracing_on', '0');
    for (const event of EVENTS) set(`events/${event}/enable`, '0');
  }
  return readFileSync(`${TRACEFS}/trace`, 'utf8').split('\n');
}

/** @param {string} file @param {string} text */
function set(file, text) {
  writeFileSync(`${TRACEFS}/${file}`, text);
}

/**
 * @param {string[]} lines
 * @param {number[]} pids the switch's processes, which must still run
 * @returns {Phases[]} of each ping that went over the switch and back
 */
export function phasesOf(lines, pids) {
  const threads = new Set(pids.flatMap(threadsOf));
  /** @type {Phases[]} */
  const found = [];
  /** @type {Watch | undefined} */
  let watch;
  for (const line of lines) {
    const event = parse(line);
    if (event === undefined) continue;
    const isOurs = threads.has(event.pid);
    if (event.name === 'sched_waking' && !isOurs && threads.has(pidIn(event.text, 'pid'))) {
      watch ??= new Watch(event.time, threads);
    } else if (watch !== undefined) {
      watch.take(event, isOurs);
      if (isOurs && event.name === 'sched_waking' && event.text.includes('comm=ping ')) {
        found.push(watch.end(event.time));
        watch = undefined;
      }
    }
  }
  return found;
}

/** Follows the switch from one wake-up on. */
class Watch {
  #threads;
  #begun;
  /** @type {'waking' | 'kernel' | 'user' | 'other'} */
  #phase = 'waking';
  #since;
  #spent = { waking: 0, kernel: 0, user: 0, other: 0 };

  /** @param {number} time @param {Set<number>} threads */
  constructor(time, threads) {
    this.#begun = time;
    this.#since = time;
    this.#threads = threads;
  }

  /** @param {TraceEvent} event @param {boolean} isOurs */
  take({ name, text, time }, isOurs) {
    if (name === 'sched_switch') {
      const isComing = this.#threads.has(pidIn(text, 'next_pid'));
      if (isComing) this.#enter('kernel', time);
      else if (this.#threads.has(pidIn(text, 'prev_pid'))) this.#enter('other', time);
    } else if (isOurs && name === 'sys_enter') this.#enter('kernel', time);
    else if (isOurs && name === 'sys_exit') this.#enter('user', time);
  }

  /** @param {number} time @returns {Phases} */
  end(time) {
    this.#enter('other', time);
    return { total: time - this.#begun, ...this.#spent };
  }

  /** @param {'kernel' | 'user' | 'other'} phase @param {number} time */
  #enter(phase, time) {
    this.#spent[this.#phase] += time - this.#since;
    this.#phase = phase;
    this.#since = time;
  }
}

const LINE = /-(\d+)\s+\[\d+\] \S+ ([\d.]+): (\w+)(?:\(|: )(.*)/;

/** @param {string} line @returns {TraceEvent | undefined} */
function parse(line) {
  const [, pid, seconds, name, text] = LINE.exec(line) ?? [];
  return pid === undefined
    ? undefined
    : { pid: Number(pid), time: Number(seconds) * 1e6, name, text };
}

/** @param {string} text @param {string} name */
function pidIn(text, name) {
  return Number(new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1] ?? -1);
}

/** @param {number} pid */
function threadsOf(pid) {
  return readdirSync(`/proc/${pid}/task`).map(Number);
}
