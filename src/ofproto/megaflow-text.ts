/** Installed megaflows as `ovs-appctl dpctl/dump-flows` prints them. */
import type { FlowRef, FlowStats } from '../dpif/dpif.ts';
import { formatActions } from '../dpif/format-actions.ts';
import { formatOdpKey } from '../flow/odp-text.ts';
import { nwProto } from './flow-facts.ts';
import type { SwitchState } from './switch-state.ts';

/** @returns undefined when the flow is not there any more */
export function megaflowText(state: SwitchState, ref: FlowRef): string | undefined {
  const flow = state.dpif.flowGet(ref);
  if (flow === undefined) return undefined;
  const stats: FlowStats = { packets: 0, bytes: 0, used: 0, tcpFlags: 0 };
  state.dpif.flowStats(ref, stats);
  return [
    formatOdpKey(flow.key, flow.mask),
    `packets:${stats.packets}`,
    `bytes:${stats.bytes}`,
    stats.packets === 0
      ? 'used:never'
      : `used:${((state.dpif.now() - stats.used) / 1000).toFixed(3)}s`,
    ...(stats.tcpFlags === 0 ? [] : [`flags:${tcpFlagLetters(stats.tcpFlags)}`]),
    `actions:${datapathActionsText(state, flow.actions, flow.key)}`,
  ].join(', ');
}

/** @param flow that the actions are for, key or more */
export function datapathActionsText(
  state: SwitchState,
  actions: Int32Array,
  flow: Int32Array,
): string {
  return formatActions(actions, 0, actions.length, String, {
    nwProto: nwProto(flow),
    userspace: (_reason, cookie, maxSize) => state.packetIns.describe(cookie, maxSize),
  });
}

/** As in tcpdump: `S.` is SYN and ACK. */
const FLAG_LETTERS: readonly (readonly [flag: number, letter: string])[] = [
  [0x002, 'S'],
  [0x001, 'F'],
  [0x008, 'P'],
  [0x004, 'R'],
  [0x020, 'U'],
  [0x010, '.'],
  [0x040, 'E'],
  [0x080, 'C'],
  [0x100, 'N'],
  [0x200, '[200]'],
  [0x400, '[400]'],
  [0x800, '[800]'],
];

const tcpFlagLetters = (flags: number): string =>
  FLAG_LETTERS.map(([flag, letter]) => ((flags & flag) === 0 ? '' : letter)).join('');
