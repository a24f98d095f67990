/** ovs-vsctl(8), "Bond Commands" for a bond's interfaces, and "Interface Commands". */
import type { CommandSyntax } from '../command.ts';
import { VsctlError } from '../failure.ts';
import { one } from '../values.ts';
import { needInterfaces, needNewInterfaces, printSorted } from './bridges.ts';

export const addBondIface: CommandSyntax = {
  name: 'add-bond-iface',
  min: 2,
  max: 2,
  usage: '!BOND !IFACE',
  options: ['--may-exist'],
  writes: true,
  prepare: needNewInterfaces,
  run(context) {
    const { attempt } = context;
    const { edit, model } = attempt;
    const [bond, name] = context.args;
    const port = model.port(bond);
    const existing = context.has('--may-exist') ? model.findInterface(name) : undefined;
    if (existing !== undefined) {
      if (existing.port === port) return;
      throw new VsctlError(
        `"${context.text}" but ${name} is actually attached to port ${existing.port.name}`,
      );
    }
    model.checkUnused(name, `cannot create an interface named ${name}`);
    const device = attempt.insertInterface({ name: one(name) });
    edit.verify('Port', port.row, 'interfaces');
    edit.mutate('Port', port.row, 'interfaces', 'insert', one(device));
    model.addInterface(name, device, port);
  },
};

export const delBondIface: CommandSyntax = {
  name: 'del-bond-iface',
  min: 1,
  max: 2,
  usage: '?BOND !IFACE',
  options: ['--if-exists'],
  writes: true,
  prepare: needInterfaces,
  run(context) {
    const { model } = context.attempt;
    const name = context.args[context.args.length - 1];
    const look = context.has('--if-exists') ? model.findInterface : model.interface;
    const found = look.call(model, name);
    if (found === undefined) return;
    const { port } = found;
    if (context.args.length === 2) {
      const bond = model.port(context.args[0]);
      if (bond !== port) {
        throw new VsctlError(`port ${bond.name} does not have an interface ${name}`);
      }
    }
    if (port.interfaces.size < 2) {
      throw new VsctlError(`cannot delete last interface from port ${port.name}`);
    }
    model.verify();
    model.deleteInterface(found);
  },
};

export const listIfaces: CommandSyntax = {
  name: 'list-ifaces',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: false,
  prepare: needInterfaces,
  run(context) {
    const { model } = context.attempt;
    const bridge = model.bridge(context.args[0]);
    model.verify();
    const interfaces = [...bridge.ports].flatMap((port) => [...port.interfaces]);
    const names = interfaces.map(({ name }) => name);
    printSorted(
      context,
      names.filter((name) => name !== bridge.name),
    );
  },
};

export const ifaceToBr: CommandSyntax = {
  name: 'iface-to-br',
  min: 1,
  max: 1,
  usage: '!IFACE',
  options: [],
  writes: false,
  prepare: needInterfaces,
  run(context) {
    const { model } = context.attempt;
    model.verify();
    context.print(model.interface(context.args[0]).port.bridge.name);
  },
};
