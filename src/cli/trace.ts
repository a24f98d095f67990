/** `tapflow trace` */
import { queryVerb } from './verb.ts';

export const trace = queryVerb({
  name: 'trace',
  args: '<bridge> <flow> [frame]',
  summary: 'Explain what would happen to a packet',
  help: `The packet is described as a flow, \`in_port=1,icmp,nw_dst=10.0.0.2\`, or given
as a frame in hexadecimal. It is not sent, and changes nothing.

Example:
  tapflow trace br0 in_port=1,udp,tp_dst=5000`,
});
