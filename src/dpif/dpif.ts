/**
 * The narrow waist between slow path and datapath.
 *
 * Above it (ofproto/, vswitchd/) nobody knows of workers, shared memory or
 * descriptors; below it (datapath/) nobody knows of OpenFlow, bridges or
 * configuration. Two datapaths stand behind it: the threaded one, and a
 * simulated one that runs the same forwarding code synchronously on the
 * caller's thread, without root, for tests and for the library.
 *
 * Everything here runs on the main thread. Keys, masks and action lists are
 * Int32Arrays laid out as flow/key.ts and dpif/actions.ts say; `in_port` in
 * them is a datapath port number.
 */

/** What kind of device a port is; the names are Open vSwitch's Interface types. */
export type PortType = 'tap' | 'internal' | 'system' | 'dummy';

/** A port to add. Names are at most 15 bytes, as Linux has them. */
export interface PortSpec {
  name: string;
  type: PortType;
  /** "xx:xx:xx:xx:xx:xx"; the device's own where absent. */
  mac?: string;
  /** Bytes of the largest L3 packet; the device's own where absent. */
  mtu?: number;
  /** Network namespace (a name below /run/netns) the far end of a tap is moved to. */
  netns?: string;
  /** Addresses "10.0.0.1/24" to give to the far end. */
  addresses?: readonly string[];
}

export interface PortInfo {
  /** Datapath port number, 1 to MAX_PORTS - 1. */
  portNo: number;
  spec: PortSpec;
  mac: string;
  mtu: number;
  /** 0 for a dummy, and for a port whose device is gone, even if another has its name now. */
  ifindex: number;
  /** As the kernel has it now. */
  adminUp: boolean;
  linkUp: boolean;
  /** Sentences a user should see, from when it was opened. */
  warnings?: readonly string[];
}

/** Packets and bytes as seen by the switch; a super-frame counts as one packet. */
export interface PortStats {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
  /** By reason, indexed by DROP_*. */
  drops: number[];
}

/** A number that names an installed megaflow until its retirement is reported. */
export type FlowRef = number;

export interface FlowStats {
  packets: number;
  bytes: number;
  /** Milliseconds of the datapath's clock; 0 if never used. */
  used: number;
  /** TCP flags seen, ORed. */
  tcpFlags: number;
}

/** Why a frame came up. */
export const UPCALL_MISS = 1;
/** A USERSPACE action with this reason: `controller(...)`. */
export const UPCALL_CONTROLLER = 2;
/** A USERSPACE action that has the slow path translate each packet anew. */
export const UPCALL_SLOW_PATH = 3;

/**
 * One frame that needs the slow path. The object is reused: whatever outlives
 * the handler's call must be copied.
 */
export interface Upcall {
  reason: number;
  /** The USERSPACE action's cookie; 0 on a miss. */
  cookie: number;
  portNo: number;
  /** KEY_WORDS words. */
  key: Int32Array;
  /** The frame from its Ethernet header on, in place; valid during the call. */
  frame(): Uint8Array;
  /** Bytes of the frame from its Ethernet header on. */
  frameSize: number;
  /**
   * Executes these action words on the frame. At most once a call; an upcall
   * that is not answered is dropped and counted as DROP_TRANSLATE. Only for
   * misses and slow-path upcalls.
   */
  execute(actions: Int32Array, length: number): void;
  /** The frame is dropped, for this reason (DROP_*). */
  drop(reason: number): void;
}

export type UpcallHandler = (upcall: Upcall) => void;

/** Counters of one worker's caches, in packets. */
export interface CacheStats {
  worker: number;
  packets: number;
  microflowHits: number;
  megaflowHits: number;
  /** Sum over megaflow lookups of the subtables tried. */
  subtablesTried: number;
  misses: number;
  lostUpcalls: number;
  /** Native calls made, and those that slept. */
  turns: number;
  sleeps: number;
}

export interface MaskStats {
  /** KEY_WORDS words. */
  mask: Int32Array;
  flows: number;
  hits: number;
  /** Whether workers run a function generated for it. */
  compiled: boolean;
}

/** What happened below that somebody above may want to know or log. */
export type DpifEvent =
  | { kind: 'worker-died'; worker: number; reason: string }
  | { kind: 'worker-restarted'; worker: number }
  | { kind: 'port-failed'; portNo: number; reason: string };

export interface Dpif {
  /** Opens the device and starts to forward from it. @throws TapflowError */
  portAdd(spec: PortSpec): PortInfo;
  /**
   * Stops using the port at once; its device is closed when no worker can be in it, at the latest
   * when `quiesce` resolves: a port of its name may be added from then on.
   */
  portDel(portNo: number): void;
  /** Changes what can be changed in place. @throws TapflowError */
  portSet(portNo: number, change: { mac?: string; mtu?: number; up?: boolean }): PortInfo;
  portInfo(portNo: number): PortInfo | undefined;
  ports(): PortInfo[];
  portStats(portNo: number): PortStats;

  /**
   * Installs a megaflow, or replaces the actions of the one with the same
   * masked key and mask. It becomes visible to workers only after the frames
   * answered so far have been executed.
   *
   * @param key KEY_WORDS words; bits outside the mask are ignored
   * @returns undefined when the flow table is full
   */
  flowPut(key: Int32Array, mask: Int32Array, actions: Int32Array): FlowRef | undefined;
  /** Removes a megaflow. Its last statistics come to `onRetired`. */
  flowDel(flow: FlowRef): void;
  /** Adds nothing, allocates nothing: writes the flow's totals into `out`. */
  flowStats(flow: FlowRef, out: FlowStats): void;
  /** Masked key, mask and actions; copies. */
  flowGet(flow: FlowRef): { key: Int32Array; mask: Int32Array; actions: Int32Array } | undefined;
  /** Every installed flow, in no order. Flows may be put and deleted during the walk. */
  flows(): IterableIterator<FlowRef>;
  flowCount(): number;
  /** Final statistics of a deleted flow, once no worker can add to them. */
  onRetired(listener: (flow: FlowRef, stats: FlowStats) => void): void;

  /** Sends a frame (from its Ethernet header on) through an action list, as if received on portNo. */
  execute(frame: Uint8Array, portNo: number, actions: Int32Array): void;
  /** A frame as if a device had received it: extract, caches, upcall. For dummy ports. */
  inject(frame: Uint8Array, portNo: number): void;
  /** Frames that left through dummy ports. The frame is a copy. */
  onTransmit(listener: (portNo: number, frame: Uint8Array) => void): void;

  onUpcall(handler: UpcallHandler): void;
  onEvent(listener: (event: DpifEvent) => void): void;

  cacheStats(): CacheStats[];
  maskStats(): MaskStats[];
  /** Milliseconds; what FlowStats.used is measured in. */
  now(): number;
  /** Resolves once every worker has passed the present moment: all effects of earlier calls are in force. */
  quiesce(): Promise<void>;
  close(): Promise<void>;
}
