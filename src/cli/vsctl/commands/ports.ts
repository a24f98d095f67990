/** ovs-vsctl(8), "Port Commands". */

import { compareBytes } from '../../../lib/byte-order.ts';
import type { CommandSyntax, Context } from '../command.ts';
import { VsctlError } from '../failure.ts';
import { findTable } from '../names.ts';
import { setColumn } from '../set-column.ts';
import type { Bridge, Port, SwitchModel } from '../switch-model.ts';
import { one, rows } from '../values.ts';
import { needInterfaces, needModel, needNewInterfaces, printSorted } from './bridges.ts';

export const listPorts: CommandSyntax = {
  name: 'list-ports',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: false,
  prepare: needModel,
  run(context) {
    const { edit, model } = context.attempt;
    const bridge = model.bridge(context.args[0]);
    edit.verify('Bridge', bridge.row, 'ports');
    const names = [...bridge.ports].map(({ name }) => name);
    printSorted(
      context,
      names.filter((name) => name !== bridge.name),
    );
  },
};

export const addPort: CommandSyntax = {
  name: 'add-port',
  min: 2,
  max: Number.POSITIVE_INFINITY,
  usage: '!BRIDGE !NEW-PORT *COLUMN?:KEY=VALUE',
  options: ['--may-exist'],
  writes: true,
  prepare: needNewInterfaces,
  run(context) {
    const [bridge, name, ...settings] = context.args;
    addTo(context, { bridge, name, interfaces: [name], isFake: false, settings });
  },
};

export const addBond: CommandSyntax = {
  name: 'add-bond',
  min: 4,
  max: Number.POSITIVE_INFINITY,
  usage: '!BRIDGE !BOND +IFACE *COLUMN?:KEY=VALUE',
  options: ['--may-exist', '--fake-iface'],
  writes: true,
  prepare: needNewInterfaces,
  run(context) {
    const [bridge, name, ...rest] = context.args;
    const { interfaces, settings } = splitBond(rest);
    if (interfaces.length < 2) {
      throw new VsctlError(
        `add-bond requires at least 2 interfaces, but only ${interfaces.length} were specified`,
      );
    }
    const isFake = context.has('--fake-iface');
    addTo(context, { bridge, name, interfaces, isFake, settings });
  },
};

export const delPort: CommandSyntax = {
  name: 'del-port',
  min: 1,
  max: 2,
  usage: '?BRIDGE !PORT|IFACE',
  options: ['--if-exists', '--with-iface'],
  writes: true,
  prepare: needInterfaces,
  run(context) {
    const { model } = context.attempt;
    const name = context.args[context.args.length - 1];
    const port = findPort(context, model, name);
    if (port === undefined) return;
    if (context.args.length === 2) checkOn(model.bridge(context.args[0]), port, name);
    model.verify();
    model.deletePort(port);
  },
};

export const portToBr: CommandSyntax = {
  name: 'port-to-br',
  min: 1,
  max: 1,
  usage: '!PORT',
  options: [],
  writes: false,
  prepare: needModel,
  run(context) {
    const { model } = context.attempt;
    model.verify();
    context.print(model.port(context.args[0]).bridge.name);
  },
};

interface NewPort {
  readonly bridge: string;
  readonly name: string;
  readonly interfaces: readonly string[];
  /** Whether the bond is to have an interface of its own. */
  readonly isFake: boolean;
  readonly settings: readonly string[];
}

/** Settings are what has a "=", and all behind it. */
function splitBond(args: readonly string[]): { interfaces: string[]; settings: string[] } {
  const first = args.findIndex((argument) => argument.includes('='));
  const end = first < 0 ? args.length : first;
  return { interfaces: args.slice(0, end), settings: args.slice(end) };
}

function addTo(
  context: Context,
  { bridge: on, name, interfaces, isFake, settings }: NewPort,
): void {
  const { attempt } = context;
  const { edit, model } = attempt;
  if (name === '') throw new VsctlError('port name must not be empty string');
  if (interfaces.includes('')) throw new VsctlError('interface name must not be empty string');
  const existing = context.has('--may-exist') ? model.findPort(name) : undefined;
  if (existing !== undefined) {
    checkSame(context, existing, on, interfaces);
    return;
  }
  model.checkUnused(name, `cannot create a port named ${name}`);
  for (const each of interfaces) {
    model.checkUnused(each, `cannot create an interface named ${each}`);
  }
  const bridge = model.bridge(on);
  const devices = interfaces.map((each) => attempt.insertInterface({ name: one(each) }));
  const row = edit.insert('Port', {
    name: one(name),
    interfaces: rows(devices),
    bond_fake_iface: one(isFake),
    ...(bridge.parent && { tag: one(bridge.vlan) }),
  });
  const table = findTable(attempt.schema, 'Port');
  for (const setting of settings) setColumn(context, table, row, setting);
  edit.mutate('Bridge', bridge.row, 'ports', 'insert', one(row));
  const port = model.addPort(name, row, bridge);
  for (const [i, each] of interfaces.entries()) model.addInterface(each, devices[i], port);
}

/** For --may-exist. @throws VsctlError when what exists is another port */
function checkSame(context: Context, port: Port, bridge: string, wanted: readonly string[]): void {
  if (port.bridge.name !== bridge) {
    throw new VsctlError(
      `"${context.text}" but ${port.name} is actually attached to bridge ${port.bridge.name}`,
    );
  }
  const sorted = (names: readonly string[]) => [...names].sort(compareBytes).join(', ');
  const have = sorted([...port.interfaces].map(({ name }) => name));
  if (have === sorted(wanted)) return;
  throw new VsctlError(`"${context.text}" but ${port.name} actually has interface(s) ${have}`);
}

function findPort(context: Context, model: SwitchModel, name: string): Port | undefined {
  const isOptional = context.has('--if-exists');
  if (model.bridges.has(name)) {
    if (isOptional) return undefined;
    throw new VsctlError(
      `cannot delete port ${name} because it is the local port for bridge ${name} (deleting this port requires deleting the entire bridge)`,
    );
  }
  if (!context.has('--with-iface')) return isOptional ? model.findPort(name) : model.port(name);
  const port = model.findPort(name) ?? model.findInterface(name)?.port;
  if (port !== undefined || isOptional) return port;
  throw new VsctlError(`no port or interface named ${name}`);
}

/** @throws VsctlError when the port is not on this bridge */
function checkOn(bridge: Bridge, port: Port, name: string): void {
  if (port.bridge === bridge) return;
  const lacks = `bridge ${bridge.name} does not have a port ${name}`;
  const isChild = port.bridge.parent === bridge;
  throw new VsctlError(
    isChild ? `${lacks} (although its child bridge ${port.bridge.name} does)` : lacks,
  );
}
