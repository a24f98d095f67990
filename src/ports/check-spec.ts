/**
 * Checks of what users write about a port, before any of it is applied.
 */
import type { PortSpec } from '../dpif/dpif.ts';
import { TapflowError } from '../lib/error.ts';
import type { DeviceChange } from './device.ts';

/** Linux's IFNAMSIZ less the NUL. */
const MAX_NAME_SIZE = 15;
/** IPv4's smallest MTU (RFC 791), and the largest packet that IP can name. */
const MIN_MTU = 68;
const MAX_MTU = 65535;

/** @throws TapflowError BAD_PORT that names the value and what was expected */
export function checkSpec(spec: PortSpec): void {
  checkName(spec.name);
  checkChange(spec.name, spec);
  if (spec.netns !== undefined) checkNetns(spec.name, spec.netns);
}

/** @throws TapflowError BAD_PORT */
export function checkChange(name: string, change: DeviceChange): void {
  if (change.mac !== undefined) checkMac(name, change.mac);
  if (change.mtu !== undefined) checkMtu(name, change.mtu);
}

function checkName(name: string): void {
  const size = Buffer.byteLength(name);
  if (size >= 1 && size <= MAX_NAME_SIZE && !/[/:%\s\0]|^\.\.?$/.test(name)) return;
  throw bad(
    `port name ${JSON.stringify(name)} is no interface name: 1 to ${MAX_NAME_SIZE} bytes without '/', ':', '%' and white space`,
  );
}

function checkMac(name: string, mac: string): void {
  const unicast = /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(mac) && !/^[0:]+$/.test(mac);
  if (unicast) return;
  throw bad(
    `port ${name}: mac ${JSON.stringify(mac)} is no unicast address such as 02:00:00:00:00:01`,
  );
}

function checkMtu(name: string, mtu: number): void {
  if (Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU) return;
  throw bad(`port ${name}: mtu ${mtu} is not between ${MIN_MTU} and ${MAX_MTU}`);
}

function checkNetns(name: string, netns: string): void {
  if (/^[^/\s\0]{1,255}$/.test(netns) && netns !== '.' && netns !== '..') return;
  throw bad(
    `port ${name}: netns ${JSON.stringify(netns)} is no namespace name: give a name that 'ip netns list' shows`,
  );
}

const bad = (message: string): TapflowError => new TapflowError('BAD_PORT', message);
