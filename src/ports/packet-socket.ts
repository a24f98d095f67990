/**
 * An interface that exists already (a veth, a NIC, QEMU's own TAP), through a
 * packet socket. Its frames carry a virtio-net header like a TAP's.
 *
 * The host's own stack sees the interface's frames as well; that is harmless
 * unless the interface has an address, of which `warnings` tells.
 */
import { release } from 'node:os';
import type { PortSpec } from '../dpif/dpif.ts';
import { TapflowError } from '../lib/error.ts';
import {
  KIND_PACKET,
  type LinkInfo,
  native,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
} from '../native.ts';
import { checkChange } from './check-spec.ts';
import type { Device, DeviceChange } from './device.ts';

/**
 * @param spec checked by the caller (checkSpec)
 * @throws TapflowError; ENODEV when there is no such interface
 */
export function openPacketDevice(spec: PortSpec): Device {
  const fd = openSocket(spec.name);
  try {
    const device = new PacketDevice(spec.name, fd, addressWarnings(spec.name));
    device.set({ mac: spec.mac, mtu: spec.mtu });
    return device;
  } catch (error) {
    native().closeFd(fd);
    throw error;
  }
}

class PacketDevice implements Device {
  readonly kind = KIND_PACKET;
  readonly name: string;
  readonly fds: { tx: number; rx: number[] };
  readonly offloads: number = softwareOffloads(release());
  readonly warnings: readonly string[];

  constructor(name: string, fd: number, warnings: readonly string[]) {
    this.name = name;
    this.fds = { tx: fd, rx: [fd] };
    this.warnings = warnings;
  }

  info(): LinkInfo {
    return native().linkInfo(this.name);
  }

  set(change: DeviceChange): void {
    checkChange(this.name, change);
    if (change.mac !== undefined) native().setLinkMac(this.name, change.mac);
    if (change.mtu !== undefined) native().setLinkMtu(this.name, change.mtu);
    if (change.up !== undefined) native().setLinkUp(this.name, change.up);
  }

  close(): void {
    for (const fd of this.fds.rx.splice(0)) native().closeFd(fd);
    this.fds.tx = -1;
  }
}

/**
 * What the kernel does in software when the interface cannot: everything its
 * virtio-net header can ask for. UDP segmentation came with Linux 6.2.
 */
function softwareOffloads(kernel: string): number {
  const [major, minor] = kernel.split('.').map(Number);
  const hasUso = major > 6 || (major === 6 && minor >= 2);
  return OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | (hasUso ? OFFLOAD_USO : 0);
}

function addressWarnings(name: string): string[] {
  const addresses = native().linkAddresses(name);
  if (addresses.length === 0) return [];
  return [
    `interface ${name} has the address ${addresses.join(', ')}: the host's own stack answers its frames beside the switch; move the address to an internal port`,
  ];
}

function openSocket(name: string): number {
  try {
    return native().openPacket(name).fd;
  } catch (cause) {
    if (!(cause instanceof TapflowError)) throw cause;
    const hint = HINTS[cause.code] ?? cause.message;
    throw new TapflowError(cause.code, `port ${name}: ${hint}`, { cause });
  }
}

const HINTS: Record<string, string> = {
  ENODEV: 'there is no such interface: make it first, or use type tap',
  EPERM: 'packet sockets need root or CAP_NET_RAW',
};
