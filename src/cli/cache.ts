/** `tapflow cache` */
import { queryVerb } from './verb.ts';

export const cache = queryVerb({
  name: 'cache',
  args: '',
  summary: 'Show how the datapath finds flows: each cache level, hits, masks',
  help: `A packet is looked up in the microflow cache, then in the megaflow cache, mask
by mask. What neither knows goes up to the slow path, which consults the flow
tables and installs a megaflow for what follows.`,
});
