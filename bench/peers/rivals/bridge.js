/**
 * Linux bridge and veth: what the kernel does without leaving itself.
 *
 * It has no process. A frame crosses it in the context of whoever sent it, so
 * it runs on the generator's CPU and its cost cannot be told from the
 * generator's.
 */
import { ip, shell } from '../topology.js';
import { firstMissing } from './rival.js';

/** @type {import('./rival.js').Rival} */
export const bridge = {
  name: 'bridge',
  title: 'Linux bridge, veth',
  missing: () => firstMissing(['ip']),
  supports: ({ rules }) => rules === 'normal',
  async start({ topology }) {
    const { switchNs, ports, mtu } = topology;
    const cables = ports.flatMap(({ name }) => [
      `link add s-${name} mtu ${mtu} type veth peer name ${name} mtu ${mtu}`,
      `link set s-${name} master br0 up`,
    ]);
    await ip(switchNs, 'link add br0 type bridge mcast_snooping 0', ...cables, 'link set br0 up');
    await keepNetfilterOut(topology);
    await topology.attach();
    return { pids: [], stop: async () => {} };
  },
};

/**
 * With br_netfilter, bridged frames would visit iptables too.
 * @param {import('../topology.js').Topology} topology
 */
async function keepNetfilterOut({ switchNs }) {
  const files = '/proc/sys/net/bridge/bridge-nf-call-*tables';
  await shell(switchNs, `for f in ${files}; do echo 0 > $f; done`);
}
