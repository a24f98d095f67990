/** ovs-vsctl(8), "Bridge Commands". */
import { compareBytes } from '../../../lib/byte-order.ts';
import type { Command, CommandSyntax, Context, Preparation } from '../command.ts';
import { EXIT_NO_BRIDGE, VsctlError } from '../failure.ts';
import { ROOT_TABLE } from '../record-names.ts';
import { type Bridge, LARGEST_VLAN, SwitchModel } from '../switch-model.ts';
import { map, one, pairsOf, valueAt } from '../values.ts';

export const addBr: CommandSyntax = {
  name: 'add-br',
  min: 1,
  max: 3,
  usage: '!NEW-BRIDGE ?PARENT ?NEW-VLAN',
  options: ['--may-exist'],
  writes: true,
  prepare: needNewInterfaces,
  run(context) {
    const [name, parent, vlanText] = context.args;
    if (name === '') throw new VsctlError('bridge name must not be empty string');
    if (context.args.length === 2) {
      throw new VsctlError("'add-br' command takes exactly 1 or 3 arguments");
    }
    const vlan = parent === undefined ? 0 : parseVlan(vlanText);
    const { model } = context.attempt;
    const existing = context.has('--may-exist') ? model.bridges.get(name) : undefined;
    if (existing !== undefined) {
      checkSame(existing, parent, vlan);
      return;
    }
    model.checkUnused(name, `cannot create a bridge named ${name}`);
    if (parent === undefined) addRealBridge(context, name);
    else addFakeBridge(context, name, parent, vlan);
  },
};

export const delBr: CommandSyntax = {
  name: 'del-br',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: ['--if-exists'],
  writes: true,
  prepare(_command, { needs }) {
    SwitchModel.needInterfaces(needs);
    needs.add('Flow_Sample_Collector_Set', 'bridge');
  },
  run(context) {
    const { edit, model } = context.attempt;
    const [name] = context.args;
    const bridge = context.has('--if-exists') ? model.bridges.get(name) : model.bridge(name);
    if (bridge === undefined) return;
    model.deleteBridge(bridge);
    if (bridge.parent !== undefined) return;
    for (const row of [...edit.rows('Flow_Sample_Collector_Set')]) {
      if (row.get('bridge').keys[0] === bridge.row) edit.remove(row.schema.name, row.uuid);
    }
  },
};

export const listBr: CommandSyntax = {
  name: 'list-br',
  min: 0,
  max: 0,
  usage: '',
  options: ['--real', '--fake'],
  writes: false,
  prepare: needModel,
  run(context) {
    const isReal = context.has('--real');
    const isFake = context.has('--fake');
    const isListed = ({ parent }: Bridge): boolean =>
      isReal === isFake || (parent === undefined ? isReal : isFake);
    const bridges = [...context.attempt.model.bridges.values()].filter(isListed);
    printSorted(
      context,
      bridges.map(({ name }) => name),
    );
  },
};

export const brExists: CommandSyntax = {
  name: 'br-exists',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: false,
  prepare: needModel,
  run({ args: [name], attempt }) {
    if (!attempt.model.bridges.has(name)) throw new VsctlError('', EXIT_NO_BRIDGE);
  },
};

export const brToVlan: CommandSyntax = {
  name: 'br-to-vlan',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: false,
  prepare: needModel,
  run(context) {
    context.print(String(context.attempt.model.bridge(context.args[0]).vlan));
  },
};

export const brToParent: CommandSyntax = {
  name: 'br-to-parent',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: false,
  prepare: needModel,
  run(context) {
    const bridge = context.attempt.model.bridge(context.args[0]);
    context.print((bridge.parent ?? bridge).name);
  },
};

export const brSetExternalId: CommandSyntax = {
  name: 'br-set-external-id',
  min: 2,
  max: 3,
  usage: '!BRIDGE !KEY ?VALUE',
  options: [],
  writes: true,
  prepare: needExternalIds,
  run(context) {
    const [name, key, value] = context.args;
    const { attempt } = context;
    const { table, row, prefix } = holderOf(context, name);
    const datum = attempt.read(attempt.row(table, row), 'external_ids');
    const others = pairsOf(datum).filter(([each]) => each !== prefix + key);
    const added = value === undefined ? [] : [[prefix + key, value] as const];
    attempt.edit.verify(table, row, 'external_ids');
    attempt.edit.set(table, row, 'external_ids', map([...others, ...added]));
  },
};

