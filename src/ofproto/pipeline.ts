/**
 * What a translation needs of a bridge: its tables, ports and learned
 * addresses. bridge.ts keeps it, translate.ts and normal.ts read it.
 */
import type { FlowTables } from './flow-tables.ts';
import type { MacTable } from './mac-table.ts';
import type { OfPorts } from './ports.ts';

export interface Pipeline {
  readonly name: string;
  /** Distinguishes bridges in tags (mac-table.ts). */
  readonly id: number;
  readonly tables: FlowTables;
  readonly ports: OfPorts;
  readonly macs: MacTable;
  /** Whether NORMAL forwards reserved multicast addresses. */
  forwardBpdu: boolean;
}
