/**
 * One action of a configuration's difference, performed on a switch.
 *
 * `perform` either does it and returns the configuration that is in force then,
 * or throws and has changed nothing.
 */
import type { ConfigAction } from '../config/diff.ts';
import type { BridgeConfig, Config, PortConfig } from '../config/value.ts';
import type { Bridge, SlowPath } from '../ofproto/api.ts';
import { changeFlows } from './flow-changes.ts';
import { withBridge, withFlows, withoutBridge, withoutPort, withPort } from './in-force.ts';
import { setBridge, setGlobal } from './settings.ts';
import type { SwitchPorts } from './switch-ports.ts';

/** What actions act on. */
export interface ActionTarget {
  slowPath: SlowPath;
  ports: SwitchPorts;
  /** @throws TapflowError when there is none */
  bridge(name: string): Bridge;
}

export async function perform(
  action: ConfigAction,
  target: ActionTarget,
  inForce: Config,
): Promise<Config> {
  const { slowPath, ports } = target;
  switch (action.kind) {
    case 'set-global':
      setGlobal(slowPath, action.otherConfig);
      return { ...inForce, otherConfig: action.otherConfig };
    case 'add-bridge':
      addBridge(slowPath, action.bridge);
      return withBridge(inForce, action.bridge);
    case 'set-bridge':
      setBridge(target.bridge(action.bridge.name), action.bridge);
      return withBridge(inForce, action.bridge);
    case 'del-bridge':
      slowPath.removeBridge(action.bridge.name);
      return withoutBridge(inForce, action.bridge.name);
    case 'add-port':
      await ports.open(target.bridge(action.bridge), action.port);
      return withPort(inForce, action.bridge, action.port);
    case 'set-port':
      await ports.change(target.bridge(action.bridge), action.from, action.to);
      return withPort(inForce, action.bridge, action.to);
    case 'del-port':
      ports.close(target.bridge(action.bridge), deviceOf(action.port));
      return withoutPort(inForce, action.bridge, action.port.name);
    case 'set-flows':
      changeFlows(target.bridge(action.bridge), bridgeOf(inForce, action.bridge), action.flows);
      return withFlows(inForce, action.bridge, action.flows);
  }
}

/** The name under which an action's error is kept: the interface's where there is one. */
export function subjectOf(action: ConfigAction): string {
  switch (action.kind) {
    case 'set-global':
      return 'other_config';
    case 'add-bridge':
    case 'set-bridge':
    case 'del-bridge':
      return action.bridge.name;
    case 'add-port':
    case 'del-port':
      return deviceOf(action.port);
    case 'set-port':
      return deviceOf(action.to);
    case 'set-flows':
      return action.bridge;
  }
}

const PAST = { add: 'added', set: 'changed', del: 'removed' } as const;

/** In plain words: "port p1 added to bridge br0". */
export function describeAction(action: ConfigAction): string {
  const subject = subjectOf(action);
  switch (action.kind) {
    case 'set-global':
      return "the switch's settings changed";
    case 'add-port':
      return `port ${subject} added to bridge ${action.bridge}`;
    case 'set-port':
      return `port ${subject} changed on bridge ${action.bridge}`;
    case 'del-port':
      return `port ${subject} removed from bridge ${action.bridge}`;
    case 'set-flows':
      return `flows of bridge ${subject} changed`;
    default:
      return `bridge ${subject} ${PAST[action.kind.slice(0, 3) as keyof typeof PAST]}`;
  }
}

const deviceOf = (port: PortConfig): string => port.interfaces[0]?.name ?? port.name;

function addBridge(slowPath: SlowPath, config: BridgeConfig): void {
  const bridge = slowPath.addBridge(config.name);
  try {
    setBridge(bridge, config);
  } catch (error) {
    slowPath.removeBridge(config.name);
    throw error;
  }
}

function bridgeOf(config: Config, name: string): BridgeConfig | undefined {
  return config.bridges.find((bridge) => bridge.name === name);
}
