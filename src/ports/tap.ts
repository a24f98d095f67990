/**
 * TAP devices: the switch holds the descriptor, the kernel's network device is
 * the far end. Type 'internal' leaves the far end in the switch's own
 * namespace; 'tap' can put it into another, with its addresses. Where users take it
 * later, the switch goes on to hold its descriptor.
 *
 * The device vanishes with its descriptors, so a switch that is killed leaves
 * nothing behind. When the far end's namespace is deleted, the kernel deletes
 * the device under us: reads then fail with EBADFD, which ioTurn reports.
 */
import type { PortSpec } from '../dpif/dpif.ts';
import { TapflowError } from '../lib/error.ts';
import {
  KIND_TAP,
  type LinkInfo,
  native,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
} from '../native.ts';
import { checkChange } from './check-spec.ts';
import type { Device, DeviceChange } from './device.ts';
import { openNetns } from './netns.ts';

const ALL_OFFLOADS = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO;
/** The usual length for Ethernet; TAP's own default of 500 is less than two of our bursts. */
const TX_QUEUE_LENGTH = 1000;

/**
 * @param spec checked by the caller (checkSpec)
 * @param queues receive queues; one for each worker that is to read the port
 * @throws TapflowError; nothing is left behind then
 */
export function openTapDevice(spec: PortSpec, queues: number): Device {
  const { rx, offloads } = openQueues(spec.name, queues);
  try {
    native().setLinkTxQueueLen(spec.name, TX_QUEUE_LENGTH);
    settle(spec);
  } catch (error) {
    closeAll(rx);
    throw explain(spec.name, error, SETTLE_HINTS);
  }
  return new TapDevice(spec, rx, offloads);
}

class TapDevice implements Device {
  readonly kind = KIND_TAP;
  readonly warnings: readonly string[] = [];
  readonly name: string;
  readonly fds: { tx: number; rx: number[] };
  readonly offloads: number;

  constructor(spec: PortSpec, rx: number[], offloads: number) {
    this.name = spec.name;
    this.fds = { tx: rx[0], rx };
    this.offloads = offloads;
  }

  /** Wherever it is: users rename the device and move it between namespaces. */
  info(): LinkInfo {
    if (this.fds.tx < 0) throw gone(this.name);
    try {
      return native().tapInfo(this.fds.tx);
    } catch (cause) {
      throw (cause as TapflowError).code === 'EBADFD' ? gone(this.name, cause) : cause;
    }
  }

  set(change: DeviceChange): void {
    checkChange(this.name, change);
    const { name } = native().tapInfo(this.fds.tx);
    withNetns(native().tapNetns(this.fds.tx), (fd) => native().configureInNetns(fd, name, change));
  }

  close(): void {
    closeAll(this.fds.rx.splice(0));
    this.fds.tx = -1;
  }

  async closeLater(): Promise<void> {
    this.fds.tx = -1;
    await Promise.all(this.fds.rx.splice(0).map((fd) => native().closeFdLater(fd)));
  }
}

/** The kernel deleted it, or it is closed. */
function gone(name: string, cause?: unknown): TapflowError {
  return new TapflowError('ENODEV', `port ${name}: the device is gone (ENODEV)`, { cause });
}

/** All queues open before the device moves away: by name it is found here only. */
function openQueues(name: string, queues: number): { rx: number[]; offloads: number } {
  const rx: number[] = [];
  let offloads = ALL_OFFLOADS;
  try {
    while (rx.length < queues) {
      const tap = native().openTap({ name, multiQueue: queues > 1, offloads: ALL_OFFLOADS });
      rx.push(tap.fd);
      offloads &= tap.offloads;
    }
  } catch (error) {
    closeAll(rx);
    throw explain(name, error, OPEN_HINTS);
  }
  return { rx, offloads };
}

/** Moves the far end to where it belongs, and sets it up. */
function settle(spec: PortSpec): void {
  const { name, mac, mtu, addresses, netns } = spec;
  inNetns(netns, (fd) => {
    if (netns !== undefined) native().moveLink(name, fd);
    native().configureInNetns(fd, name, {
      up: true,
      mac,
      mtu,
      addresses: addresses && [...addresses],
    });
  });
}

function inNetns<T>(netns: string | undefined, action: (fd: number) => T): T {
  return withNetns(openNetns(netns), action);
}

/** @param fd closed in the end */
function withNetns<T>(fd: number, action: (fd: number) => T): T {
  try {
    return action(fd);
  } finally {
    native().closeFd(fd);
  }
}

function closeAll(fds: readonly number[]): void {
  for (const fd of fds) native().closeFd(fd);
}

const OPEN_HINTS: Record<string, string> = {
  EBUSY: 'a device of this name is in use by another process: choose another name or stop that one',
  EINVAL: 'a device of this name exists and is no TAP of this kind: choose another name',
  EPERM: 'this needs root or CAP_NET_ADMIN',
  EACCES: 'this needs root or CAP_NET_ADMIN',
  ENOENT: '/dev/net/tun is missing: load the module with "modprobe tun"',
};

const SETTLE_HINTS: Record<string, string> = {
  EEXIST: 'the namespace has a device of this name already: choose another name',
  EINVAL: 'the kernel refuses the MTU (a TAP takes 65521 at most), the MAC or an address',
  EPERM: 'this needs root or CAP_NET_ADMIN',
  EACCES: 'IPv6 is switched off there: leave IPv6 addresses out, or set disable_ipv6 to 0',
};

/** Adds what to do; an error that already says so passes. */
function explain(name: string, error: unknown, hints: Record<string, string>): unknown {
  if (error instanceof RangeError) {
    return new TapflowError('BAD_PORT', `port ${name}: ${error.message}`, { cause: error });
  }
  if (!(error instanceof TapflowError) || hints[error.code] === undefined) return error;
  const message = `port ${name}: ${error.message}: ${hints[error.code]}`;
  return new TapflowError(error.code, message, { cause: error });
}
