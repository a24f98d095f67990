/**
 * A lab (test/system/lab.ts) whose switch runs in a namespace of its own,
 * `sw`, so that system ports and veth pairs never touch the host's. Adds what
 * tests of offloads look at: iperf3's result, drops by reason, and the error
 * counters of a receiving kernel.
 */
import { Lab, type Result, run } from '../system/lab.ts';
import { CLI } from '../system/requirements.ts';

export interface Transfer {
  gbitPerSecond: number;
  /** TCP: of segments sent, the share that was sent again. */
  retransmitted: number;
  /** UDP: datagrams sent, and those that the receiver missed. */
  packets: number;
  lost: number;
}

export class OffloadLab extends Lab {
  readonly #environment: string[] = [];

  /** Made by `make`, which has to be called first. */
  async make(...namespaces: string[]): Promise<void> {
    for (const name of ['sw', ...namespaces]) {
      await must('ip', 'netns', 'add', this.ns(name));
      await must('ip', '-n', this.ns(name), 'link', 'set', 'lo', 'up');
    }
  }

  /** Has the switch open this TAP with fewer offloads (fewer-offloads.cjs). Before `up`. */
  limitOffloads(limits: Record<string, number>): void {
    const named = Object.entries(limits).map(([name, bits]) => [this.iface(name), bits]);
    this.#environment.push(`TAPFLOW_TEST_OFFLOADS=${JSON.stringify(Object.fromEntries(named))}`);
    this.#environment.push(`NODE_OPTIONS=--require=${FEWER_OFFLOADS}`);
  }

  /** nsenter, not "ip netns exec": namespaces that the switch makes are then seen by everyone. */
  override tapflow(verb: string, ...args: string[]): Promise<Result> {
    const node = [...this.#environment, process.execPath, CLI, verb, '--state', this.state];
    return run('nsenter', `--net=/run/netns/${this.ns('sw')}`, 'env', ...node, ...args);
  }

  /** A veth pair, one end in the switch's namespace, up, the other up in `ns` with addresses. */
  async veth(end: string, farEnd: string, ns: string, ...addresses: string[]): Promise<void> {
    const near = this.iface(end);
    const far = this.iface(farEnd);
    const peer = ['peer', 'name', far, 'netns', this.ns(ns)];
    await must('ip', '-n', this.ns('sw'), 'link', 'add', near, 'type', 'veth', ...peer);
    for (const address of addresses) {
      await must('ip', '-n', this.ns(ns), 'address', 'add', address, 'dev', far, 'nodad');
    }
    await must('ip', '-n', this.ns('sw'), 'link', 'set', near, 'up');
    await must('ip', '-n', this.ns(ns), 'link', 'set', far, 'up');
  }

  /** Of both ends. */
  async setVethMtu(end: string, ns: string, mtu: number): Promise<void> {
    for (const at of ['sw', ns]) {
      await must('ip', '-n', this.ns(at), 'link', 'set', this.iface(end), 'mtu', String(mtu));
    }
  }

  /** iperf3 for a second (or for -k blocks) between two namespaces. @throws with what it said */
  async iperf(from: string, to: string, address: string, ...options: string[]): Promise<Transfer> {
    const server = await this.serve(to, 'iperf3', '-s', '-1', '--forceflush');
    const time = options.includes('-k') ? [] : ['-t', '1'];
    const args = ['-c', address, ...time, '-J', ...options];
    const { stdout } = await this.inside(from, 'iperf3', ...args);
    server.kill();
    const { end, error } = JSON.parse(stdout);
    if (error !== undefined) throw new Error(`iperf3 ${args.join(' ')}: ${error}`);
    const { sum_sent, sum_received, sum } = end;
    return {
      gbitPerSecond: (sum_received ?? sum).bits_per_second / 1e9,
      retransmitted: ((sum_sent?.retransmits ?? 0) * SEGMENT) / (sum_sent ?? sum).bytes,
      packets: sum?.packets ?? 0,
      lost: sum?.lost_packets ?? 0,
    };
  }

  /** Packets dropped so far, all ports together, of the reasons that offloads can bring about. */
  async drops(): Promise<Record<string, number>> {
    const ports = await this.json<{ drops: Record<string, number> }[]>('ports');
    const total: Record<string, number> = {};
    for (const reason of ['bad_offload', 'mtu', 'bad_action', 'no_buffer']) {
      total[reason] = ports.reduce((sum, { drops }) => sum + (drops[reason] ?? 0), 0);
    }
    return total;
  }

  /** What the kernel of a namespace has refused for a checksum or a header. */
  refused(ns: string): Promise<Record<string, number>> {
    return this.#kernelCounters(ns, REFUSALS);
  }

  /** UDP datagrams that arrived and found their socket's buffer full: its reader was not in time. */
  async overflowed(ns: string): Promise<number> {
    const { UdpRcvbufErrors } = await this.#kernelCounters(ns, ['UdpRcvbufErrors']);
    return UdpRcvbufErrors;
  }

  async #kernelCounters(ns: string, names: string[]): Promise<Record<string, number>> {
    const { stdout } = await this.inside(ns, 'nstat', '-asz', '--json', ...names);
    return JSON.parse(stdout).kernel;
  }
}

export const NO_DROPS = { bad_offload: 0, mtu: 0, bad_action: 0, no_buffer: 0 };

/** Bytes of payload, about. */
const SEGMENT = 1448;

const FEWER_OFFLOADS = new URL('fewer-offloads.cjs', import.meta.url).pathname;

const REFUSALS = [
  'TcpInCsumErrors',
  'UdpInCsumErrors',
  'Udp6InCsumErrors',
  'IcmpInCsumErrors',
  'Icmp6InCsumErrors',
  'IpInHdrErrors',
  'Ip6InHdrErrors',
  'IpExtInCsumErrors',
];
export const NONE_REFUSED = Object.fromEntries(REFUSALS.map((name) => [name, 0]));

async function must(command: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await run(command, ...args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}
