/** What works, but not as somebody may expect. */
import { networkInterfaces } from 'node:os';
import type { ConfigAction } from '../config/diff.ts';

/** @returns a sentence for each surprise that the action may bring */
export function warningsOf(action: ConfigAction): string[] {
  if (action.kind !== 'add-port') return [];
  return action.port.interfaces
    .filter(({ type }) => type === 'system')
    .flatMap(({ name }) => hostStackWarning(name));
}

/** A packet socket sees frames beside the host's own stack, not in its place. */
function hostStackWarning(name: string): string[] {
  const addresses = (networkInterfaces()[name] ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('fe80:'));
  if (addresses.length === 0) return [];
  return [
    `${name} has the address ${addresses.join(', ')}: the host's own stack answers its frames beside the switch; move the address to a port of type internal`,
  ];
}
