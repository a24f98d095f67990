/**
 * Ends rules whose time has come: `hard_timeout` seconds after they were last
 * written, `idle_timeout` seconds after a packet last matched. Counters must be
 * up to date: cached traffic keeps a rule alive through them.
 */
import type { FlowTables } from './flow-tables.ts';
import type { Rule } from './rule.ts';

interface ExpiredRules {
  /** How many. */
  ended: number;
  /** Milliseconds of the clock: when the first of the others ends, unless a packet matches; Infinity: none does. */
  next: number;
}

/** @param now milliseconds of the clock */
export function expireRules(tables: FlowTables, now: number): ExpiredRules {
  const ended: Rule[] = [];
  let next = Number.POSITIVE_INFINITY;
  for (const rule of tables.timed) {
    const end = endOf(rule);
    if (end <= now) ended.push(rule);
    else if (end < next) next = end;
  }
  if (ended.length > 0) tables.remove(ended);
  return { ended: ended.length, next };
}

function endOf({ idleTimeout, hardTimeout, used, modified }: Rule): number {
  const idle = idleTimeout > 0 ? used + idleTimeout * 1000 : Number.POSITIVE_INFINITY;
  const hard = hardTimeout > 0 ? modified + hardTimeout * 1000 : Number.POSITIVE_INFINITY;
  return Math.min(idle, hard);
}
