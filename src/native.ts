/**
 * The door to the addon, and the only file that loads it.
 *
 * The binding has verbs and no logic: it opens devices, moves bursts of frames
 * between descriptors and an arena, and wakes sleepers. Every function checks
 * its arguments; on failure it throws a TapflowError whose `code` is errno's
 * name ('EBUSY') and whose message names the call and the object; a TypeError
 * or RangeError for an argument that no call could take. Descriptors are plain
 * numbers, owned by the thread that opened them: it alone can close them, with
 * `closeFd`, and what it leaves open is closed when it ends.
 *
 * `ioTurn` is the exception in style: it is called once per burst by a worker,
 * takes and returns numbers, and never throws.
 */

import { createRequire } from 'node:module';
import { TapflowError } from './lib/error.ts';

/** Offload bits of a descriptor with a virtio-net header. */
export const OFFLOAD_CSUM = 1;
export const OFFLOAD_TSO4 = 2;
export const OFFLOAD_TSO6 = 4;
export const OFFLOAD_USO = 8;

/** How the I/O engine reads and writes a port's descriptor. */
export const KIND_TAP = 1;
export const KIND_PACKET = 2;

/*
 * The I/O block: an Int32Array of IO_WORDS words shared by a worker and the
 * binding, one a worker. The worker writes TX_* and FREE_* and the port list;
 * `ioTurn` reads them and writes RX_*.
 *
 * A frame in the arena is 10 bytes of virtio-net header followed by the
 * Ethernet frame. Offsets are bytes from the arena's start.
 */
export const IO_MAX_RX = 256;
export const IO_MAX_TX = 1024;
/** Received frames, RX_STRIDE words each: port, offset, size (with the 10 bytes), 0. */
export const RX_STRIDE = 4;
/** Frames to send, TX_STRIDE words each: port, offset, size, offset2, size2 (0: one segment), result. */
export const TX_STRIDE = 6;
/** ioTurn writes the result word: 0, or a positive errno. */
export const TX_RESULT = 5;
/** Words 0..15: see IO_*; then the RX, FREE and TX regions. */
export const IO_RX = 16;
export const IO_FREE = IO_RX + IO_MAX_RX * RX_STRIDE;
export const IO_TX = IO_FREE + IO_MAX_RX;
export const IO_WORDS = IO_TX + IO_MAX_TX * TX_STRIDE;
/** In: slots offered for receiving (offsets where the virtio-net header is to stand, in IO_FREE; used from the start). */
export const IO_FREE_COUNT = 0;
/** In: frames to send. They are written in order. */
export const IO_TX_COUNT = 1;
/** Out: slots used, always the first ones of IO_FREE. A slot whose read found nothing is not used up. */
export const IO_FREE_USED = 2;
/** Out: frames whose TX_RESULT is not 0. */
export const IO_TX_FAILED = 3;
/** Out: 1 if the worker's eventfd was signalled (it has been read). */
export const IO_WOKEN = 4;
/** Out: 1 if the call slept. */
export const IO_SLEPT = 5;
/** In: frames to read at most from one port in this turn. */
export const IO_BUDGET = 6;
/** Out: CLOCK_MONOTONIC in milliseconds, a double in words 10 and 11. */
export const IO_NOW = 10;
/**
 * Out: a port with an error to tell, or -1. ENETDOWN: a packet socket's interface went down or was
 * deleted (which of them, linkInfo tells); it is read again once it is up. Any other: the device is
 * gone, and the port is not read until it is set anew.
 */
export const IO_ERROR_PORT = 7;
/** Out: that port's errno, or 0. One port a turn; others follow in later turns. */
export const IO_ERROR_CODE = 8;
/** Bytes from an offered slot's offset on that a read may fill; a slot that does not fit the arena ends the offer. */
export const IO_SLOT_SIZE = 65536 + 512;

/** An open I/O engine; opaque. */
export type IoHandle = object;

export interface TapOptions {
  /** At most 15 bytes; may contain %d. */
  name: string;
  /** Opens IFF_MULTI_QUEUE; call again with the same name for a further queue. */
  multiQueue?: boolean;
  /** OFFLOAD_* wanted; those the kernel refuses are left out. 0: none. */
  offloads?: number;
  /** Makes the device outlive its descriptors. */
  persist?: boolean;
}

export interface LinkInfo {
  ifindex: number;
  mac: string;
  mtu: number;
  up: boolean;
  running: boolean;
}

/** A link as it is now, or was when it left the namespace. */
export interface LinkEvent extends LinkInfo {
  name: string;
  /** Deleted, or moved to another namespace. */
  gone: boolean;
}

export interface LinkDriver {
  driver: string;
  version: string;
  firmware: string;
  /** Mbit/s; 0, 0xffff or 0xffffffff where it is not known. */
  speed: number;
  /** 0: half, 1: full; else not known. */
  duplex: number;
}

/** What the addon exports; the comments are the contract. */
export interface Binding {
  /** TUNSETIFF with IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, non-blocking, close-on-exec. */
  openTap(options: TapOptions): { fd: number; name: string; offloads: number };
  /** Reads name, flags and features of an already open TAP descriptor (a dup is returned, set non-blocking). */
  adoptTap(fd: number): { fd: number; name: string; multiQueue: boolean; vnetHeader: boolean };
  /** TUNSETQUEUE: a detached queue gets no frames. */
  setTapQueue(fd: number, attached: boolean): void;
  /**
   * AF_PACKET SOCK_RAW on an interface: PACKET_VNET_HDR, PACKET_AUXDATA,
   * PACKET_IGNORE_OUTGOING, PACKET_QDISC_BYPASS off, promiscuous membership,
   * non-blocking; bound before anything can be received from elsewhere.
   */
  openPacket(name: string): { fd: number; ifindex: number };
  closeFd(fd: number): void;
  /** The same in another thread: a TAP's last descriptor takes some 20 ms. Resolves when it is closed. */
  closeFdLater(fd: number): Promise<void>;

