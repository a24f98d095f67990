/** `tapflow flows` */
import { queryVerb } from './verb.ts';

export const flows = queryVerb({
  name: 'flows',
  args: '[bridge] [match]',
  summary: "Show a bridge's flows with their counters",
  help: `Flows are printed as \`ovs-ofctl dump-flows\` prints them. Counters include
packets that were forwarded from the caches.

Examples:
  tapflow flows
  tapflow flows br0 tcp,tp_dst=80`,
});
