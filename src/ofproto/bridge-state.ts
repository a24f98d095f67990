/**
 * A bridge's state, as a pipeline for translation and with what it tells its
 * listeners. OfBridge (bridge.ts) is its public face.
 */
import type { Clock } from '../lib/clock.ts';
import type { PacketIn } from './api.ts';
import { FlowTables } from './flow-tables.ts';
import { MacTable } from './mac-table.ts';
import type { Pipeline } from './pipeline.ts';
import { OfPorts } from './ports.ts';

export class BridgeState implements Pipeline {
  readonly name: string;
  readonly id: number;
  tables = new FlowTables();
  readonly ports = new OfPorts();
  readonly macs: MacTable;
  forwardBpdu = false;
  readonly packetInListeners: ((packet: PacketIn) => void)[] = [];

  constructor(name: string, id: number, clock: Clock, macChanged: (tag: number) => void) {
    this.name = name;
    this.id = id;
    this.macs = new MacTable(id, clock, macChanged);
  }
}
