/**
 * Opens the device behind a port, by the port's type.
 */
import type { PortSpec } from '../dpif/dpif.ts';
import { checkSpec } from './check-spec.ts';
import type { Device } from './device.ts';
import { openDummyDevice } from './dummy.ts';
import { openPacketDevice } from './packet-socket.ts';
import { openTapDevice } from './tap.ts';

/**
 * @param queues receive queues wanted; only TAPs can have more than one
 * @throws TapflowError; nothing is left behind then
 */
export function openDevice(spec: PortSpec, queues: number): Device {
  checkSpec(spec);
  switch (spec.type) {
    case 'tap':
    case 'internal':
      return openTapDevice(spec, queues);
    case 'system':
      return openPacketDevice(spec);
    case 'dummy':
      return openDummyDevice(spec);
  }
}
