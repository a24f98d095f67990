/**
 * tapflow as a library: a switch inside your program.
 *
 *   const sw = await createSwitch({ config: 'bridges: [{name: br0, ports: [{name: p1}, {name: p2}]}]' });
 *   sw.on('transmit', (port, frame) => console.log(port, frame.length));
 *   sw.inject('p1', frame);
 *
 * By default its datapath is simulated: dummy ports, no root, no addon, and a
 * clock that moves only when told to, so that flows can be tested like any
 * other code. It runs the caches and actions of the real one. With
 * `datapath: 'threaded'` it forwards between real devices.
 *
 * Errors are TapflowErrors with a `code`, except for misuse (TypeError,
 * RangeError). A call that throws has changed nothing.
 */
import { EventEmitter } from 'node:events';
import { SimulatedDatapath } from './datapath/simulated.ts';
import { openThreadedDatapath } from './datapath/threaded.ts';
import type { CacheStats, Dpif, PortStats } from './dpif/dpif.ts';
import { type Clock, ManualClock, systemClock } from './lib/clock.ts';
import { TapflowError } from './lib/error.ts';
import type { Bridge, FlowStatsEntry, MacEntry, PacketIn } from './ofproto/api.ts';
import { createSlowPath } from './ofproto/slow-path.ts';
import { namedDrops } from './vswitchd/named-drops.ts';
import { kernelNamespaces, noNamespaces } from './vswitchd/namespaces.ts';
import { type ApplyReport, type ItemError, Switch } from './vswitchd/switch.ts';
import type { SwitchPort } from './vswitchd/switch-ports.ts';
import { readTopology } from './vswitchd/topology.ts';

export { type Clock, ManualClock, systemClock } from './lib/clock.ts';
export { TapflowError } from './lib/error.ts';
export type { FlowStatsEntry, MacEntry, PacketIn } from './ofproto/api.ts';
export type { ApplyReport, ItemError } from './vswitchd/switch.ts';
export { buildFrame, type FrameRecord } from './wire/frame.ts';

/** A topology: the keys of the YAML file, which are Open vSwitch's columns. */
export interface Topology {
  bridges: readonly TopologyBridge[];
}

export interface TopologyBridge {
  name: string;
  /** Whether it forwards like any switch before flows say otherwise: 'standalone', the default, does. */
  fail_mode?: 'standalone' | 'secure';
  other_config?: Readonly<Record<string, string | number | boolean>>;
  ports?: readonly TopologyPort[];
  /** Open vSwitch's flow syntax: `priority=10,in_port=1,actions=drop`. */
  flows?: readonly string[];
}

export interface TopologyPort {
  name: string;
  /** 'dummy' in a simulated datapath. */
  type?: 'tap' | 'internal' | 'system' | 'dummy';
  /** OpenFlow port number; the lowest free one by default. */
  ofport_request?: number;
  /** Access or native VLAN. */
  tag?: number;
  trunks?: readonly number[];
  vlan_mode?: 'access' | 'trunk' | 'native-tagged' | 'native-untagged';
  mac?: string;
  mtu_request?: number;
  /** Namespace that the far end of a tap is put in, made if there is none. */
  netns?: string;
  addresses?: readonly string[];
  other_config?: Readonly<Record<string, string | number | boolean>>;
}

export interface CreateSwitchOptions {
  /** What it starts with: an object, or the text of a YAML file. */
  config?: Topology | string;
  datapath?: 'simulated' | 'threaded';
  /** By default a ManualClock in a simulated switch, else the machine's. */
  clock?: Clock;
  /** Of a threaded datapath: by default the CPUs less one, and what works. */
  workers?: number;
  backend?: 'io_uring' | 'plain';
}

/**
 * @throws TapflowError BAD_CONFIG when a part of `config` could not be set up,
 *   and those of parsing it; nothing is left open then
 */
export async function createSwitch(options: CreateSwitchOptions = {}): Promise<TapflowSwitch> {
  const { config, datapath = 'simulated' } = options;
  const clock = options.clock ?? (datapath === 'simulated' ? new ManualClock() : systemClock);
  const created = new TapflowSwitch(await openDatapath(options, clock), clock);
  if (config === undefined) return created;
  try {
    requireAll(await created.apply(config));
    return created;
  } catch (error) {
    await created.close();
    throw error;
  }
}

/** 'transmit': a frame left through a dummy port. 'packet-in': a `controller` action. */
export interface SwitchEvents {
  transmit: [port: string, frame: Uint8Array];
  'packet-in': [packet: PacketIn];
}

export interface SwitchStats {
  /** By port name; `drops` by reason, those that never happened left out. */
  ports: Record<string, Omit<PortStats, 'drops'> & { drops: Record<string, number> }>;
  caches: CacheStats[];
  megaflows: number;
}

export class TapflowSwitch extends EventEmitter<SwitchEvents> {
  readonly #switch: Switch;
  readonly #clock: Clock;
  /** Bridges whose packet-ins are passed on already. */
  readonly #heard = new WeakSet<Bridge>();

  /** @internal use createSwitch */
  constructor(dpif: Dpif, clock: Clock) {
    super();
    this.#clock = clock;
    const slowPath = createSlowPath({ dpif, clock });
    const namespaces =
      dpif instanceof SimulatedDatapath ? noNamespaces : kernelNamespaces(undefined);
    this.#switch = new Switch({ dpif, slowPath, namespaces });
    dpif.onTransmit((portNo, frame) => {
      const port = this.#switch.ports.byPortNo(portNo);
      if (port !== undefined) this.emit('transmit', port.name, frame);
    });
  }

