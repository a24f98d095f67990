/**
 * `trace BRIDGE FLOW [FRAME]`: what would happen to a packet, step by step, and
 * `ofproto/trace`, the same under Open vSwitch's name and messages.
 */
import { TapflowError } from '../../lib/error.ts';
import type { Command } from '../../unixctl/command-table.ts';
import type { Switch } from '../switch.ts';
import { report } from './report.ts';

export function traceCommands(sw: Switch): Command[] {
  return [
    report({
      name: 'trace',
      usage: 'bridge flow [frame in hex]',
      minArgs: 2,
      maxArgs: 3,
      value: ([bridge, flow, frame]) => ({ bridge, flow, trace: trace(sw, bridge, flow, frame) }),
      text: (traced) => traced.trace,
    }),
    {
      name: 'ofproto/trace',
      usage: 'bridge br_flow [packet]',
      minArgs: 1,
      maxArgs: 3,
      run([bridge, flow, frame]) {
        if (flow === undefined || sw.slowPath.bridge(bridge) === undefined) {
          throw new TapflowError('NO_BRIDGE', `${bridge}: unknown bridge`);
        }
        return trace(sw, bridge, flow, frame);
      },
    },
  ];
}

const trace = (sw: Switch, bridge: string, flow: string, frame: string | undefined): string =>
  sw.bridge(bridge).trace(flow, frame === undefined ? undefined : hexBytes(frame));

/** @throws TapflowError BAD_FRAME */
export function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})+$/i.test(digits)) {
    throw new TapflowError(
      'BAD_FRAME',
      `"${text.slice(0, 40)}" is not a frame: an even number of hexadecimal digits was expected`,
    );
  }
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
