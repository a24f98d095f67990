/**
 * From the flows that a configuration listed to those that it lists now:
 * flows that stay keep their counters and timeouts, and what was added by hand
 * beside them stays as well. A bridge in standalone mode has one flow that no
 * list needs to name.
 */
import type { BridgeConfig } from '../config/value.ts';
import { formatMatch } from '../flow/match-format.ts';
import type { Bridge } from '../ofproto/api.ts';
import { parseFlowSpec } from '../openflow/parse-flow.ts';

/**
 * All or none, and at once: nothing else runs on this thread meanwhile, and no
 * packet is translated.
 *
 * @param from the bridge as configured up to now
 * @throws TapflowError about the first flow that cannot be understood; nothing has changed then
 */
export function changeFlows(
  bridge: Bridge,
  from: BridgeConfig | undefined,
  to: readonly string[],
): void {
  const implied = from?.failMode === 'standalone' ? [STANDALONE_FLOW] : [];
  const old = byMatch(bridge, [...implied, ...(from?.flows ?? [])]);
  const wanted = byMatch(bridge, [...implied, ...to]);
  for (const [match, flow] of wanted) if (old.get(match) !== flow) bridge.addFlow(flow);
  for (const match of old.keys()) if (!wanted.has(match)) bridge.delFlows(match, true);
}

const STANDALONE_FLOW = 'priority=0,actions=normal';

/** Flows by what makes them the same flow to OpenFlow, as text that deletes them; of two alike the last counts. */
function byMatch(bridge: Bridge, flows: readonly string[]): Map<string, string> {
  const names = { byName: (name: string) => bridge.portByName(name), nameOf: () => undefined };
  return new Map(
    flows.map((flow) => {
      const { table = 0, priority, match } = parseFlowSpec(flow, 'add', names);
      return [`table=${table},priority=${priority},${formatMatch(match)}`, flow];
    }),
  );
}
