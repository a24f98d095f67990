/** Names and addresses as Linux takes them, whoever writes them: a topology file or the database. */
import ipaddr from 'ipaddr.js';

/** A name for a device: net/core/dev.c, dev_valid_name(). */
export function isDeviceName(name: string): boolean {
  return (
    Buffer.byteLength(name) <= 15 &&
    /^[^/\\:\s\p{Cc}]+$/u.test(name) &&
    name !== '.' &&
    name !== '..'
  );
}

/** The name of a file below /run/netns. */
export function isNamespaceName(name: string): boolean {
  return /^[^/\s\p{Cc}]{1,255}$/u.test(name) && name !== '.' && name !== '..';
}

/** "10.0.0.1/24" or "fd00::1/64". */
export function isInterfaceAddress(address: string): boolean {
  return (
    ipaddr.IPv6.isValidCIDR(address) ||
    (ipaddr.IPv4.isValidCIDR(address) && /^\d+(\.\d+){3}\//.test(address))
  );
}

/** @returns the address of one station in lower case; undefined if it is none */
export function stationAddress(text: string): string | undefined {
  const mac = text.toLowerCase();
  const isStation = /^[\da-f][02468ace](:[\da-f]{2}){5}$/.test(mac);
  return isStation && mac !== '00:00:00:00:00:00' ? mac : undefined;
}
