/**
 * Whether a flow's actions make sense for the packets it matches: a field may
 * be written only where the match says that the packet has it. OpenFlow 1.0's
 * `mod_*`, like Open vSwitch's, do nothing on a packet without the field and
 * so need no word in the match.
 */
import type { Field, Prerequisite } from '../flow/fields.ts';
import { VLAN_0, VLAN_CFI } from '../flow/key.ts';
import type { Match } from '../flow/match.ts';
import { hintFor, meets } from '../flow/prerequisites.ts';
import type { Action, Subfield } from './action.ts';
import { badAction, badFlow } from './flow-error.ts';
import { formatAction } from './format-actions.ts';

/** @throws TapflowError BAD_FLOW */
export function checkActions(actions: readonly Action[], match: Match, table: number): void {
  // A tag that an action pushes is there for those after it.
  let isTagged = hasTag(match);
  for (const [i, action] of actions.entries()) {
    switch (action.kind) {
      case 'set_field':
        if (!action.form.startsWith('mod_')) checkField(action, action.field, match, isTagged);
        if (action.field.name.includes('vlan')) isTagged = true;
        break;
      case 'move':
        checkField(action, action.source.field, match, isTagged);
        checkField(action, action.target.field, match, isTagged);
        break;
      case 'output_register':
        checkSource(action, action.source, match, isTagged);
        break;
      case 'push_vlan':
        isTagged = true;
        break;
      case 'pop_vlan':
        isTagged = false;
        break;
      case 'set_vlan_vid':
      case 'set_vlan_pcp':
        isTagged ||= action.push;
        break;
      case 'goto_table':
        if (i < actions.length - 1) throw badFlow('goto_table must be the last action: move it');
        if (action.table <= table) {
          throw badFlow(`goto_table:${action.table} must lead from table ${table} to a later one`);
        }
        break;
    }
  }
}

const hasTag = ({ value, mask }: Match): boolean => (value[VLAN_0] & mask[VLAN_0] & VLAN_CFI) !== 0;

function checkSource(action: Action, source: Subfield, match: Match, isTagged: boolean): void {
  checkField(action, source.field, match, isTagged);
}

const TAG_FIELDS = ['vlan_vid', 'vlan_pcp'];

function checkField(action: Action, field: Field, match: Match, isTagged: boolean): void {
  if (TAG_FIELDS.includes(field.name) && !isTagged) {
    throw badAction(
      formatAction(action),
      'needs a packet with a VLAN tag: match on dl_vlan, or push_vlan before it',
    );
  }
  if (!meets(match, field.prerequisite)) throw lacks(action, field, field.prerequisite);
}

const lacks = (action: Action, field: Field, prerequisite: Prerequisite): Error =>
  badAction(
    formatAction(action),
    `uses ${field.name}, which needs ${hintFor(prerequisite)} in the match`,
  );
