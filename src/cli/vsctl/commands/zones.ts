/** ovs-vsctl(8), "Conntrack Zone Commands", and "Datapath Capabilities Command". */
import type { Attempt } from '../attempt.ts';
import type { Command, CommandSyntax, Preparation } from '../command.ts';
import { VsctlError } from '../failure.ts';
import { ROOT_TABLE } from '../record-names.ts';
import { map, one, pairsOf, valueAt } from '../values.ts';

export const addZoneTp: CommandSyntax = {
  name: 'add-zone-tp',
  min: 3,
  max: Number.POSITIVE_INFINITY,
  usage: '',
  options: ['--may-exist'],
  writes: true,
  prepare: needZones,
  run(context) {
    const { attempt } = context;
    const [name, zoneText, ...policies] = context.args;
    const datapath = datapathOf(attempt, name);
    if (datapath === undefined) throw new VsctlError(`datapath ${name} does not exist`);
    const id = parseZone(zoneText);
    const zone = zoneOf(attempt, datapath, id);
    if (zone !== undefined && !context.has('--may-exist')) {
      throw new VsctlError(`zone id ${id} already exists`);
    }
    const { edit } = attempt;
    const policy = edit.insert('CT_Timeout_Policy', { timeouts: parsePolicies(policies) });
    const row = zone ?? edit.insert('CT_Zone');
    edit.set('CT_Zone', row, 'timeout_policy', one(policy));
    if (zone !== undefined) return;
    edit.mutate('Datapath', datapath, 'ct_zones', 'insert', { keys: [id], values: [row] });
  },
};

export const delZoneTp: CommandSyntax = {
  name: 'del-zone-tp',
  min: 2,
  max: 2,
  usage: '',
  options: ['--if-exists'],
  writes: true,
  prepare: needZones,
  run(context) {
    const { attempt } = context;
    const [name, zoneText] = context.args;
    const datapath = datapathOf(attempt, name);
    if (datapath === undefined) throw new VsctlError(`datapath ${name} does not exist`);
    const id = parseZone(zoneText);
    if (zoneOf(attempt, datapath, id) !== undefined) {
      attempt.edit.mutate('Datapath', datapath, 'ct_zones', 'delete', { keys: [id] });
    } else if (!context.has('--if-exists')) {
      throw new VsctlError(`zone id ${id} does not exist`);
    }
  },
};

export const listZoneTp: CommandSyntax = {
  name: 'list-zone-tp',
  min: 1,
  max: 1,
  usage: '',
  options: [],
  writes: false,
  prepare: needZones,
  run(context) {
    const { attempt } = context;
    const [name] = context.args;
    const datapath = datapathOf(attempt, name);
    if (datapath === undefined) throw new VsctlError(`datapath: ${name} record not found`);
    for (const [id, zone] of pairsOf(attempt.row('Datapath', datapath).get('ct_zones'))) {
      const policies = policiesText(attempt, String(zone));
      context.output += `Zone:${id}, Timeout Policies: ${policies}\n`;
    }
  },
};

export const listDpCap: CommandSyntax = {
  name: 'list-dp-cap',
  min: 1,
  max: 1,
  usage: '',
  options: [],
  writes: false,
  prepare(_command, { needs }) {
    needs.add(ROOT_TABLE, 'datapaths');
    needs.add('Datapath', 'capabilities');
  },
  run(context) {
    const { attempt } = context;
    const [name] = context.args;
    const datapath = datapathOf(attempt, name);
    if (datapath === undefined) throw new VsctlError(`datapath "${name}" record not found`);
    const capabilities = attempt.row('Datapath', datapath).get('capabilities');
    context.print(
      pairsOf(capabilities)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    );
  },
};

function needZones(_command: Command, { needs }: Preparation): void {
  needs.add(ROOT_TABLE, 'datapaths');
  needs.add('Datapath', 'ct_zones');
  needs.add('CT_Zone', 'timeout_policy');
  needs.add('CT_Timeout_Policy', 'timeouts');
}

function datapathOf({ edit, root }: Attempt, name: string): string | undefined {
  const datapaths = edit.get(ROOT_TABLE, root)?.get('datapaths');
  const uuid = datapaths && valueAt(datapaths, name);
  return edit.get('Datapath', String(uuid))?.uuid;
}

function zoneOf({ edit }: Attempt, datapath: string, id: number): string | undefined {
  edit.verify('Datapath', datapath, 'ct_zones');
  const zones = edit.get('Datapath', datapath)?.get('ct_zones');
  return zones && edit.get('CT_Zone', String(valueAt(zones, id)))?.uuid;
}

/** What is no zone at all stock takes for one by chance; we do not. */
function parseZone(text: string): number {
  const [, id] = /^zone=\s*([+-]?\d+)/.exec(text) ?? [];
  if (id === undefined) throw new VsctlError(`${text}: zone=ID was expected`);
  return Number(id);
}

/** KEY=VALUE each; of two for one key the last counts. */
function parsePolicies(policies: readonly string[]) {
  const pairs = policies.map((policy): [string, number] => {
    const [key, value = ''] = policy.split(/=(.*)/s);
    return [key, Number.parseInt(value, 10) || 0];
  });
  return map(new Map(pairs));
}

function policiesText(attempt: Attempt, zone: string): string {
  const [policy] = attempt.row('CT_Zone', zone).get('timeout_policy').keys;
  if (policy === undefined) return 'system default';
  const timeouts = pairsOf(attempt.row('CT_Timeout_Policy', String(policy)).get('timeouts'));
  return timeouts.map(([key, value]) => `${key}=${value}`).join(' ');
}