export const brGetExternalId: CommandSyntax = {
  name: 'br-get-external-id',
  min: 1,
  max: 2,
  usage: '!BRIDGE ?KEY',
  options: [],
  writes: false,
  prepare: needExternalIds,
  run(context) {
    const [name, key] = context.args;
    const { attempt } = context;
    const { table, row, prefix } = holderOf(context, name);
    attempt.edit.verify(table, row, 'external_ids');
    const datum = attempt.read(attempt.row(table, row), 'external_ids');
    if (key !== undefined) {
      const value = valueAt(datum, prefix + key);
      if (value !== undefined) context.print(String(value));
      return;
    }
    for (const [each, value] of pairsOf(datum)) {
      const text = String(each);
      if (text.startsWith(prefix)) context.print(`${text.slice(prefix.length)}=${value}`);
    }
  },
};

/** A `prepare` for what goes by bridges and ports. */
export function needModel(_command: Command, { needs }: Preparation): void {
  SwitchModel.need(needs);
}

/** A `prepare` for what goes by bridges, ports and interfaces. */
export function needInterfaces(_command: Command, { needs }: Preparation): void {
  SwitchModel.needInterfaces(needs);
}

/** A `prepare` for what adds interfaces: vswitchd tells there whether it could set them up. */
export function needNewInterfaces(_command: Command, { needs }: Preparation): void {
  SwitchModel.needInterfaces(needs);
  needs.add('Interface', 'ofport', 'error');
}

export function printSorted(context: Context, names: readonly string[]): void {
  for (const name of [...names].sort(compareBytes)) context.print(name);
}

function needExternalIds(_command: Command, { needs }: Preparation): void {
  SwitchModel.need(needs);
  needs.add('Bridge', 'external_ids');
  needs.add('Port', 'external_ids');
}

/** As C's atoi reads it. */
function parseVlan(text: string): number {
  const vlan = Number.parseInt(text, 10) || 0;
  if (vlan >= 0 && vlan <= LARGEST_VLAN) return vlan;
  throw new VsctlError('add-br: vlan must be between 0 and 4095');
}

/** For --may-exist. @throws VsctlError when what exists is another kind of bridge */
function checkSame(bridge: Bridge, parent: string | undefined, vlan: number): void {
  const { name } = bridge;
  if (parent === undefined) {
    if (bridge.parent === undefined) return;
    throw new VsctlError(
      `"--may-exist add-br ${name}" but ${name} is a VLAN bridge for VLAN ${bridge.vlan}`,
    );
  }
  const command = `"--may-exist add-br ${name} ${parent} ${vlan}" but ${name}`;
  if (bridge.parent === undefined) throw new VsctlError(`${command} is not a VLAN bridge`);
  if (bridge.parent.name !== parent) {
    throw new VsctlError(`${command} has the wrong parent ${bridge.parent.name}`);
  }
  if (bridge.vlan !== vlan) {
    throw new VsctlError(`${command} is a VLAN bridge for the wrong VLAN ${bridge.vlan}`);
  }
}

function addRealBridge({ attempt }: Context, name: string): void {
  const { edit, model, root } = attempt;
  const device = attempt.insertInterface({ name: one(name), type: one('internal') });
  const port = edit.insert('Port', { name: one(name), interfaces: one(device) });
  const row = edit.insert('Bridge', { name: one(name), ports: one(port) });
  edit.mutate(ROOT_TABLE, root, 'bridges', 'insert', one(row));
  const bridge = model.addBridge(name, row);
  model.addInterface(name, device, model.addPort(name, port, bridge));
}

function addFakeBridge(context: Context, name: string, parentName: string, vlan: number): void {
  const { attempt } = context;
  const { edit, model } = attempt;
  const parent = model.bridges.get(parentName);
  if (parent?.parent !== undefined) {
    throw new VsctlError('cannot create bridge with fake bridge as parent');
  }
  if (parent === undefined) throw new VsctlError(`parent bridge ${parentName} does not exist`);
  const other = parent.children.get(vlan);
  if (other !== undefined) {
    throw new VsctlError(
      `bridge ${parentName} already has a child VLAN bridge ${other.name} on VLAN ${vlan}`,
    );
  }
  const device = attempt.insertInterface({ name: one(name), type: one('internal') });
  const port = edit.insert('Port', {
    name: one(name),
    interfaces: one(device),
    fake_bridge: one(true),
    tag: one(vlan),
  });
  edit.mutate('Bridge', parent.row, 'ports', 'insert', one(port));
  // Ports of the parent with this tag belong to the new bridge from now on.
  attempt.forgetModel();
}

/** The row that has a bridge's external IDs; a fake bridge's are in its port. */
function holderOf(
  { attempt: { model } }: Context,
  name: string,
): { table: string; row: string; prefix: string } {
  const bridge = model.bridge(name);
  if (bridge.parent === undefined) return { table: 'Bridge', row: bridge.row, prefix: '' };
  const port = model.ports.get(name);
  if (port === undefined) throw new VsctlError(`no port named ${name}`);
  return { table: 'Port', row: port.row, prefix: 'fake-bridge-' };
}
