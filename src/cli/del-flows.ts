/** `tapflow del-flows` */
import { queryVerb } from './verb.ts';

export const delFlows = queryVerb({
  name: 'del-flows',
  args: '<bridge> [match]',
  summary: 'Delete the flows that a match covers',
  flags: [
    { name: '--strict', summary: 'delete only the flow with exactly this match and priority' },
  ],
  help: `Without a match all flows of the bridge are deleted, and then it forwards
nothing.

Examples:
  tapflow del-flows br0 udp
  tapflow del-flows --strict br0 'priority=100,udp,tp_dst=5000'`,
});
