/**
 * Ends rules whose time has come: `hard_timeout` seconds after they were last
 * written, `idle_timeout` seconds after a packet last matched. Counters must be
 * up to date: cached traffic keeps a rule alive through them.
 */
import type { FlowTables } from './flow-tables.ts';
import type { Rule } from './rule.ts';

/** @param now milliseconds of the clock. @returns how many rules ended */
export function expireRules(tables: FlowTables, now: number): number {
  const ended = [...tables.timed].filter((rule) => hasEnded(rule, now));
  if (ended.length > 0) tables.remove(ended);
  return ended.length;
}

function hasEnded(rule: Rule, now: number): boolean {
  const { idleTimeout, hardTimeout } = rule;
  return (
    (idleTimeout > 0 && now - rule.used >= idleTimeout * 1000) ||
    (hardTimeout > 0 && now - rule.modified >= hardTimeout * 1000)
  );
}
