/**
 * The datapath that a vswitchd's options ask for. In a file of its own, so that
 * its threads start while the rest of the program is still being loaded.
 */
import type { Dpif, PortInfo, PortSpec } from '../dpif/dpif.ts';

export interface DatapathOptions {
  workers: number | undefined;
  backend: 'io_uring' | 'plain' | undefined;
  /** No devices. */
  simulated: boolean;
  /** Ports of any type are dummies. */
  dummiesOnly: boolean;
}

/** @throws TapflowError */
export async function openDatapath(options: DatapathOptions): Promise<Dpif> {
  const { simulated, dummiesOnly, workers, backend } = options;
  if (!simulated) {
    const { openThreadedDatapath } = await import('../datapath/threaded.ts');
    return openThreadedDatapath({ workers, backend });
  }
  const { SimulatedDatapath } = await import('../datapath/simulated.ts');
  if (!dummiesOnly) return new SimulatedDatapath();
  return new (class extends SimulatedDatapath {
    override portAdd(spec: PortSpec): PortInfo {
      return super.portAdd({ ...spec, type: 'dummy' });
    }
  })();
}
