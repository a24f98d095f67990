/** `tapflow add-flow` */
import { queryVerb } from './verb.ts';

export const addFlow = queryVerb({
  name: 'add-flow',
  args: '<bridge> <flow>',
  summary: 'Add a flow to a bridge, at once',
  help: `The syntax is that of \`ovs-ofctl add-flow\`; ovs-fields(7) and ovs-actions(7)
describe it. A flow with the same table, priority and match is replaced.

Examples:
  tapflow add-flow br0 'priority=100,udp,tp_dst=5000,actions=drop'
  tapflow add-flow br0 'in_port=1,actions=mod_vlan_vid:10,normal'`,
});