  /** By name, in the calling thread's network namespace. */
  linkInfo(name: string): LinkInfo;
  setLinkMac(name: string, mac: string): void;
  setLinkMtu(name: string, mtu: number): void;
  setLinkUp(name: string, up: boolean): void;
  setLinkTxQueueLen(name: string, length: number): void;
  /** Moves the interface to the namespace that an open descriptor names (netlink, IFLA_NET_NS_FD). */
  moveLink(name: string, netnsFd: number): void;
  /** The interface's IPv4 and IPv6 addresses, link-local ones left out. */
  linkAddresses(name: string): string[];
  /**
   * Runs in the namespace of the descriptor, on a thread of its own: renames nothing, sets the
   * link up, MTU and MAC where given, adds addresses ("10.0.0.1/24", "fd00::1/64";
   * without duplicate address detection; one that is there already is no error).
   */
  configureInNetns(
    netnsFd: number,
    name: string,
    settings: { up?: boolean; mtu?: number; mac?: string; addresses?: string[] },
  ): void;
  openNetns(path: string): number;
  /** linkInfo in another namespace, on a thread of its own. */
  linkInfoInNetns(netnsFd: number, name: string): LinkInfo;

  /** An eventfd, non-blocking, close-on-exec. */
  openEvent(): number;
  signalEvent(fd: number): void;
  /** linkInfo of a TAP by its descriptor: whatever it is called now, in whatever namespace. */
  tapInfo(fd: number): LinkInfo & { name: string };
  /** A descriptor of the namespace that a TAP's far end is in. */
  tapNetns(fd: number): number;
  /** What the driver tells about a device in the calling thread's namespace (ethtool). */
  linkDriver(name: string): LinkDriver;

  /**
   * A route socket, non-blocking, that hears of every link of the calling thread's namespace, and of
   * those of namespaces that links were moved to from here.
   */
  openLinkEvents(): number;
  /** @returns some of them; null: some were lost; undefined: there are no more for now */
  readLinkEvents(fd: number): LinkEvent[] | null | undefined;

  /**
   * Calls back on this thread's event loop whenever the eventfd is signalled (uv_poll; the counter is
   * read first), or while a route socket of openLinkEvents has messages.
   */
  watchEvent(fd: number, callback: () => void): object;
  unwatchEvent(watch: object): void;

  /**
   * fcntl write lock on a whole open file.
   * @returns 0, or the process id that holds it; -1 if that has none here (another PID namespace)
   */
  lockFile(fd: number): number;
  /** A datagram socket, non-blocking, that is connected to a unix socket: each write is a message. */
  openDatagram(path: string): number;
  /** The CPUs this process may run on. */
  allowedCpus(): number[];
  /** Pins the calling thread. */
  setAffinity(cpus: number[]): void;

  /** Whether io_uring can read a TAP with RWF_NOWAIT here: probed on a TAP of its own. */
  probeIoUring(): boolean;
  /**
   * @param backend 'io_uring' or 'plain'
   * @param arena the worker's frames
   * @param io IO_WORDS words, on a buffer of its own or shared
   * @param eventFd wakes a sleeping turn
   */
  ioOpen(backend: string, arena: Uint8Array, io: Int32Array, eventFd: number): IoHandle;
  /**
   * Tells the engine how to reach a port, or that it changed.
   * @param txFd for writing
   * @param rxFd for reading by this engine, or -1
   */
  ioSetPort(handle: IoHandle, port: number, kind: number, txFd: number, rxFd: number): void;
  /** The engine forgets the port. When it returns, nothing refers to its descriptors any more. */
  ioDelPort(handle: IoHandle, port: number): void;
  /**
   * Sends all of IO_TX in order, then (so that a slot it has sent from may be
   * offered) receives from ready ports, at most
   * IO_BUDGET a port, IO_FREE_COUNT in all, IO_MAX_RX at most. Ports take
   * turns in being first. Nothing is in flight when it returns.
   *
   * @param timeoutMs if nothing was received: sleep until a port or the
   *   eventfd is ready, at most this long; 0 does not sleep
   * @param notifyFd an eventfd to signal after sending, or -1
   * @returns frames received
   */
  ioTurn(handle: IoHandle, timeoutMs: number, notifyFd: number): number;
  ioClose(handle: IoHandle): void;
}

let loaded: Binding | undefined;

/**
 * Loads the addon at first use, so that what runs on dummy ports needs none.
 * @throws TapflowError with code NO_ADDON when it was not built
 */
export function native(): Binding {
  loaded ??= load();
  return loaded;
}

function load(): Binding {
  const require = createRequire(import.meta.url);
  const root = new URL('..', import.meta.url).pathname;
  try {
    const binding = require('node-gyp-build')(root) as Binding & {
      setErrorClass(errorClass: typeof TapflowError): void;
    };
    binding.setErrorClass(TapflowError);
    return binding;
  } catch (cause) {
    throw new TapflowError(
      'NO_ADDON',
      `the native addon cannot be loaded (${(cause as Error).message}): run npm ci with python3, make and g++ installed`,
      { cause },
    );
  }
}
