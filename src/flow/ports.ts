/**
 * OpenFlow port numbers as text: a number, a reserved port's name, or the name
 * of a port of the bridge at hand.
 */

/** A bridge's ports by name and number. */
export interface PortNames {
  byName(name: string): number | undefined;
  nameOf(port: number): string | undefined;
}

/** Reserved ports (OpenFlow 1.0's numbers, which are what flows hold). */
const OFPP_UNSET = 0xfff7;
export const OFPP_IN_PORT = 0xfff8;
export const OFPP_TABLE = 0xfff9;
export const OFPP_NORMAL = 0xfffa;
export const OFPP_FLOOD = 0xfffb;
export const OFPP_ALL = 0xfffc;
export const OFPP_CONTROLLER = 0xfffd;
export const OFPP_LOCAL = 0xfffe;
export const OFPP_NONE = 0xffff;

const RESERVED: ReadonlyMap<number, string> = new Map([
  [OFPP_UNSET, 'UNSET'],
  [OFPP_IN_PORT, 'IN_PORT'],
  [OFPP_TABLE, 'TABLE'],
  [OFPP_NORMAL, 'NORMAL'],
  [OFPP_FLOOD, 'FLOOD'],
  [OFPP_ALL, 'ALL'],
  [OFPP_CONTROLLER, 'CONTROLLER'],
  [OFPP_LOCAL, 'LOCAL'],
  [OFPP_NONE, 'ANY'],
]);
/** OpenFlow 1.1 and later put the reserved ports at the end of 32 bits. */
const OFPP11_OFFSET = 0xffff0000;
const OFPP11_FIRST = 0xffffff00;

/** Numbers 0 to 65535 and 4294967040 up, reserved names in any case, "quoted" and plain port names. */
export function parsePort(text: string, ports?: PortNames): number | undefined {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) {
    const port = Number(text);
    if (port <= 0xffff) return port;
    return port >= OFPP11_FIRST && port <= 0xffffffff ? port - OFPP11_OFFSET : undefined;
  }
  const name = /^".*"$/.test(text) ? text.slice(1, -1) : text;
  return ports?.byName(name) ?? (name === text ? reservedPort(text.toUpperCase()) : undefined);
}

/** The port's name if it has one, in quotes if it is not plain letters and digits; else its number. */
export function formatPort(port: number, ports?: PortNames): string {
  const reserved = RESERVED.get(port);
  if (reserved !== undefined) return reserved;
  const name = ports?.nameOf(port);
  if (name === undefined) return String(port);
  return /^[a-z][a-z0-9]*$/i.test(name) ? name : JSON.stringify(name);
}

function reservedPort(name: string): number | undefined {
  if (name === 'NONE') return OFPP_NONE;
  for (const [port, reserved] of RESERVED) if (reserved === name) return port;
  return undefined;
}
