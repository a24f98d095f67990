/**
 * A switch on the simulated datapath: bridge br0 with dummy ports p1.., a clock
 * that stands still, and what was transmitted.
 */
import { SimulatedDatapath } from '../../src/datapath/simulated.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import type { Bridge, BridgePortSpec, SlowPath } from '../../src/ofproto/api.ts';
import { createSlowPath } from '../../src/ofproto/slow-path.ts';

export interface Transmitted {
  port: number;
  frame: Uint8Array;
}

export class TestSwitch {
  readonly clock = new ManualClock();
  readonly dpif: SimulatedDatapath;
  readonly slowPath: SlowPath;
  readonly bridge: Bridge;
  readonly transmitted: Transmitted[] = [];
  readonly logged: string[] = [];

  constructor(ports: readonly Partial<BridgePortSpec>[]) {
    this.dpif = new SimulatedDatapath({ clock: this.clock });
    const log = (line: string): void => void this.logged.push(line);
    this.slowPath = createSlowPath({ dpif: this.dpif, clock: this.clock, log });
    this.bridge = this.slowPath.addBridge('br0');
    for (const [i, port] of ports.entries()) {
      const name = `p${i + 1}`;
      const { portNo } = this.dpif.portAdd({ name, type: 'dummy' });
      this.bridge.addPort({ name, portNo, vlanMode: 'trunk', flood: true, ...port });
    }
    this.dpif.onTransmit((port, frame) => this.transmitted.push({ port, frame }));
  }

  /** Sends a frame in; @returns the ports that it left through, in order. */
  inject(frame: Uint8Array, port: number): number[] {
    return this.send(frame, port).map((sent) => sent.port);
  }

  send(frame: Uint8Array, port: number): Transmitted[] {
    this.transmitted.length = 0;
    this.dpif.inject(frame, port);
    return this.transmitted.slice();
  }

  close(): void {
    this.slowPath.close();
  }
}

/** Stations' addresses end in their numbers; 255 is broadcast. */
export function ethernet(dst: number, src: number, vlan?: number, type = 0x9000): Uint8Array {
  const frame = new Uint8Array(vlan === undefined ? 64 : 68);
  frame.set(stationMac(dst), 0);
  frame.set(stationMac(src), 6);
  const tag = vlan === undefined ? [] : [0x81, 0x00, vlan >> 8, vlan & 0xff];
  frame.set([...tag, type >> 8, type & 0xff], 12);
  return frame;
}

const stationMac = (n: number): number[] =>
  n === 255 ? [255, 255, 255, 255, 255, 255] : [2, 0, 0, 0, n >> 8, n & 0xff];
