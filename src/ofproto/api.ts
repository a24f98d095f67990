/**
 * What the slow path offers to those above it (vswitchd/, the library): bridges
 * over one datapath, their ports, flows, learned addresses and traces.
 *
 * slow-path.ts implements it. Text is Open vSwitch's own flow syntax; errors
 * are TapflowErrors, and a call that throws has changed nothing. All calls are
 * of the main thread.
 */
import type { Dpif } from '../dpif/dpif.ts';
import type { Clock } from '../lib/clock.ts';

export type VlanMode = 'access' | 'trunk' | 'native-tagged' | 'native-untagged';

/**
 * An OpenFlow port of a bridge. Whether its link is up makes no difference: as
 * in Open vSwitch, frames are sent to it all the same, and its device drops them.
 */
export interface BridgePortSpec {
  name: string;
  /** Datapath port number; several bridges never share one. */
  portNo: number;
  /** OpenFlow port number wanted; 65534 is the bridge's own (`LOCAL`). */
  ofport?: number;
  vlanMode: VlanMode;
  /** Access or native VLAN, 0 to 4095. */
  tag?: number;
  /** VLANs carried; absent or empty: all. */
  trunks?: readonly number[];
  /** other_config:priority-tags of the Port table. */
  priorityTags?: 'never' | 'if-nonzero' | 'always';
  /** Whether `flood` and NORMAL's flooding include it. */
  flood: boolean;
}

export interface FlowStatsEntry {
  table: number;
  priority: number;
  cookie: bigint;
  /** Packets and bytes of all traffic forwarded by it, cached flows' included as of the last revalidation. */
  packets: number;
  bytes: number;
  /** Seconds since it was added, and since a packet last matched. */
  duration: number;
  idleAge: number;
  /** As `ovs-ofctl dump-flows` prints it, without the NXST_FLOW header line. */
  text: string;
}

export interface MacEntry {
  ofport: number;
  vlan: number;
  mac: string;
  /** Seconds since last seen; static entries: undefined. */
  age: number | undefined;
}

export interface PacketIn {
  bridge: string;
  /** OpenFlow port. */
  inPort: number;
  table: number;
  cookie: bigint;
  reason: 'action' | 'no_match' | 'invalid_ttl';
  /** Whole size of the frame; `frame` may be shorter (max_len). */
  totalSize: number;
  /** A copy. */
  frame: Uint8Array;
}

export interface Bridge {
  readonly name: string;
  /** @returns the OpenFlow port number assigned (lowest free from 1 if none was asked for or it is taken) */
  addPort(spec: BridgePortSpec): number;
  setPort(
    ofport: number,
    change: Partial<Omit<BridgePortSpec, 'name' | 'portNo' | 'ofport'>>,
  ): void;
  removePort(ofport: number): void;
  portByName(name: string): number | undefined;

  /** 'standalone' has a NORMAL table-miss flow to begin with, as `ovs-vsctl add-br` gives; 'secure' has none. */
  setFailMode(mode: 'standalone' | 'secure'): void;
  /** Seconds a learned address lives (default 300), and how many there may be (default 8192). */
  setMacAging(seconds: number): void;
  setMacTableSize(entries: number): void;
  /** other_config:forward-bpdu: whether NORMAL forwards reserved multicast addresses. */
  setForwardBpdu(forward: boolean): void;

  /** `table=0,priority=10,in_port=1,actions=normal`, as `ovs-ofctl add-flow`. */
  addFlow(text: string): void;
  /**
   * Puts these flows in place of all there are: all or none, and visible at once, when it resolves.
   * Works in slices; what is added or changed meanwhile is replaced with the rest.
   */
  replaceFlows(texts: readonly string[]): Promise<void>;
  modFlows(text: string, strict: boolean): number;
  /** @returns how many were deleted */
  delFlows(text: string, strict: boolean): number;
  dumpFlows(matchText?: string): FlowStatsEntry[];

  macs(): MacEntry[];
  flushMacs(): void;

  /** `ofproto/trace`: the flow text, or that plus a frame. */
  trace(flowText: string, frame?: Uint8Array): string;
  onPacketIn(listener: (packet: PacketIn) => void): void;
  /** @param inPort OpenFlow port it claims to come from; undefined: CONTROLLER */
  packetOut(frame: Uint8Array, actionsText: string, inPort?: number): void;
}

export interface SlowPathStats {
  flows: number;
  flowLimit: number;
  upcalls: number;
  /** Milliseconds the last whole revalidation took, slices only. */
  dumpDuration: number;
}

export interface SlowPath {
  addBridge(name: string): Bridge;
  removeBridge(name: string): void;
  bridge(name: string): Bridge | undefined;
  bridges(): Bridge[];
  /** other_config:flow-limit, 200,000 by default. */
  setFlowLimit(flows: number): void;
  /** other_config:max-idle, milliseconds, 10,000 by default. */
  setMaxIdle(ms: number): void;
  /** other_config:vlan-limit: tags that OpenFlow sees, 1 by default; 0: as many as the datapath does, which is 2. */
  setVlanLimit(vlans: number): void;
  /** `revalidator/wait`: resolves when statistics and flows are up to date. */
  revalidate(): Promise<void>;
  /** `revalidator/purge`: deletes all megaflows. */
  purge(): Promise<void>;
  /** Megaflows as `ovs-appctl dpctl/dump-flows` prints them, one a line. */
  dumpMegaflows(): string[];
  stats(): SlowPathStats;
  close(): void;
}

export interface SlowPathOptions {
  dpif: Dpif;
  clock: Clock;
  /** Errors that belong to no caller: one line each. */
  log?: (line: string) => void;
}