  /**
   * Goes over to another configuration: what differs is changed, the rest is
   * not touched. What could not be done is in the report's errors.
   *
   * @throws TapflowError when the text or object itself is wrong; nothing has changed then
   */
  async apply(config: Topology | string): Promise<ApplyReport> {
    // JSON is YAML: both forms are checked by the same code.
    const text = typeof config === 'string' ? config : JSON.stringify(config, null, 1);
    const report = await this.#switch.apply(readTopology(text, 'config'));
    for (const bridge of this.#switch.slowPath.bridges()) this.#hear(bridge);
    return report;
  }

  /** @throws TapflowError NO_BRIDGE */
  bridge(name: string): SwitchBridge {
    return new SwitchBridge(this.#switch, this.#switch.bridge(name));
  }

  /**
   * A frame, from its Ethernet header on, as if a dummy port had received it.
   * In a simulated switch everything that it sets off has happened on return.
   */
  inject(port: string, frame: Uint8Array): void {
    this.#switch.dpif.inject(frame, this.#port(port).portNo);
  }

  /** The interfaces that are open, with their OpenFlow port numbers. */
  ports(): { bridge: string; name: string; ofport: number }[] {
    return this.#switch.ports.all().map(({ bridge, name, ofport }) => ({ bridge, name, ofport }));
  }

  /** Of everything that was forwarded up to now. */
  async stats(): Promise<SwitchStats> {
    const { dpif, ports } = this.#switch;
    await dpif.quiesce();
    const statsOf = (port: SwitchPort) => {
      const { drops, ...counters } = dpif.portStats(port.portNo);
      return [port.name, { ...counters, drops: namedDrops(drops) }] as const;
    };
    return {
      ports: Object.fromEntries(ports.all().map(statsOf)),
      caches: dpif.cacheStats(),
      megaflows: dpif.flowCount(),
    };
  }

  /** Brings flows' counters and learned addresses up to date with what was forwarded. */
  revalidate(): Promise<void> {
    return this.#switch.slowPath.revalidate();
  }

  /**
   * Moves the clock: timeouts and ageing happen.
   * @throws TypeError unless the switch's clock is a ManualClock
   */
  async advance(ms: number): Promise<void> {
    if (!(this.#clock instanceof ManualClock)) {
      throw new TypeError('advance() needs a switch whose clock is a ManualClock');
    }
    this.#clock.advance(ms);
    await this.revalidate();
  }

  /** Closes ports and stops workers. */
  close(): Promise<void> {
    return this.#switch.close();
  }

  #port(name: string): SwitchPort {
    const port = this.#switch.ports.get(name);
    if (port !== undefined) return port;
    const names = this.#switch.ports.all().map((one) => one.name);
    throw new TapflowError(
      'NO_PORT',
      `there is no open port "${name}"; there ${names.length === 0 ? 'are none' : `is: ${names.join(', ')}`}`,
    );
  }

  #hear(bridge: Bridge): void {
    if (this.#heard.has(bridge)) return;
    this.#heard.add(bridge);
    bridge.onPacketIn((packet) => this.emit('packet-in', packet));
  }
}

/** A bridge's flows, addresses and traces. */
export class SwitchBridge {
  readonly name: string;
  readonly #switch: Switch;
  readonly #bridge: Bridge;

  /** @internal use TapflowSwitch.bridge */
  constructor(sw: Switch, bridge: Bridge) {
    this.name = bridge.name;
    this.#switch = sw;
    this.#bridge = bridge;
  }

  /** `priority=10,in_port=1,actions=drop`, as `ovs-ofctl add-flow`. @throws TapflowError */
  addFlow(flow: string): void {
    this.#bridge.addFlow(flow);
  }

  /** @returns how many were deleted: those that the match covers, or exactly it if `strict` */
  delFlows(match = '', options: { strict?: boolean } = {}): number {
    return this.#bridge.delFlows(match, options.strict === true);
  }

  /** With counters that are true as of now. */
  async flows(match?: string): Promise<FlowStatsEntry[]> {
    await this.#switch.slowPath.revalidate();
    return this.#bridge.dumpFlows(match);
  }

  /** Learned addresses. */
  macs(): MacEntry[] {
    return this.#bridge.macs();
  }

  /** What would happen to a packet, as `ovs-appctl ofproto/trace` prints it. */
  trace(flow: string, frame?: Uint8Array): string {
    return this.#bridge.trace(flow, frame);
  }

  /** Sends a frame through actions such as `output:2` or `normal`, as if `inPort` (an OpenFlow port) had received it. */
  packetOut(frame: Uint8Array, actions: string, inPort?: number): void {
    this.#bridge.packetOut(frame, actions, inPort);
  }
}

async function openDatapath(options: CreateSwitchOptions, clock: Clock): Promise<Dpif> {
  const { datapath = 'simulated', workers, backend } = options;
  if (datapath === 'simulated') return new SimulatedDatapath({ clock });
  if (datapath === 'threaded') return openThreadedDatapath({ workers, backend });
  throw new TypeError(`datapath: "simulated" or "threaded" was expected, not "${datapath}"`);
}

function requireAll({ errors }: ApplyReport): void {
  if (errors.length === 0) return;
  const text = errors.map(({ item, message }: ItemError) => `${item}: ${message}`).join('; ');
  throw new TapflowError('BAD_CONFIG', text);
}
