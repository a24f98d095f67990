/** `tapflow ports` */
import { queryVerb } from './verb.ts';

export const ports = queryVerb({
  name: 'ports',
  args: '[bridge]',
  summary: 'Show packets, bytes and drops of each port',
  help: `rx is what the switch received from the port, tx what it sent to it. A TCP
super-frame counts as one packet. Drops are given by reason.`,
});
