/** ovs-vsctl(8), "Auto-Attach Commands": mappings of I-SIDs to VLANs, in a row of AutoAttach. */
import type { Atom } from '../../../ovsdb/data/atom.ts';
import { type Datum, sortMap } from '../../../ovsdb/data/datum.ts';
import type { Attempt } from '../attempt.ts';
import type { Command, CommandSyntax, Preparation } from '../command.ts';
import { VsctlError } from '../failure.ts';
import { SwitchModel } from '../switch-model.ts';
import { EMPTY_MAP, one, pairsOf } from '../values.ts';

export const getAaMapping: CommandSyntax = {
  name: 'get-aa-mapping',
  min: 1,
  max: 1,
  usage: '!BRIDGE',
  options: [],
  writes: false,
  prepare: needMappings,
  run(context) {
    const { attempt } = context;
    const { row } = attempt.model.bridge(context.args[0]);
    const mappings = mappingsOf(attempt, autoAttachOf(attempt, row));
    for (const [isid, vlan] of pairsOf(mappings)) context.print(`${isid} ${vlan}`);
  },
};

export const addAaMapping: CommandSyntax = {
  name: 'add-aa-mapping',
  min: 3,
  max: 3,
  usage: '!BRIDGE !ARG !ARG',
  options: [],
  writes: true,
  prepare: needMappings,
  run({ attempt, args }) {
    const [isid, vlan] = args.slice(1).map(parseId);
    const { row } = attempt.model.bridge(args[0]);
    const before = pairsOf(mappingsOf(attempt, autoAttachOf(attempt, row)));
    const uuid = autoAttachOf(attempt, row) ?? insertAutoAttach(attempt, row);
    // Of two VLANs for one I-SID stock takes the lower.
    const hasLower = before.some(([each, other]) => each === isid && Number(other) < vlan);
    if (hasLower) return;
    const others = before.filter(([each]) => each !== isid);
    attempt.edit.set('AutoAttach', uuid, 'mappings', map([...others, [isid, vlan]]));
  },
};

export const delAaMapping: CommandSyntax = {
  name: 'del-aa-mapping',
  min: 3,
  max: 3,
  usage: '!BRIDGE !ARG !ARG',
  options: [],
  writes: true,
  prepare: needMappings,
  run({ attempt, args }) {
    const [isid, vlan] = args.slice(1).map(parseId);
    const { row } = attempt.model.bridge(args[0]);
    const uuid = autoAttachOf(attempt, row);
    if (uuid === undefined) return;
    const before = pairsOf(mappingsOf(attempt, uuid));
    const after = before.filter((pair) => pair[0] !== isid || pair[1] !== vlan);
    attempt.edit.set('AutoAttach', uuid, 'mappings', map(after));
  },
};

function needMappings(_command: Command, { needs }: Preparation): void {
  SwitchModel.need(needs);
  needs.add('Bridge', 'auto_attach');
  needs.add('AutoAttach', 'mappings');
}

function autoAttachOf({ edit }: Attempt, bridge: string): string | undefined {
  edit.verify('Bridge', bridge, 'auto_attach');
  const [uuid] = edit.get('Bridge', bridge)?.get('auto_attach').keys ?? [];
  return edit.get('AutoAttach', String(uuid))?.uuid;
}

function insertAutoAttach({ edit }: Attempt, bridge: string): string {
  const uuid = edit.insert('AutoAttach');
  edit.set('Bridge', bridge, 'auto_attach', one(uuid));
  return uuid;
}

function mappingsOf({ edit }: Attempt, uuid: string | undefined): Datum {
  if (uuid === undefined) return EMPTY_MAP;
  edit.verify('AutoAttach', uuid, 'mappings');
  return edit.get('AutoAttach', uuid)?.get('mappings') ?? EMPTY_MAP;
}

const map = (pairs: readonly (readonly [Atom, Atom])[]): Datum =>
  sortMap(
    pairs.map(([isid, vlan]) => [isid, vlan]),
    'integer',
  );

/** As C's strtoull reads it, but that a number is needed. */
function parseId(text: string): number {
  const id = Number.parseInt(text, 10);
  if (Number.isNaN(id)) throw new VsctlError(`Invalid argument ${text}`);
  return id;
}
