/** What works, but not as somebody may expect. */
import type { ConfigAction } from '../config/diff.ts';
import type { PortConfig } from '../config/value.ts';
import type { Dpif } from '../dpif/dpif.ts';
import { onlyInterface } from './port-specs.ts';
import { BRIDGE_SETTINGS, GLOBAL_SETTINGS } from './settings.ts';
import type { SwitchPorts } from './switch-ports.ts';

/** @returns a sentence for each surprise that the action, just performed, may bring */
export function warningsOf(
  action: ConfigAction,
  { dpif, ports }: { dpif: Dpif; ports: SwitchPorts },
): string[] {
  switch (action.kind) {
    case 'set-global':
      return withoutEffect('', action.otherConfig, GLOBAL_SETTINGS);
    case 'add-bridge':
    case 'set-bridge': {
      const { name, otherConfig } = action.bridge;
      return withoutEffect(`bridge ${name}: `, otherConfig, BRIDGE_SETTINGS);
    }
    case 'add-port':
      return deviceWarnings(action.port);
    case 'set-port':
      return typeOf(action.from) === typeOf(action.to) ? [] : deviceWarnings(action.to);
    default:
      return [];
  }

  function deviceWarnings(port: PortConfig): string[] {
    const open = ports.get(onlyInterface(port).name);
    return [...((open && dpif.portInfo(open.portNo)?.warnings) ?? [])];
  }
}

const typeOf = (port: PortConfig): string => onlyInterface(port).type;

function withoutEffect(
  where: string,
  otherConfig: Readonly<Record<string, string>>,
  known: readonly string[],
): string[] {
  const unknown = Object.keys(otherConfig).filter((key) => !known.includes(key));
  const hint = `known are ${known.join(', ')}`;
  return unknown.map((key) => `${where}other_config:${key} has no effect; ${hint}`);
}
