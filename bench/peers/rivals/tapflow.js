/**
 * tapflow, started as its user starts it: `tapflow up FILE`, with a topology
 * file that names namespaces and addresses. Two rivals: the io_uring backend
 * and the plain one.
 *
 * The command stays in the foreground as the daemon's parent, so stopping it
 * stops both. The process that forwards is the daemon.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, stop, waitFor } from '../processes.js';
import { fiveTupleFlows } from './five-tuple.js';
import { FLOW_LIMIT, MAX_IDLE_MS, startPinned } from './rival.js';

const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** @type {import('./rival.js').Rival} */
export const tapflow = rival('tapflow', 'tapflow', 'io_uring');
/** @type {import('./rival.js').Rival} */
export const tapflowPlain = rival('tapflow-plain', 'tapflow, plain backend', 'plain');

/**
 * @param {string} name
 * @param {string} title
 * @param {string} backend
 * @returns {import('./rival.js').Rival}
 */
function rival(name, title, backend) {
  return {
    name,
    title,
    missing: () => (existsSync(CLI) ? undefined : `${CLI} is not built: npm run build`),
    supports: () => true,
    start: (stage) => startSwitch(stage, backend),
  };
}

/**
 * @param {import('./rival.js').Stage} stage
 * @param {string} backend
 * @returns {Promise<import('./rival.js').Running>}
 */
async function startSwitch(stage, backend) {
  const { directory, topology, config } = stage;
  const file = join(directory, 'topology.yaml');
  writeFileSync(file, topologyFile(topology, config));
  const state = ['--state', directory];
  const how = ['--workers', String(config.workers), '--backend', backend, '--json'];
  const program = startPinned(stage, [process.execPath, CLI, 'up', file, ...state, ...how]);
  await waitFor('tapflow up', () => program.output().includes('}'), { program, timeoutMs: 60_000 });
  const { errors } = JSON.parse(program.output());
  if (errors.length > 0) throw new Error(`tapflow up: ${JSON.stringify(errors)}`);
  await topology.configure();
  const ask = async (/** @type {string} */ verb) =>
    JSON.parse(await run([process.execPath, CLI, verb, ...state, '--json']));
  return {
    pids: [daemonPid(directory)],
    stop: () => stop(program),
    drops: async () => totalDrops(await ask('ports')),
    caches: async () => levels(await ask('cache')),
  };
}

/**
 * JSON, which is YAML. The switch moves the devices to their namespaces itself.
 * @param {import('../topology.js').Topology} topology
 * @param {import('./rival.js').SwitchConfig} config
 */
function topologyFile({ ports, mtu }, { rules }) {
  const taps = ports.map(({ name, netns, mac, address }) => {
    const far = { netns, addresses: [`${address}/24`] };
    return { name, type: 'tap', mac, mtu_request: mtu, ...far };
  });
  const flows = rules === 'normal' ? ['priority=0,actions=normal'] : fiveTupleFlows();
  const limits = { 'flow-limit': String(FLOW_LIMIT), 'max-idle': String(MAX_IDLE_MS) };
  return JSON.stringify({ other_config: limits, bridges: [{ name: 'br0', ports: taps, flows }] });
}

/** @param {string} state */
function daemonPid(state) {
  return Number(readFileSync(join(state, 'ovs-vswitchd.pid'), 'utf8'));
}

/** @param {{ microflow_hits: number, megaflow_hits: number, misses: number }} cache */
function levels({ microflow_hits, megaflow_hits, misses }) {
  return { microflow: microflow_hits, megaflow: megaflow_hits, miss: misses };
}

/** @param {{ drops: Record<string, number> }[]} ports */
function totalDrops(ports) {
  return ports.flatMap(({ drops }) => Object.values(drops)).reduce((a, b) => a + b, 0);
}
