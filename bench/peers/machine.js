/** The facts about a machine that its figures depend on. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** @typedef {Record<string, string | number>} Machine */

/** @returns {Machine} */
export function machineFacts() {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    virtual: /\bhypervisor\b/.test(readFileSync('/proc/cpuinfo', 'utf8')) ? 'yes' : 'no',
    kernel: release(),
    node: process.version,
    ovs: firstLine(['ovs-vswitchd', '--version']),
    vde: firstLine(['vde_switch', '--version']),
    iperf3: firstLine(['iperf3', '--version']),
    commit: firstLine(['git', 'describe', '--always', '--dirty']),
  };
}

/**
 * How many CPUs generator and switch have: one each where there are two.
 * @returns {import('./session.js').Cpus}
 */
export function chooseCpus() {
  return cpus().length > 1 ? { switch: 0, traffic: 1 } : { switch: 0, traffic: 0 };
}

/** @param {string[]} argv */
function firstLine([program, ...words]) {
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    return String(execFileSync(program, words, options))
      .split('\n')[0]
      .trim();
  } catch {
    return 'not found';
  }
}
