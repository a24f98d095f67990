/**
 * The ports that are open: an interface of the configuration, the datapath's
 * device for it, and its OpenFlow port on a bridge, opened and closed together.
 */
import type { InterfaceConfig, PortConfig } from '../config/value.ts';
import type { Dpif, PortInfo, PortType } from '../dpif/dpif.ts';
import type { Bridge } from '../ofproto/api.ts';
import type { Namespaces } from './namespaces.ts';
import { datapathPort, onlyInterface, vlanSettings, wantedOfport } from './port-specs.ts';

export interface SwitchPort {
  bridge: string;
  /** Interface name. */
  name: string;
  type: PortType;
  /** OpenFlow port number on its bridge. */
  ofport: number;
  /** Datapath port number. */
  portNo: number;
  /** Of its device when it was opened. */
  ifindex: number;
  /** The datapath reported that it cannot use the device any more. */
  failed: boolean;
}

/** The OpenFlow port number that an interface had before, if any: it gets it again if that is free. */
export type PreviousOfport = (iface: string) => number | undefined;

export class SwitchPorts {
  readonly #dpif: Dpif;
  readonly #namespaces: Namespaces;
  readonly #previousOfport: PreviousOfport;
  readonly #open = new Map<string, SwitchPort>();
  /** Names of devices that may not be closed yet. */
  readonly #closing = new Set<string>();

  constructor(dpif: Dpif, namespaces: Namespaces, previousOfport: PreviousOfport) {
    this.#dpif = dpif;
    this.#namespaces = namespaces;
    this.#previousOfport = previousOfport;
  }

  /** In the order in which they were opened. */
  all(): SwitchPort[] {
    return [...this.#open.values()];
  }

  get(name: string): SwitchPort | undefined {
    return this.#open.get(name);
  }

  byPortNo(portNo: number): SwitchPort | undefined {
    return this.all().find((port) => port.portNo === portNo);
  }

  markFailed(portNo: number): void {
    const port = this.byPortNo(portNo);
    if (port !== undefined) port.failed = true;
  }

  /** Those whose device was reported to be of no use any more. */
  failed(): SwitchPort[] {
    return this.all().filter((port) => port.failed);
  }

  /** Marks those whose device is gone while nobody read it. */
  markGone(): void {
    for (const port of this.#open.values()) {
      const ifindex = this.#dpif.portInfo(port.portNo)?.ifindex ?? 0;
      if (ifindex === 0 && port.ifindex !== 0) port.failed = true;
    }
  }

  /** The interface's name, or the number where there is none. */
  nameOf(bridge: string, ofport: number): string {
    const found = this.all().find((port) => port.bridge === bridge && port.ofport === ofport);
    return found?.name ?? String(ofport);
  }

  /** @throws TapflowError; nothing is open then */
  async open(bridge: Bridge, port: PortConfig): Promise<void> {
    const iface = onlyInterface(port);
    if (this.#closing.has(iface.name)) await this.closed();
    if (iface.netns !== undefined) await this.#namespaces.ensure(iface.netns);
    const info = this.#dpif.portAdd(datapathPort(iface));
    try {
      this.#attach(bridge, port, iface, info);
    } catch (error) {
      this.#dpif.portDel(info.portNo);
      throw error;
    }
  }

  /** @param name the interface's */
  close(bridge: Bridge, name: string): void {
    const open = this.#open.get(name);
    if (open === undefined) return;
    this.#open.delete(open.name);
    bridge.removePort(open.ofport);
    this.#closing.add(open.name);
    this.#dpif.portDel(open.portNo);
  }

  /** Resolves when the devices of ports that are closed are gone. */
  async closed(): Promise<void> {
    if (this.#closing.size === 0) return;
    await this.#dpif.quiesce();
    this.#closing.clear();
  }

  /** Changes what can be changed in place; the rest is closed and opened anew. */
  async change(bridge: Bridge, from: PortConfig, to: PortConfig): Promise<void> {
    const open = this.#open.get(onlyInterface(to).name);
    const old = onlyInterface(from);
    const { mac, mtuRequest } = onlyInterface(to);
    if (open === undefined || isOtherDevice(old, onlyInterface(to))) {
      return this.#reopen(bridge, from, to);
    }
    if (mac !== old.mac || mtuRequest !== old.mtuRequest) {
      this.#dpif.portSet(open.portNo, { mac, mtu: mtuRequest });
    }
    bridge.setPort(open.ofport, vlanSettings(to));
  }

  /** A device cannot be opened twice, so the old one goes first; it comes back if the new one does not open. */
  async #reopen(bridge: Bridge, from: PortConfig, to: PortConfig): Promise<void> {
    this.close(bridge, onlyInterface(from).name);
    try {
      await this.open(bridge, to);
    } catch (error) {
      await this.open(bridge, from).catch(() => undefined);
      throw error;
    }
  }

  #attach(bridge: Bridge, port: PortConfig, iface: InterfaceConfig, info: PortInfo): void {
    const { portNo, ifindex } = info;
    const ofport = bridge.addPort({
      name: iface.name,
      portNo,
      ofport: wantedOfport(bridge.name, iface) ?? this.#previousOfport(iface.name),
      ...vlanSettings(port),
    });
    this.#open.set(iface.name, {
      bridge: bridge.name,
      name: iface.name,
      type: iface.type,
      ofport,
      portNo,
      ifindex,
      failed: false,
    });
  }
}

/** Whether going from one to the other takes another device, or another place for it. */
function isOtherDevice(from: InterfaceConfig, to: InterfaceConfig): boolean {
  const place = ({ name, type, netns, addresses, options, ofportRequest }: InterfaceConfig) =>
    JSON.stringify([name, type, netns, addresses, options, ofportRequest]);
  // A device's own MAC or MTU is not remembered, so it comes back with a fresh device only.
  const forgets =
    (from.mac !== undefined && to.mac === undefined) ||
    (from.mtuRequest !== undefined && to.mtuRequest === undefined);
  return forgets || place(from) !== place(to);
}
