/**
 * A device: what stands behind a port. It is opened on the main thread, which
 * owns its descriptors; workers read and write them with `ioTurn`.
 *
 * tap.ts, packet-socket.ts and dummy.ts make devices, open.ts picks by type.
 * A device without descriptors (a dummy) has frames put in and taken out by
 * the datapath itself.
 */
import type { LinkInfo } from '../native.ts';

/** What can be changed on an open device. */
export interface DeviceChange {
  mac?: string;
  mtu?: number;
  up?: boolean;
}

export interface Device {
  /** The kernel's name for it. */
  readonly name: string;
  /** KIND_TAP or KIND_PACKET (native.ts); KIND_NONE has no descriptors. */
  readonly kind: number;
  /** Owned by the device. tx: -1 if none; rx: one for each receive queue. */
  readonly fds: { readonly tx: number; readonly rx: readonly number[] };
  /** OFFLOAD_* bits (native.ts) that frames written to it may need. */
  readonly offloads: number;
  /** Sentences a user should see. */
  readonly warnings: readonly string[];
  /** As the kernel has it now. @throws TapflowError ENODEV when the device is gone */
  info(): LinkInfo;
  /** @throws TapflowError; nothing is changed then, or only what comes before in mac, mtu, up */
  set(change: DeviceChange): void;
  /** Closes the descriptors: only when no worker can be in them. Idempotent. */
  close(): void;
  /** The same without holding this thread, where it would be for long. */
  closeLater?(): Promise<void>;
}

export const KIND_NONE = 0;
