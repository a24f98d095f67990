/**
 * Network namespaces by the names that `ip netns` gives them.
 */
import { TapflowError } from '../lib/error.ts';
import { native } from '../native.ts';

/**
 * @param name below /run/netns; undefined: the one this process is in
 * @returns a descriptor, to be closed by the caller; while open it keeps the namespace alive
 * @throws TapflowError NO_NETNS when there is none of this name
 */
export function openNetns(name: string | undefined): number {
  if (name === undefined) return native().openNetns('/proc/self/ns/net');
  try {
    return native().openNetns(`/run/netns/${name}`);
  } catch (cause) {
    const message = `namespace ${name} does not exist: make it with "ip netns add ${name}"`;
    throw new TapflowError('NO_NETNS', message, { cause });
  }
}
