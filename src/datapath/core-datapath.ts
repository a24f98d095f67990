/**
 * The part of dpif that needs to know nothing of who drives the forwarders:
 * flows, statistics and listeners, all of them the core's (core.ts). The
 * threaded and the simulated datapath build on it; where a change must also
 * set something off there, they override it.
 */
import type {
  CacheStats,
  FlowRef,
  FlowStats,
  MaskStats,
  PortStats,
  UpcallHandler,
} from '../dpif/dpif.ts';
import type { DatapathCore } from './core.ts';

export abstract class CoreDatapath {
  protected readonly core: DatapathCore;

  constructor(core: DatapathCore) {
    this.core = core;
  }

  portStats(portNo: number): PortStats {
    return this.core.portStats(portNo);
  }

  flowPut(key: Int32Array, mask: Int32Array, actions: Int32Array): FlowRef | undefined {
    return this.core.flowPut(key, mask, actions);
  }

  flowDel(flow: FlowRef): void {
    this.core.flowDel(flow);
  }

  flowStats(flow: FlowRef, out: FlowStats): void {
    this.core.flowStats(flow, out);
  }

  flowGet(flow: FlowRef): { key: Int32Array; mask: Int32Array; actions: Int32Array } | undefined {
    return this.core.flowGet(flow);
  }

  flows(): IterableIterator<FlowRef> {
    return this.core.flows();
  }

  flowCount(): number {
    return this.core.flowCount;
  }

  onRetired(listener: (flow: FlowRef, stats: FlowStats) => void): void {
    this.core.setRetiredListener(listener);
  }

  onTransmit(listener: (portNo: number, frame: Uint8Array) => void): void {
    this.core.setTransmitListener(listener);
  }

  onUpcall(handler: UpcallHandler): void {
    this.core.setUpcallHandler(handler);
  }

  cacheStats(): CacheStats[] {
    return this.core.cacheStats();
  }

  maskStats(): MaskStats[] {
    return this.core.maskStats();
  }
}
