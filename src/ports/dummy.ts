/**
 * A device in memory: no descriptors, no kernel, no root. The datapath puts
 * frames in and takes them out; here are only its name and settings.
 */
import type { PortSpec } from '../dpif/dpif.ts';
import type { LinkInfo } from '../native.ts';
import { checkChange } from './check-spec.ts';
import { type Device, type DeviceChange, KIND_NONE } from './device.ts';

const DEFAULT_MTU = 1500;

/** @param spec checked by the caller (checkSpec) */
export function openDummyDevice(spec: PortSpec): Device {
  return new DummyDevice(spec);
}

class DummyDevice implements Device {
  readonly kind = KIND_NONE;
  readonly name: string;
  readonly fds = { tx: -1, rx: [] };
  readonly offloads = 0;
  readonly warnings = [];
  readonly #link: LinkInfo;

  constructor(spec: PortSpec) {
    const { name, mac = addressOf(name), mtu = DEFAULT_MTU } = spec;
    this.name = name;
    this.#link = { ifindex: 0, mac: mac.toLowerCase(), mtu, up: true, running: true };
  }

  info(): LinkInfo {
    return { ...this.#link };
  }

  set(change: DeviceChange): void {
    checkChange(this.name, change);
    const { mac = this.#link.mac, mtu = this.#link.mtu, up = this.#link.up } = change;
    Object.assign(this.#link, { mac: mac.toLowerCase(), mtu, up, running: up });
  }

  close(): void {}
}

/** A locally administered address made from the name: the same in every run (FNV-1a). */
function addressOf(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  const digits = hash.toString(16).padStart(8, '0');
  return `aa:55${digits.replace(/../g, ':$&')}`;
}
