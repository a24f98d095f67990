/** `tapflow mac` */
import { queryVerb } from './verb.ts';

export const mac = queryVerb({
  name: 'mac',
  args: '[bridge]',
  summary: 'Show the Ethernet addresses that bridges have learned',
  help: `The action "normal" learns on which port, in which VLAN, an address lives, and
forgets it when it was silent for 300 seconds (other_config:mac-aging-time).`,
});
