/**
 * Starts programs, remembers each one, and stops them by process id.
 *
 * Everything the bench runs goes through here, so that one call ends all of it,
 * also after Ctrl-C. Nothing is ever stopped by name. Programs start in a
 * process group of their own, or the terminal's Ctrl-C would reach them before
 * the bench has read their last figures.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time a program gets to end by itself before SIGKILL. */
const GRACE_MS = 3000;

/**
 * @typedef {object} Program
 * @property {number} pid
 * @property {import('node:child_process').ChildProcess} child
 * @property {() => string} output standard output so far
 * @property {() => string} errors standard error so far
 * @property {Promise<number>} exited resolves to the exit code, 128 and more for a signal
 */

/** @type {Set<Program>} */
const alive = new Set();
let refusing = false;

/**
 * Starts a program and returns at once. Its standard input stays open until it is stopped.
 * @param {string[]} argv
 * @param {{ env?: Record<string, string> }} [options] variables beside the bench's own
 * @returns {Program}
 */
export function start(argv, options = {}) {
  if (refusing) throw new Error('interrupted');
  const child = spawn(argv[0], argv.slice(1), {
    detached: true,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const exited = new Promise((resolve) => {
    child.on('error', () => resolve(127));
    child.on('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  child.stdin.on('error', () => {});
  const program = { pid: child.pid ?? -1, child, output, errors, exited };
  alive.add(program);
  exited.then(() => alive.delete(program));
  return program;
}

/**
 * Runs a program to its end.
 * @param {string[]} argv
 * @param {{ env?: Record<string, string>, input?: string }} [options]
 * @returns {Promise<string>} its standard output
 */
export async function run(argv, options = {}) {
  const program = start(argv, options);
  program.child.stdin?.end(options.input);
  const code = await program.exited;
  if (code !== 0) {
    const said = (program.errors() || program.output()).trim();
    throw new Error(`${argv.join(' ')}: exit code ${code}: ${said || 'no output'}`);
  }
  return program.output();
}

/**
 * @param {Program} program
 * @param {NodeJS.Signals} [signal]
 */
export async function stop(program, signal = 'SIGTERM') {
  if (!alive.has(program)) return;
  program.child.kill(signal);
  const ended = await Promise.race([program.exited.then(() => true), sleep(GRACE_MS, false)]);
  if (ended) return;
  program.child.kill('SIGKILL');
  await program.exited;
}

/** Stops whatever is left, the latest first. */
export async function stopAll() {
  for (const program of [...alive].reverse()) await stop(program);
}

/** From now on nothing can be started: for an interrupted run, whose plan may still be under way. */
export function refuseStarts() {
  refusing = true;
}

/**
 * Waits for something that a program does in its own time.
 * @param {string} what for the error message
 * @param {() => boolean | Promise<boolean>} condition
 * @param {{ program?: Program, timeoutMs?: number }} [options] program: gives up when it ends
 */
export async function waitFor(what, condition, { program, timeoutMs = 10_000 } = {}) {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    const dead = program !== undefined && !alive.has(program);
    if (dead || Date.now() > deadline) {
      const said = program === undefined ? '' : `: ${lastLines(program)}`;
      throw new Error(`${what}: ${dead ? 'the program ended' : 'timed out'}${said}`);
    }
    await sleep(20);
  }
}

/** @param {Program} program */
function lastLines(program) {
  const lines = `${program.output()}\n${program.errors()}`.trim().split('\n');
  return lines.slice(-5).join(' | ') || 'it said nothing';
}

/** @param {import('node:stream').Readable} stream */
function collect(stream) {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}
