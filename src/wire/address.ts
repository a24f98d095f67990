/**
 * Addresses as text: MAC, IPv4, IPv6. Parsing is as strict as inet_pton(3);
 * printing is as inet_ntop(3), which is what Open vSwitch prints.
 *
 * An address is a number where it fits into 32 bits and a bigint where not:
 * this is for the slow path, tests and tools. The packet path has words.
 */

/** "00:1b:21:3c:9d:f8"; a digit may be left out ("0:1b:..."). @returns undefined if it is none */
export function parseMac(text: string): bigint | undefined {
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text)) return undefined;
  return text.split(':').reduce((mac, byte) => (mac << 8n) | BigInt(`0x${byte}`), 0n);
}

export function formatMac(mac: bigint): string {
  const digits = mac.toString(16).padStart(12, '0');
  return digits.replace(/..(?!$)/g, '$&:');
}

/** Dotted quad. @returns an unsigned 32-bit number, undefined if it is none */
export function parseIpv4(text: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const bytes = text.split('.');
  if (bytes.some((byte) => Number(byte) > 255 || (byte.length > 1 && byte[0] === '0'))) {
    return undefined;
  }
  return bytes.reduce((address, byte) => address * 256 + Number(byte), 0);
}

/** Takes signed and unsigned numbers alike. */
export const formatIpv4 = (a: number): string =>
  `${a >>> 24}.${(a >>> 16) & 0xff}.${(a >>> 8) & 0xff}.${a & 0xff}`;

/** RFC 4291 section 2.2, all three forms. @returns undefined if it is none */
export function parseIpv6(text: string): bigint | undefined {
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const head = parseGroups(sides[0], sides.length === 1);
  const tail = sides.length === 2 ? parseGroups(sides[1], true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return groups.reduce((address, group) => (address << 16n) | BigInt(group), 0n);
}

/** Longest run of two or more zero groups, the first of several, becomes "::". */
export function formatIpv6(address: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((address >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  const [start, size] = longestZeroRun(groups);
  const embedsIpv4 = start === 0 && (size === 6 || (size === 5 && groups[5] === 0xffff));
  const texts = groups.map((group) => group.toString(16));
  if (embedsIpv4) texts.splice(6, 2, formatIpv4(Number(address & 0xffffffffn)));
  if (size < 2) return texts.join(':');
  return `${texts.slice(0, start).join(':')}::${texts.slice(start + size).join(':')}`;
}

/** The 16-bit groups between colons; only the last side of an address may end in a dotted quad. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const quad = last && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (quad !== undefined) groups.push(quad >>> 16, quad & 0xffff);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function longestZeroRun(groups: number[]): [start: number, size: number] {
  let best: [number, number] = [-1, 0];
  let start = 0;
  for (let i = 0; i < groups.length; i++) {
    if (groups[i] !== 0) start = i + 1;
    else if (i + 1 - start > best[1]) best = [start, i + 1 - start];
  }
  return best[1] >= 2 ? best : [-1, 0];
}
