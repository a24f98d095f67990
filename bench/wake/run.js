/**
 * Where the time of a ping over an idle switch goes: from the moment that the
 * sender's frame wakes the switch to the moment that the switch's write wakes
 * the sender, as the kernel's tracer saw it (trace.js).
 *
 *   sudo node bench/wake/run.js [--rivals LIST] [--repeats N] [--seconds N]
 *
 * Each rival is measured twice: as it is, and with a program of the lowest
 * priority that keeps the switch's CPU from halting. What the two differ in is
 * what waking a CPU costs, caches that it finds cold included. Setup and rivals
 * are those of bench/peers. The tracer costs some microseconds itself, all
 * rivals alike.
 */
import { parseArgs } from 'node:util';
import { chooseCpus } from '../peers/machine.js';
import { ping } from '../peers/probes.js';
import { start, stop } from '../peers/processes.js';
import { RIVALS } from '../peers/rivals/index.js';
import { cleanUp, close, open } from '../peers/session.js';
import { quantile } from '../peers/statistics.js';
import { phasesOf, trace } from './trace.js';

const CONFIG = { ports: 2, mtu: 1500, rules: /** @type {const} */ ('normal'), workers: 1 };
/** Seconds of pings before the tracer begins: the first packets take the slow path. */
const WARM_SECONDS = 1;
const { values } = parseArgs({
  options: {
    rivals: { type: 'string', default: 'L,LU,tapflow,ovs' },
    repeats: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
  },
});
const cpus = chooseCpus();
/** @type {Map<string, import('./trace.js').Phases[]>} */
const found = new Map();

try {
  await measureAll();
  print();
} finally {
  await cleanUp();
}

async function measureAll() {
  const wanted = values.rivals.split(',');
  const rivals = RIVALS.filter(({ name, missing }) => wanted.includes(name) && !missing());
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    for (const rival of rivals) {
      for (const isAwake of [false, true]) {
        const name = `${rival.name}${isAwake ? ', CPU kept awake' : ''}`;
        found.set(name, [...(found.get(name) ?? []), ...(await measure(rival, isAwake))]);
      }
    }
  }
}

/**
 * @param {import('../peers/rivals/rival.js').Rival} rival
 * @param {boolean} isAwake
 */
async function measure(rival, isAwake) {
  const session = await open(rival, CONFIG, cpus);
  const spinner = isAwake ? start(idlePriority(['sh', '-c', 'while :; do :; done'])) : undefined;
  try {
    await ping(session, WARM_SECONDS);
    const lines = await trace(() => ping(session, Number(values.seconds)));
    return phasesOf(lines, session.running.pids);
  } finally {
    if (spinner !== undefined) await stop(spinner);
    await close(session);
  }
}

/** @param {string[]} argv */
function idlePriority(argv) {
  return ['taskset', '-c', String(cpus.switch), 'chrt', '-i', '0', ...argv];
}

function print() {
  const columns = /** @type {const} */ (['total', 'waking', 'kernel', 'user', 'other']);
  console.log('median us a ping, from the wake-up of the switch to that of the sender');
  console.log(
    ['rival'.padEnd(28), ...columns.map((name) => name.padStart(8)), '   pings'].join(''),
  );
  for (const [name, pings] of found) {
    const cells = columns.map((column) => {
      const median = quantile(
        pings.map((phases) => phases[column]),
        0.5,
      );
      return median.toFixed(1).padStart(8);
    });
    console.log([name.padEnd(28), ...cells, String(pings.length).padStart(8)].join(''));
  }
}
