/** ovs-vsctl(8), "OpenFlow Controller Connectivity", and "Manager Connectivity". */
import type { Datum } from '../../../ovsdb/data/datum.ts';
import type { Attempt } from '../attempt.ts';
import type { CommandSyntax, Context, Preparation } from '../command.ts';
import { VsctlError } from '../failure.ts';
import { ROOT_TABLE } from '../record-names.ts';
import { SwitchModel } from '../switch-model.ts';
import { NOTHING, one, rows } from '../values.ts';
import { printSorted } from './bridges.ts';

export const getController: CommandSyntax = {
  name: 'get-controller',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: false,
  prepare: (_command, { needs }) => needControllers(needs),
  run(context) {
    printTargets(context, controllersOf(context.attempt.model.bridge(context.args[0]).row));
  },
};

export const delController: CommandSyntax = {
  name: 'del-controller',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: true,
  prepare: (_command, { needs }) => needControllers(needs),
  run({ attempt, args }) {
    deleteTargets(attempt, controllersOf(attempt.model.realBridge(args[0]).row));
  },
};

export const setController: CommandSyntax = {
  name: 'set-controller',
  min: 1,
  max: Number.POSITIVE_INFINITY,
  usage: '!BRIDGE +TARGET',
  options: ['--inactivity-probe='],
  writes: true,
  prepare: (_command, { needs }) => needControllers(needs),
  run(context) {
    const { row } = context.attempt.model.realBridge(context.args[0]);
    setTargets(context, controllersOf(row), context.args.slice(1));
  },
};

export const getFailMode: CommandSyntax = {
  name: 'get-fail-mode',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: false,
  prepare: (_command, { needs }) => needFailMode(needs),
  run(context) {
    const { attempt, args } = context;
    const { row } = attempt.model.bridge(args[0]);
    attempt.edit.verify('Bridge', row, 'fail_mode');
    const [mode = ''] = attempt.read(attempt.row('Bridge', row), 'fail_mode').keys;
    if (mode !== '') context.print(String(mode));
  },
};

export const delFailMode: CommandSyntax = {
  name: 'del-fail-mode',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: true,
  prepare: (_command, { needs }) => needFailMode(needs),
  run({ attempt, args }) {
    attempt.edit.set('Bridge', attempt.model.realBridge(args[0]).row, 'fail_mode', NOTHING);
  },
};

export const setFailMode: CommandSyntax = {
  name: 'set-fail-mode',
  min: 2,
  max: 2,
  usage: '!BRIDGE !MODE',
  options: [],
  writes: true,
  prepare: (_command, { needs }) => needFailMode(needs),
  run({ attempt, args: [bridge, mode] }) {
    const { row } = attempt.model.realBridge(bridge);
    if (mode !== 'standalone' && mode !== 'secure') {
      throw new VsctlError('fail-mode must be "standalone" or "secure"');
    }
    attempt.edit.set('Bridge', row, 'fail_mode', one(mode));
  },
};

export const getManager: CommandSyntax = {
  name: 'get-manager',
  min: 0,
  max: 0,
  usage: '',
  options: [],
  writes: false,
  prepare: (_command, { needs }) => needManagers(needs),
  run(context) {
    printTargets(context, managersOf(context.attempt));
  },
};

export const delManager: CommandSyntax = {
  name: 'del-manager',
  min: 0,
  max: 0,
  usage: '',
  options: [],
  writes: true,
  prepare: (_command, { needs }) => needManagers(needs),
  run({ attempt }) {
    deleteTargets(attempt, managersOf(attempt));
  },
};

export const setManager: CommandSyntax = {
  name: 'set-manager',
  min: 1,
  max: Number.POSITIVE_INFINITY,
  usage: '+TARGET',
  options: ['--inactivity-probe='],
  writes: true,
  prepare: (_command, { needs }) => needManagers(needs),
  run(context) {
    setTargets(context, managersOf(context.attempt), context.args);
  },
};

/** Rows with a `target` column, and the column that refers to them. */
interface Targets {
  readonly table: 'Controller' | 'Manager';
  readonly owner: string;
  readonly ownerRow: string;
  readonly column: string;
}

const controllersOf = (bridge: string): Targets => ({
  table: 'Controller',
  owner: 'Bridge',
  ownerRow: bridge,
  column: 'controller',
});

const managersOf = ({ root }: Attempt): Targets => ({
  table: 'Manager',
  owner: ROOT_TABLE,
  ownerRow: root,
  column: 'manager_options',
});

function needControllers(needs: Preparation['needs']): void {
  SwitchModel.need(needs);
  needs.add('Bridge', 'controller');
  needs.add('Controller', 'target');
}

function needManagers(needs: Preparation['needs']): void {
  needs.add(ROOT_TABLE, 'manager_options');
  needs.add('Manager', 'target');
}

function needFailMode(needs: Preparation['needs']): void {
  SwitchModel.need(needs);
  needs.add('Bridge', 'fail_mode');
}

/** The rows that are there: those a command before this one has removed are not. */
function existing({ edit }: Attempt, { table, owner, ownerRow, column }: Targets): string[] {
  edit.verify(owner, ownerRow, column);
  const { keys = [] } = edit.get(owner, ownerRow)?.get(column) ?? {};
  return keys.map(String).filter((uuid) => edit.get(table, uuid) !== undefined);
}

function printTargets(context: Context, targets: Targets): void {
  const { attempt } = context;
  const uuids = existing(attempt, targets);
  const names = uuids.map((uuid) => {
    attempt.edit.verify(targets.table, uuid, 'target');
    return String(attempt.row(targets.table, uuid).get('target').keys[0]);
  });
  printSorted(context, names);
}

function deleteTargets(attempt: Attempt, targets: Targets): void {
  for (const uuid of existing(attempt, targets)) attempt.edit.remove(targets.table, uuid);
  attempt.edit.set(targets.owner, targets.ownerRow, targets.column, NOTHING);
}

function setTargets(context: Context, targets: Targets, names: readonly string[]): void {
  const { attempt } = context;
  const probe = context.option('--inactivity-probe');
  const settings: Record<string, Datum> = {};
  if (probe !== undefined) settings.inactivity_probe = one(milliseconds(probe));
  deleteTargets(attempt, targets);
  const added = names.map((name) => {
    if (!METHOD.test(name)) {
      attempt.logs.vsctl.warn(`target type "${name}" is possibly erroneous`);
    }
    return attempt.edit.insert(targets.table, { target: one(name), ...settings });
  });
  attempt.edit.set(targets.owner, targets.ownerRow, targets.column, rows(added));
}

const METHOD = /^p?(?:tcp|ssl|unix):/;

/** As C's atoll reads it. */
function milliseconds(text: string): number {
  return Number.parseInt(text, 10) || 0;
}
