/**
 * Where the demo's story is played. Two stages have the same verbs: real
 * network namespaces over TAP ports, and, where those are refused, dummy ports
 * of a simulated datapath.
 */

export type Actor = 'alice' | 'bob' | 'carol';

/** Who is where; the second VLAN keeps carol apart. */
export const CAST: readonly { name: Actor; vlan: number; address: string }[] = [
  { name: 'alice', vlan: 10, address: '10.99.0.1' },
  { name: 'bob', vlan: 10, address: '10.99.0.2' },
  { name: 'carol', vlan: 20, address: '10.99.0.3' },
];

export const BRIDGE = 'br0';
/** Where UDP questions are answered, and TCP is received. */
export const SERVICE_PORT = 5000;

/** Questions asked and answered. */
export interface Exchange {
  asked: number;
  answered: number;
  /** Median time of an answer in milliseconds; undefined where time means nothing. */
  rttMs?: number;
}

export interface Stage {
  /** Extra words about this stage, under the title. */
  readonly setting: string;
  /** Whether times and rates here mean something. */
  readonly timed: boolean;
  /** Directory of the switch's control socket. */
  readonly state: string;
  ping(from: Actor, to: Actor, count: number): Promise<Exchange>;
  udp(from: Actor, to: Actor, count: number): Promise<Exchange>;
  /** As many bytes as go in the time; `seconds` is the time it took. */
  tcp(from: Actor, to: Actor): Promise<{ bytes: number; seconds: number }>;
  /** Everything that was started is stopped and removed when this resolves. */
  close(): Promise<void>;
}

export function addressOf(actor: Actor): string {
  return CAST.find(({ name }) => name === actor)?.address ?? '';
}
