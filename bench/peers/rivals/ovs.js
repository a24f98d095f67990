/**
 * Stock Open vSwitch, userspace datapath, TAP ports: its own ovsdb-server and
 * ovs-vswitchd, with all their files in the session's directory, so that a
 * switch which the machine may already run stays untouched.
 *
 * It runs in the sending host's namespace, where that host's TAP then stays: of
 * a TAP that was moved it cannot read the MTU, and would cut what it reads from
 * it to 1500 bytes. What the other host sends is acknowledgements, which fit.
 *
 * Two rivals: `userspace-tso-enable` false, its default, and true.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, start, stop, waitFor } from '../processes.js';
import { fiveTupleFlows } from './five-tuple.js';
import { FLOW_LIMIT, firstMissing, MAX_IDLE_MS, startPinned, waitForDevices } from './rival.js';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const PROGRAMS = [
  'ovsdb-tool',
  'ovsdb-server',
  'ovs-vswitchd',
  'ovs-vsctl',
  'ovs-ofctl',
  'ovs-appctl',
];
/** dpif-netdev/pmd-stats-show, to the words of tapflow's levels. */
const LEVELS = {
  microflow: /emc hits: (\d+)/,
  smc: /smc hits: (\d+)/,
  megaflow: /megaflow hits: (\d+)/,
  miss: /miss with success upcall: (\d+)/,
  lost: /miss with failed upcall: (\d+)/,
};

/** @type {import('./rival.js').Rival} */
export const ovs = rival('ovs', 'Open vSwitch', false);
/** @type {import('./rival.js').Rival} */
export const ovsTso = rival('ovs-tso', 'Open vSwitch, userspace TSO', true);

/**
 * @param {string} name
 * @param {string} title
 * @param {boolean} tso
 * @returns {import('./rival.js').Rival}
 */
function rival(name, title, tso) {
  return {
    name,
    title,
    missing: () => firstMissing(PROGRAMS),
    supports: () => true,
    start: (stage) => startSwitch(stage, tso),
  };
}

/**
 * @param {import('./rival.js').Stage} stage
 * @param {boolean} tso
 * @returns {Promise<import('./rival.js').Running>}
 */
async function startSwitch(stage, tso) {
  const { directory: d, topology, config } = stage;
  const home = topology.ports[0].netns;
  const env = { OVS_RUNDIR: d, OVS_DBDIR: d, OVS_LOGDIR: d };
  const quiet = ['--no-chdir', '-vconsole:off', `--log-file=${d}/log`];
  const tool = (/** @type {string[]} */ ...argv) => run(argv, { env });
  const vsctl = (/** @type {string[]} */ ...words) =>
    tool('ovs-vsctl', '--timeout=20', `--db=unix:${d}/db`, ...words);

  await tool('ovsdb-tool', 'create', `${d}/conf.db`, SCHEMA);
  const database = start(['ovsdb-server', `${d}/conf.db`, `--remote=punix:${d}/db`, ...quiet], {
    env,
  });
  await waitFor('ovsdb-server', () => reached(() => vsctl('--no-wait', 'init')), {
    program: database,
  });
  await vsctl('--no-wait', 'set', 'Open_vSwitch', '.', ...settings(tso));
  const argv = ['ovs-vswitchd', `unix:${d}/db`, '--disable-system', ...quiet];
  const daemon = startPinned(stage, argv, { env, netns: home });
  await vsctl(...addPorts(topology));
  if (config.rules === 'five-tuple') await addFlows(d, tool);
  await waitForDevices(stage, daemon, home);
  await topology.attach(home);

  const appctl = (/** @type {string[]} */ ...words) =>
    tool('ovs-appctl', '-t', join(d, `ovs-vswitchd.${daemon.pid}.ctl`), ...words);
  return {
    pids: [daemon.pid],
    async stop() {
      await stop(daemon);
      await stop(database);
    },
    drops: async () => Number(/lost:(\d+)/.exec(await appctl('dpctl/show'))?.[1]),
    caches: async () => parseCaches(await appctl('dpif-netdev/pmd-stats-show')),
  };
}

/** @param {boolean} tso */
function settings(tso) {
  return [
    `other_config:userspace-tso-enable=${tso}`,
    `other_config:flow-limit=${FLOW_LIMIT}`,
    `other_config:max-idle=${MAX_IDLE_MS}`,
  ];
}

/** @param {import('../topology.js').Topology} topology */
function addPorts({ ports, mtu }) {
  const bridge = ['add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev'];
  const taps = ports.flatMap(({ name }) => {
    const settings = ['type=tap', `mtu_request=${mtu}`];
    return ['--', 'add-port', 'br0', name, '--', 'set', 'interface', name, ...settings];
  });
  return [...bridge, ...taps];
}

/**
 * @param {string} directory
 * @param {(...argv: string[]) => Promise<string>} tool
 */
async function addFlows(directory, tool) {
  const file = join(directory, 'flows');
  writeFileSync(file, fiveTupleFlows().join('\n'));
  await tool('ovs-ofctl', 'add-flows', `unix:${directory}/br0.mgmt`, file);
}

/** @param {string} text */
function parseCaches(text) {
  const levels = Object.entries(LEVELS);
  return Object.fromEntries(levels.map(([name, re]) => [name, Number(re.exec(text)?.[1] ?? 0)]));
}

/** @param {() => Promise<unknown>} attempt */
async function reached(attempt) {
  return attempt().then(
    () => true,
    () => false,
  );
}
