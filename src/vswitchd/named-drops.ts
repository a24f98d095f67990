/** A port's drop counters with the reasons' names as keys; reasons that never happened are left out. */
import { DROP_NAMES } from '../dpif/drops.ts';

export function namedDrops(drops: readonly number[]): Record<string, number> {
  return Object.fromEntries(
    drops.map((count, reason) => [DROP_NAMES[reason], count] as const).filter(([, n]) => n > 0),
  );
}
